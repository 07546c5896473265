#include "storage/query/passive_question.h"

#include <algorithm>

#include "proto/base/bytes.h"
#include "proto/dns/name_key.h"
#include "proto/dns/presentation.h"
#include "storage/query/row_text.h"

namespace sekisho::query {
namespace {

constexpr char kHex[] = "0123456789abcdef";

std::optional<std::string> FromHex(std::string_view text) {
  std::string out;
  if (text.size() % 2 != 0) return std::nullopt;
  for (size_t i = 0; i < text.size(); i += 2) {
    const auto high = std::string_view(kHex).find(text[i]);
    const auto low = std::string_view(kHex).find(text[i + 1]);
    if (high == std::string_view::npos || low == std::string_view::npos) return std::nullopt;
    out.push_back(static_cast<char>(high << 4 | low));
  }
  return out;
}

bool TakeName(const char* field, const std::string& text, std::optional<std::string>* out,
              std::string* error) {
  if (text.empty()) return true;
  const auto name = dns::Name::Parse(text);
  if (!name) {
    *error = std::string(field) + ": not a domain name";
    return false;
  }
  *out = dns::NameKey(*name);
  return true;
}

// Text form without the last dot, as tools for passive DNS write names.
std::string WithoutDot(std::string text) {
  if (text.size() > 1 && text.ends_with('.') && !text.ends_with("\\.")) text.pop_back();
  return text;
}

}  // namespace

std::optional<passive::Question> MakePassiveQuestion(const control::PassiveQuery& query, uint64_t limit_cap,
                                                     std::string* error) {
  passive::Question out;
  if (!TakeName("name", query.name(), &out.name_key, error) ||
      !TakeName("under", query.under(), &out.under_key, error) ||
      !TakeName("target", query.target(), &out.target_key, error))
    return std::nullopt;
  if (!query.address().empty()) {
    out.address = IpPrefix::Parse(query.address());
    if (!out.address) {
      *error = "address: not an address or prefix (its host bits must be zero)";
      return std::nullopt;
    }
  }
  const int asked =
      (out.name_key ? 1 : 0) + (out.under_key ? 1 : 0) + (out.target_key ? 1 : 0) + (out.address ? 1 : 0);
  if (asked != 1) {
    *error = "one of name, under, address and target is needed";
    return std::nullopt;
  }
  if (!query.type().empty()) {
    const auto type = dns::ParseRRType(query.type());
    if (!type) {
      *error = "type: not a record type";
      return std::nullopt;
    }
    out.type = static_cast<uint16_t>(*type);
  }
  if (query.since_us() > 0) out.since_s = static_cast<uint64_t>(query.since_us()) / 1'000'000;
  if (query.until_us() > 0) out.until_s = (static_cast<uint64_t>(query.until_us()) + 999'999) / 1'000'000;
  out.collected = query.collected();
  const auto after = FromHex(query.cursor());
  if (!after) {
    *error = "cursor: not one that an answer gave";
    return std::nullopt;
  }
  out.after = *after;
  out.limit = query.limit() == 0 ? limit_cap : std::min(query.limit(), limit_cap);
  return out;
}

void FillPassiveRow(const passive::PassiveKey& key, const passive::Sum& sum, control::PassiveRow* row) {
  const auto name = dns::NameFromKey(key.name_key);
  row->set_name(name ? WithoutDot(name->ToString()) : "?");
  const auto type = static_cast<dns::RRType>(key.type);
  row->set_type(dns::ToString(type));
  if (key.data[0] != '-') {
    const std::string text = PrintableUtf8(dns::RdataToText(type, AsBytes(passive::RdataOf(key))));
    row->set_data(key.data[0] == 'n' ? WithoutDot(text) : text);
  }
  row->set_first_s(static_cast<int64_t>(sum.first_s));
  row->set_last_s(static_cast<int64_t>(sum.last_s));
  row->set_answered(sum.answered);
  row->set_blocked(sum.blocked);
  row->set_collected(sum.collected);
}

std::string PassiveCursor(const passive::Answer& answer) {
  std::string out;
  for (const char c : answer.last) {
    const auto byte = static_cast<uint8_t>(c);
    out += {kHex[byte >> 4], kHex[byte & 15]};
  }
  return out;
}

}  // namespace sekisho::query
