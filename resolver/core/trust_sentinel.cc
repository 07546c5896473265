#include "resolver/core/trust_sentinel.h"

#include <algorithm>
#include <charconv>
#include <optional>
#include <string>
#include <string_view>

#include "proto/base/bytes.h"
#include "proto/dns/dnssec_crypto.h"
#include "proto/dns/rdata.h"

namespace sekisho::resolver {
namespace {

using dns::RRType;

struct Sentinel {
  bool wants_anchor = false;
  uint16_t tag = 0;
};

std::optional<Sentinel> ReadSentinel(dns::NameView name) {
  constexpr std::string_view kIsTa = "root-key-sentinel-is-ta-";
  constexpr std::string_view kNotTa = "root-key-sentinel-not-ta-";
  constexpr size_t kDigits = 5;
  if (name.IsRoot()) return std::nullopt;
  const size_t length = name.data()[0];
  if (length != kIsTa.size() + kDigits && length != kNotTa.size() + kDigits) return std::nullopt;
  const std::string label = dns::Name(name).LowercaseBytes().substr(1, length);
  const bool is = label.starts_with(kIsTa);
  if (!is && !label.starts_with(kNotTa)) return std::nullopt;
  const std::string_view digits = std::string_view(label).substr((is ? kIsTa : kNotTa).size());
  uint32_t tag = 0;
  const auto r = std::from_chars(digits.data(), digits.data() + digits.size(), tag);
  if (digits.size() != kDigits || r.ptr != digits.data() + digits.size() || tag > UINT16_MAX)
    return std::nullopt;
  return Sentinel{is, static_cast<uint16_t>(tag)};
}

bool IsRootAnchor(uint16_t tag, const Settings& settings) {
  return std::any_of(settings.trust_anchors.begin(), settings.trust_anchors.end(), [&](const auto& anchor) {
    if (!anchor.owner.IsRoot()) return false;
    if (anchor.type == RRType::kDNSKEY) return dns::KeyTag(AsBytes(anchor.rdata)) == tag;
    const auto ds = anchor.type == RRType::kDS ? dns::ReadDs(AsBytes(anchor.rdata)) : std::nullopt;
    return ds && ds->key_tag == tag;
  });
}

}  // namespace

bool SentinelWithholds(const Question& q, const Settings& settings) {
  if (q.qtype != RRType::kA && q.qtype != RRType::kAAAA) return false;
  if (q.cd || !q.answer || q.answer->security != Security::kSecure) return false;
  const auto sentinel = ReadSentinel(q.qname);
  return sentinel && IsRootAnchor(sentinel->tag, settings) != sentinel->wants_anchor;
}

}  // namespace sekisho::resolver
