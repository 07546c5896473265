#include "blocklist/feed/formats/record.h"

#include <algorithm>
#include <charconv>
#include <string>

#include "blocklist/feed/formats/parsers.h"
#include "blocklist/feed/formats/timestamp.h"
#include "proto/base/ip_address.h"

namespace sekisho::blocklist {
namespace {

using Names = std::span<const std::string_view>;

constexpr std::string_view kIndicatorNames[] = {"indicator", "ioc", "ioc_value", "observable", "value"};
constexpr std::string_view kUrlNames[] = {"url", "uri"};
constexpr std::string_view kNameNames[] = {"domain", "hostname", "host", "fqdn", "dns", "name"};
constexpr std::string_view kAddressNames[] = {"ip",   "ip_address", "dst_ip", "address",
                                              "cidr", "netblock",   "src_ip"};
constexpr std::string_view kTypeNames[] = {"ioc_type", "indicator_type", "type"};
constexpr std::string_view kReferenceNames[] = {
    "malware_printable", "malware", "malware_family", "family", "brand", "target", "description", "tags"};
constexpr std::string_view kCategoryNames[] = {"threat_type", "threat", "category", "classification"};
constexpr std::string_view kActorNames[] = {"threat_actor", "actor"};
constexpr std::string_view kConfidenceNames[] = {"confidence_level", "confidence", "score"};
constexpr std::string_view kReportedNames[] = {"first_seen_utc", "first_seen", "dateadded", "date_added",
                                               "date",           "created",    "timestamp"};
constexpr std::string_view kValidUntilNames[] = {"valid_until", "expires", "expiration", "expiry"};
constexpr std::string_view kLinkNames[] = {"reference", "urlhaus_link", "phish_detail_url", "link", "report"};

// Kinds that no resolver can act on.
bool IsOtherKind(std::string_view type) {
  constexpr std::string_view kOther[] = {"md5",  "sha1",  "sha256",  "sha512", "hash",
                                         "file", "email", "imphash", "mutex"};
  std::string lower(type.substr(0, 32));
  std::transform(lower.begin(), lower.end(), lower.begin(),
                 [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; });
  return std::any_of(std::begin(kOther), std::end(kOther),
                     [&lower](std::string_view other) { return lower.find(other) != std::string::npos; });
}

uint32_t ParseConfidence(std::string_view text) {
  double value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end == text.data() || !(value > 0)) return 0;
  // A share of one, or of a hundred.
  if (value < 1) value *= 100;
  return static_cast<uint32_t>(std::clamp(value, 1.0, 100.0));
}

}  // namespace

Names UsualNames(Field field) {
  switch (field) {
    case Field::kIndicator:
      return kIndicatorNames;
    case Field::kUrl:
      return kUrlNames;
    case Field::kName:
      return kNameNames;
    case Field::kAddress:
      return kAddressNames;
    case Field::kType:
      return kTypeNames;
    case Field::kReference:
      return kReferenceNames;
    case Field::kCategory:
      return kCategoryNames;
    case Field::kActor:
      return kActorNames;
    case Field::kConfidence:
      return kConfidenceNames;
    case Field::kReported:
      return kReportedNames;
    case Field::kValidUntil:
      return kValidUntilNames;
    case Field::kLink:
      return kLinkNames;
  }
  return {};
}

bool EqualsNoCase(std::string_view a, std::string_view b) {
  return a.size() == b.size() && std::equal(a.begin(), a.end(), b.begin(), [](char x, char y) {
           return (x >= 'A' && x <= 'Z' ? x + 32 : x) == (y >= 'A' && y <= 'Z' ? y + 32 : y);
         });
}

void EmitByLooks(std::string_view text, Indicator indicator, IndicatorSink& sink) {
  text = Trim(text);
  if (IpPrefix::Parse(text)) {
    indicator.kind = IndicatorKind::kAddress;
  } else if (text.find('/') != std::string_view::npos) {
    indicator.kind = IndicatorKind::kUrl;
  } else {
    // "name:443" and "192.0.2.1:443" differ in what stands before the port.
    const size_t colon = text.find(':');
    if (colon != std::string_view::npos && colon == text.rfind(':')) {
      if (IpAddress::Parse(text.substr(0, colon))) {
        indicator.kind = IndicatorKind::kAddress;
      } else {
        indicator.kind = IndicatorKind::kUrl;
      }
    }
  }
  if (indicator.kind == IndicatorKind::kName) return EmitName(text, indicator, sink);
  indicator.text = text;
  sink.OnIndicator(indicator);
}

void EmitRecord(const FieldValues& values, int utc_offset_minutes, uint64_t number, std::string_view shown,
                IndicatorSink& sink) {
  const auto get = [&values](Field field) { return Trim(values[static_cast<size_t>(field)]); };
  if (IsOtherKind(get(Field::kType))) {
    sink.OnPassedOver(MakeError(number, "no name, URL or address", shown));
    return;
  }
  Indicator indicator;
  indicator.line = number;
  indicator.reference = get(Field::kReference);
  indicator.category = get(Field::kCategory);
  indicator.actor = get(Field::kActor);
  indicator.link = get(Field::kLink);
  indicator.confidence = ParseConfidence(get(Field::kConfidence));
  indicator.reported_us = ParseTimestamp(get(Field::kReported), utc_offset_minutes);
  indicator.valid_until_us = ParseTimestamp(get(Field::kValidUntil), utc_offset_minutes);
  if (const std::string_view url = get(Field::kUrl); !url.empty()) {
    indicator.kind = IndicatorKind::kUrl;
    indicator.text = url;
    sink.OnIndicator(indicator);
  } else if (const std::string_view any = get(Field::kIndicator); !any.empty()) {
    EmitByLooks(any, indicator, sink);
  } else if (const std::string_view name = get(Field::kName); !name.empty()) {
    EmitName(name, indicator, sink);
  } else if (const std::string_view address = get(Field::kAddress); !address.empty()) {
    indicator.kind = IndicatorKind::kAddress;
    indicator.text = address;
    sink.OnIndicator(indicator);
  } else {
    sink.OnError(MakeError(number, "no name, URL or address in the record", shown));
  }
}

}  // namespace sekisho::blocklist
