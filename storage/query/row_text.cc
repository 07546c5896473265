#include "storage/query/row_text.h"

#include <algorithm>
#include <array>
#include <span>

#include "proto/base/bytes.h"
#include "proto/dns/presentation.h"
#include "proto/dns/reverse_name.h"
#include "storage/query/value_names.h"

namespace sekisho::query {
namespace {

using record::LookupRecord;

std::string Named(std::span<const std::string_view> names, uint8_t value) {
  return value < names.size() ? std::string(names[value]) : "unknown-" + std::to_string(value);
}

constexpr std::array<const char*, 8> kFlags = {"rd", "cd", "do", "edns", "ad-asked", "tc", "ad", "answered"};

// The length of the UTF-8 sequence at the front, and its code point; 0 for a broken one.
size_t Sequence(std::string_view s, uint32_t* point) {
  const auto lead = static_cast<uint8_t>(s[0]);
  const size_t size = lead < 0x80                   ? 1
                      : lead >= 0xc2 && lead < 0xe0 ? 2
                      : lead >= 0xe0 && lead < 0xf0 ? 3
                      : lead >= 0xf0 && lead < 0xf5 ? 4
                                                    : 0;
  if (size == 0 || size > s.size()) return 0;
  *point = size == 1 ? lead : lead & (0xffu >> (size + 1));
  for (size_t i = 1; i < size; ++i) {
    const auto c = static_cast<uint8_t>(s[i]);
    if ((c & 0xc0) != 0x80) return 0;
    *point = *point << 6 | (c & 0x3f);
  }
  const bool overlong = (size == 3 && *point < 0x800) || (size == 4 && *point < 0x10000);
  return overlong || *point > 0x10ffff || (*point >= 0xd800 && *point < 0xe000) ? 0 : size;
}

bool MayShow(uint32_t p) {
  if (p < 0x20 || (p >= 0x7f && p < 0xa0) || p == '\\') return false;
  if (p == 0x061c || p == 0x00ad || p == 0xfeff || (p >= 0x200b && p <= 0x200f)) return false;
  return !(p >= 0x2028 && p <= 0x202e) && !(p >= 0x2060 && p <= 0x206f) && !(p >= 0xe0000 && p <= 0xe007f);
}

}  // namespace

std::string PrintableUtf8(std::string_view text) {
  static constexpr char kHex[] = "0123456789abcdef";
  std::string out;
  while (!text.empty()) {
    uint32_t point = 0;
    const size_t size = Sequence(text, &point);
    if (size > 0 && MayShow(point)) {
      out.append(text.substr(0, size));
      text.remove_prefix(size);
      continue;
    }
    const auto byte = static_cast<uint8_t>(text[0]);
    if (byte == '\\') {
      out += "\\\\";
    } else {
      out += {'\\', 'x', kHex[byte >> 4], kHex[byte & 15]};
    }
    text.remove_prefix(1);
  }
  return out;
}

namespace {

// Answer addresses are recorded under their reverse names, with the rule's bits in place of labels.
void SetRule(const LookupRecord& r, control::LookupRow* row) {
  if (r.trigger == record::Trigger::kAnswerAddress) {
    const auto address = dns::AddressOfReverse(r.trigger_name);
    const auto rule = address ? IpPrefix::Make(*address, r.rule_labels) : std::nullopt;
    if (rule) {
      row->set_trigger_name(address->ToString());
      row->set_rule(rule->ToString());
      return;
    }
  }
  row->set_trigger_name(r.trigger_name.ToString());
  const int labels = std::min<int>(r.rule_labels, r.trigger_name.view().LabelCount());
  const std::string rule = r.trigger_name.view().Suffix(labels).ToString();
  row->set_rule(r.rule_subtree ? "*." + rule : rule);
}

}  // namespace

void FillRow(const LookupRecord& r, control::LookupRow* row) {
  row->set_time_us(UnixMicros(r.time));
  row->set_node(r.node);
  row->set_boot(r.boot);
  row->set_worker(r.worker);
  row->set_sequence(r.sequence);
  row->set_agency(PrintableUtf8(r.agency));
  row->set_client(r.client.address.ToString());
  row->set_client_port(r.client.port);
  row->set_transport(Named(kTransportNames, static_cast<uint8_t>(r.transport)));
  row->set_name(r.qname.ToString());
  row->set_type(dns::ToString(r.qtype));
  if (r.qclass != dns::RRClass::kIN) row->set_qclass(dns::ToString(r.qclass));
  row->set_rcode(dns::ToString(r.rcode));
  for (size_t bit = 0; bit < kFlags.size(); ++bit) {
    if ((r.flags >> bit & 1) != 0) row->add_flags(kFlags[bit]);
  }
  for (const record::AnswerItem& item : r.answers) {
    auto* answer = row->add_answers();
    answer->set_type(dns::ToString(item.type));
    answer->set_data(PrintableUtf8(dns::RdataToText(item.type, AsBytes(item.rdata))));
  }
  row->set_answers_cut(r.answers_cut);
  row->set_action(Named(kActionNames, static_cast<uint8_t>(r.action)));
  row->set_trigger(Named(kTriggerNames, static_cast<uint8_t>(r.trigger)));
  if (r.trigger != record::Trigger::kNone) {
    SetRule(r, row);
  }
  row->set_feeds(PrintableUtf8(r.feeds));
  row->set_category(PrintableUtf8(r.category));
  row->set_generation(r.generation);
  row->set_origin(Named(kOriginNames, static_cast<uint8_t>(r.origin)));
  row->set_security(Named(kSecurityNames, static_cast<uint8_t>(r.security)));
  row->set_latency_us(r.latency_us);
  row->set_response_size(r.response_size);
  row->set_ede(r.ede == 0xffff ? -1 : r.ede);
}

}  // namespace sekisho::query
