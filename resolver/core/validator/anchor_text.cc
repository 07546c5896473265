// text  := comment* version point* sum
// version := "sekisho-anchors 1\n"
// point := "point " zone " " fingerprint " " checked " " next "\n" key*      times: Unix seconds; 0: never
// key   := "key " state " " since " " until " " flags " 3 " algorithm " " base64 "\n"
// sum   := "sum " SHA-256 of all bytes above, in hexadecimal "\n"
#include "resolver/core/validator/anchor_text.h"

#include <array>
#include <charconv>
#include <utility>

#include "proto/base/bytes.h"
#include "proto/dns/dnssec_crypto.h"
#include "proto/dns/presentation.h"
#include "proto/dns/rdata.h"

namespace sekisho::resolver::dnssec {
namespace {

constexpr std::string_view kComment =
    "# Trust anchors as their zones have changed them (RFC 5011). Written by sekisho-resolverd; to begin "
    "anew\n"
    "# from the configuration, stop it and remove this file.\n";
constexpr std::string_view kVersion = "sekisho-anchors 1";
constexpr std::array kStates = {AnchorState::kAddPend, AnchorState::kValid, AnchorState::kMissing,
                                AnchorState::kRevoked, AnchorState::kRemoved};

std::string SumOf(std::string_view text) {
  constexpr uint8_t kSha256 = 2;
  dns::DnssecCrypto crypto;
  const auto digest = crypto.DsDigest(kSha256, dns::Name(), AsBytes(text));
  constexpr char kHex[] = "0123456789abcdef";
  std::string hex;
  for (const uint8_t b : digest->view()) {
    hex.push_back(kHex[b >> 4]);
    hex.push_back(kHex[b & 15]);
  }
  return hex;
}

// The text before the next space; the rest stays in *line.
std::string_view TakeWord(std::string_view* line) {
  const size_t end = line->find(' ');
  const std::string_view word = line->substr(0, end);
  *line = end == std::string_view::npos ? std::string_view() : line->substr(end + 1);
  return word;
}

std::string TextOf(WallTime t) { return std::to_string(UnixSeconds(t)); }

std::optional<WallTime> TakeTime(std::string_view* line) {
  const std::string_view word = TakeWord(line);
  int64_t seconds = 0;
  constexpr int64_t kLatest = int64_t{1} << 40;
  const auto r = std::from_chars(word.data(), word.data() + word.size(), seconds);
  if (r.ec != std::errc() || r.ptr != word.data() + word.size() || seconds < 0 || seconds > kLatest) {
    return std::nullopt;
  }
  return WallTime(std::chrono::seconds(seconds));
}

std::optional<TrustPoint> ReadPoint(std::string_view line) {
  TrustPoint point;
  auto zone = dns::Name::Parse(TakeWord(&line));
  point.configured = TakeWord(&line);
  const auto checked = TakeTime(&line);
  const auto next = TakeTime(&line);
  if (!zone || !checked || !next || !line.empty()) return std::nullopt;
  point.zone = *std::move(zone);
  point.checked = *checked;
  point.next_at = *next;
  return point;
}

std::optional<AnchorKey> ReadKey(std::string_view line) {
  AnchorKey key;
  const std::string_view state = TakeWord(&line);
  bool known = false;
  for (const AnchorState s : kStates) {
    if (state != ToString(s)) continue;
    key.state = s;
    known = true;
  }
  const auto since = TakeTime(&line);
  const auto until = TakeTime(&line);
  if (!known || !since || !until) return std::nullopt;
  std::string error;
  const auto record = dns::ParseRecord(". 0 IN DNSKEY " + std::string(line), &error);
  if (!record || record->type != dns::RRType::kDNSKEY || !dns::ReadDnskey(AsBytes(record->rdata))) {
    return std::nullopt;
  }
  key.since = *since;
  key.until = *until;
  key.rdata = record->rdata;
  return key;
}

// Null: the line is in order.
const char* ReadLine(std::string_view line, std::vector<TrustPoint>* points) {
  const std::string_view kind = TakeWord(&line);
  if (kind == "point") {
    auto point = ReadPoint(line);
    if (!point) return "not a trust point";
    if (points->size() == kMaxTrustPoints) return "more trust points than are kept";
    points->push_back(*std::move(point));
    return nullptr;
  }
  if (kind != "key") return "neither a trust point nor a key";
  auto key = ReadKey(line);
  if (!key) return "not a key";
  if (points->empty()) return "a key of no trust point";
  if (points->back().keys.size() == kKeysPerPoint) return "more keys than are kept";
  points->back().keys.push_back(*std::move(key));
  return nullptr;
}

}  // namespace

std::string WriteAnchors(const std::vector<TrustPoint>& points) {
  std::string out(kComment);
  out += std::string(kVersion) + "\n";
  for (const TrustPoint& point : points) {
    out += "point " + point.zone.ToString() + " " + point.configured + " " + TextOf(point.checked) + " " +
           TextOf(point.next_at) + "\n";
    for (const AnchorKey& key : point.keys) {
      out += std::string("key ") + ToString(key.state) + " " + TextOf(key.since) + " " + TextOf(key.until) +
             " " + dns::RdataToText(dns::RRType::kDNSKEY, AsBytes(key.rdata)) + "\n";
    }
  }
  const std::string sum = SumOf(out);
  return out + "sum " + sum + "\n";
}

std::optional<std::vector<TrustPoint>> ReadAnchors(std::string_view text, std::string* error) {
  const size_t at = text.rfind("sum ");
  const bool whole = text.size() <= kMaxAnchorText && at != std::string_view::npos && at > 0 &&
                     text[at - 1] == '\n' && text.substr(at) == "sum " + SumOf(text.substr(0, at)) + "\n";
  if (!whole) {
    *error = "damaged: its checksum does not fit what stands in it";
    return std::nullopt;
  }
  text = text.substr(0, at);
  std::vector<TrustPoint> points;
  bool version = false;
  for (int number = 1; !text.empty(); ++number) {
    const size_t end = text.find('\n');
    const std::string_view line = text.substr(0, end);
    text = text.substr(end == std::string_view::npos ? text.size() : end + 1);
    if (line.empty() || line.front() == '#') continue;
    const char* wrong = nullptr;
    if (version) {
      wrong = ReadLine(line, &points);
    } else if (line == kVersion) {
      version = true;
    } else {
      wrong = "of a version that is not known";
    }
    if (wrong == nullptr) continue;
    *error = "line " + std::to_string(number) + ": " + wrong;
    return std::nullopt;
  }
  return points;
}

}  // namespace sekisho::resolver::dnssec
