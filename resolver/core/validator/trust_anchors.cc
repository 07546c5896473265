#include "resolver/core/validator/trust_anchors.h"

namespace sekisho::resolver::dnssec {

Policy PolicyOf(const Settings& settings) {
  Policy policy;
  policy.sha1_digests = settings.accept_sha1_digests;
  policy.rsasha1 = settings.accept_rsasha1;
  policy.skew_min = settings.signature_skew_min;
  policy.skew_max = settings.signature_skew_max;
  policy.nsec3_iterations = settings.nsec3_iterations;
  return policy;
}

TrustAnchors::TrustAnchors(const Settings& settings) {
  for (const dns::TextRecord& record : settings.trust_anchors) {
    if (record.type != dns::RRType::kDS && record.type != dns::RRType::kDNSKEY) continue;
    EntryPoints& points = anchors_[record.owner.LowercaseBytes()];
    points.zone = record.owner;
    (record.type == dns::RRType::kDS ? points.ds : points.dnskeys).Add(AsBytes(record.rdata));
  }
  for (const auto& anchor : settings.negative_trust_anchors) {
    negative_[anchor.name.LowercaseBytes()] = anchor.until;
  }
}

const EntryPoints* TrustAnchors::StartFor(dns::NameView name, WallTime now) const {
  for (int labels = name.LabelCount(); labels >= 0; --labels) {
    const std::string key = dns::Name(name.Suffix(labels)).LowercaseBytes();
    const auto negative = negative_.find(key);
    if (negative != negative_.end() && now < negative->second) return nullptr;
    const auto found = anchors_.find(key);
    if (found != anchors_.end()) return &found->second;
  }
  return nullptr;
}

}  // namespace sekisho::resolver::dnssec
