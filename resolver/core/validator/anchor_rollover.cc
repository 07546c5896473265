#include "resolver/core/validator/anchor_rollover.h"

#include <algorithm>
#include <utility>

#include "proto/base/bytes.h"
#include "proto/dns/rdata.h"
#include "proto/dns/rdata_form.h"
#include "resolver/core/validator/zone_keys.h"

namespace sekisho::resolver::dnssec {
namespace {

using dns::RRType;
using std::chrono::hours;
using std::chrono::seconds;

constexpr uint8_t kRevokeBit = 0x80;
// RFC 5011 section 2.3.
constexpr Duration kShortest = hours(1);
constexpr Duration kLongest = hours(15 * 24);
constexpr Duration kLongestRetry = hours(24);

bool IsRevoked(std::span<const uint8_t> rdata) { return rdata.size() > 4 && (rdata[1] & kRevokeBit) != 0; }

std::string WithoutRevoke(std::span<const uint8_t> rdata) {
  std::string key(AsText(rdata));
  key[1] = static_cast<char>(key[1] & ~kRevokeBit);
  return key;
}

bool IsTrusted(AnchorState state) { return state == AnchorState::kValid || state == AnchorState::kMissing; }

void Enter(AnchorKey& key, AnchorState state, WallTime now, Duration hold_down = {}) {
  key.state = state;
  key.since = now;
  key.until = now + hold_down;
}

AnchorKey* FindKey(TrustPoint& point, const std::string& rdata) {
  const auto at = std::find_if(point.keys.begin(), point.keys.end(),
                               [&](const AnchorKey& k) { return k.rdata == rdata; });
  return at == point.keys.end() ? nullptr : &*at;
}

std::string FingerprintOf(const std::vector<dns::TextRecord>& anchors, dns::DnssecCrypto& crypto) {
  std::vector<std::string> all;
  for (const auto& a : anchors) all.push_back(std::to_string(static_cast<uint16_t>(a.type)) + " " + a.rdata);
  std::sort(all.begin(), all.end());
  std::string bytes;
  for (const std::string& one : all) bytes += std::to_string(one.size()) + " " + one;
  constexpr uint8_t kSha256 = 2;
  const auto digest = crypto.DsDigest(kSha256, dns::Name(), AsBytes(bytes));
  constexpr char kHex[] = "0123456789abcdef";
  std::string text;
  for (const uint8_t b : digest->view()) {
    text.push_back(kHex[b >> 4]);
    text.push_back(kHex[b & 15]);
  }
  return text;
}

}  // namespace

const char* ToString(AnchorState state) {
  switch (state) {
    case AnchorState::kAddPend:
      return "pending";
    case AnchorState::kValid:
      return "valid";
    case AnchorState::kMissing:
      return "missing";
    case AnchorState::kRevoked:
      return "revoked";
    case AnchorState::kRemoved:
      return "removed";
  }
  return "";
}

AnchorRollover::AnchorRollover(std::function<void()> on_change) : on_change_(std::move(on_change)) {
  crypto_.emplace();
}

void AnchorRollover::Restore(std::vector<TrustPoint> points) {
  const std::lock_guard lock(mutex_);
  restored_ = std::move(points);
}

void AnchorRollover::Configure(const Settings& settings) {
  const std::lock_guard lock(mutex_);
  crypto_.emplace(settings.min_rsa_bits);
  policy_ = PolicyOf(settings);
  std::vector<TrustPoint> known = std::exchange(restored_, {});
  for (Point& p : std::exchange(points_, {})) known.push_back(std::move(p.state));
  for (const dns::TextRecord& anchor : settings.trust_anchors) {
    Point* point = Find(anchor.owner);
    if (point == nullptr) {
      points_.emplace_back();
      point = &points_.back();
      point->state.zone = anchor.owner;
    }
    point->configured.push_back(anchor);
  }
  for (Point& point : points_) {
    const std::string fingerprint = FingerprintOf(point.configured, *crypto_);
    // The newest word counts, so from the back.
    const auto old = std::find_if(known.rbegin(), known.rend(),
                                  [&](const TrustPoint& k) { return k.zone == point.state.zone; });
    if (old != known.rend()) point.state = std::move(*old);
    if (old != known.rend() && point.state.configured != fingerprint) {
      std::erase_if(point.state.keys, [](const AnchorKey& k) {
        return k.state != AnchorState::kRevoked && k.state != AnchorState::kRemoved;
      });
      point.state.checked = point.state.next_at = {};
    }
    point.state.configured = fingerprint;
  }
}

std::vector<TrustPoint> AnchorRollover::Points() const {
  const std::lock_guard lock(mutex_);
  std::vector<TrustPoint> out;
  for (const Point& p : points_) out.push_back(p.state);
  return out;
}

bool AnchorRollover::Vouches(const dns::TextRecord& anchor, dns::NameView zone,
                             const std::string& key) const {
  if (anchor.type == RRType::kDNSKEY) return anchor.rdata == key;
  const auto ds = dns::ReadDs(AsBytes(anchor.rdata));
  if (!ds || ds->key_tag != dns::KeyTag(AsBytes(key)) || !policy_.AllowsDigest(ds->digest_type)) return false;
  const auto digest = crypto_->DsDigest(ds->digest_type, zone, AsBytes(key));
  return digest && std::ranges::equal(digest->view(), ds->digest);
}

bool AnchorRollover::IsConfigured(const Point& point, const std::string& key) const {
  return std::any_of(point.configured.begin(), point.configured.end(),
                     [&](const auto& anchor) { return Vouches(anchor, point.state.zone, key); });
}

std::vector<dns::TextRecord> AnchorRollover::AnchorsOf(const Point& point) const {
  std::vector<dns::TextRecord> out;
  for (const AnchorKey& key : point.state.keys) {
    if (!IsTrusted(key.state)) continue;
    out.push_back({.owner = point.state.zone, .type = RRType::kDNSKEY, .rdata = key.rdata});
  }
  for (const dns::TextRecord& anchor : point.configured) {
    const bool known =
        std::any_of(point.state.keys.begin(), point.state.keys.end(), [&](const AnchorKey& key) {
          return key.state != AnchorState::kAddPend && Vouches(anchor, point.state.zone, key.rdata);
        });
    if (!known) out.push_back(anchor);
  }
  return out;
}

std::vector<dns::TextRecord> AnchorRollover::Anchors() const {
  const std::lock_guard lock(mutex_);
  std::vector<dns::TextRecord> out;
  for (const Point& point : points_) {
    for (dns::TextRecord& anchor : AnchorsOf(point)) out.push_back(std::move(anchor));
  }
  return out;
}

AnchorRollover::Point* AnchorRollover::Find(dns::NameView zone) {
  const auto at = std::find_if(points_.begin(), points_.end(),
                               [&](const Point& p) { return p.state.zone.view() == zone; });
  return at == points_.end() ? nullptr : &*at;
}

std::optional<dns::Name> AnchorRollover::Due(WallTime now) {
  const std::lock_guard lock(mutex_);
  for (Point& point : points_) {
    // A clock that was set back must not put the next question off for longer than any interval.
    if (point.asking || (point.state.next_at > now && point.state.next_at <= now + kLongest)) continue;
    point.asking = true;
    return point.state.zone;
  }
  return std::nullopt;
}

std::optional<WallTime> AnchorRollover::NextDue() const {
  const std::lock_guard lock(mutex_);
  std::optional<WallTime> next;
  for (const Point& point : points_) {
    if (point.asking) continue;
    next = next ? std::min(*next, point.state.next_at) : point.state.next_at;
  }
  return next;
}

void AnchorRollover::Fail(const dns::Name& zone, std::string problem, WallTime now) {
  {
    const std::lock_guard lock(mutex_);
    Point* point = Find(zone);
    if (point == nullptr) return;
    point->asking = false;
    point->state.next_at = now + point->retry;
    if (!problem.empty()) {
      point->state.bogus = false;
      point->state.problem = std::move(problem);
    }
  }
  if (on_change_) on_change_();
}

bool AnchorRollover::Observe(const dns::Name& zone, const dns::RRset& dnskeys, WallTime now) {
  bool verified = false;
  {
    const std::lock_guard lock(mutex_);
    Point* point = Find(zone);
    if (point == nullptr) return true;
    Budget budget{MonoTime{}};
    Check check{*crypto_, budget, policy_, UnixSeconds(now)};
    TakeRevocations(*point, dnskeys, check, now);
    verified = Verify(*point, dnskeys, check);
    point->state.bogus = !verified;
    if (verified) {
      TakeKeys(*point, dnskeys, now);
      SetIntervals(*point, dnskeys, now);
      point->asking = false;
      point->state.checked = now;
      point->state.problem.clear();
    }
  }
  if (on_change_) on_change_();
  return verified;
}

// Section 2.1: a key that signs its own revocation is revoked, whoever else signs or does not.
void AnchorRollover::TakeRevocations(Point& point, const dns::RRset& dnskeys, Check& check, WallTime now) {
  size_t looked_at = 0;
  for (const auto rdata : dnskeys.rdata) {
    if (++looked_at > kKeysPerZone) return;
    const auto view = dns::ReadDnskey(rdata);
    if (!view || !IsRevoked(rdata) || rdata.size() > kMaxKeyRdata) continue;
    const std::string key = WithoutRevoke(rdata);
    AnchorKey* known = FindKey(point.state, key);
    const bool matters = known != nullptr ? IsTrusted(known->state) || known->state == AnchorState::kAddPend
                                          : IsConfigured(point, key);
    if (!matters) continue;
    const ZoneKeys itself{point.state.zone, {{view->key_tag, view->algorithm, std::string(AsText(rdata))}}};
    if (!VerifyRRset(dnskeys, itself, check).valid) continue;
    if (known == nullptr) {
      point.state.keys.push_back({.rdata = key});
      known = &point.state.keys.back();
    }
    Enter(*known, AnchorState::kRevoked, now, kHoldDown);
  }
}

bool AnchorRollover::Verify(Point& point, const dns::RRset& dnskeys, Check& check) const {
  EntryPoints points;
  points.zone = point.state.zone;
  for (const dns::TextRecord& anchor : AnchorsOf(point)) {
    (anchor.type == RRType::kDS ? points.ds : points.dnskeys).Add(AsBytes(anchor.rdata));
  }
  dns::ExtendedError why;
  const EntryPoints usable = UsableEntryPoints(points, policy_, &why);
  if (usable.ds.empty() && usable.dnskeys.empty()) {
    point.state.problem = "no anchor is left";
    return false;
  }
  const KeysVerdict verdict = VerifyZoneKeys(usable, dnskeys, check);
  if (!verdict.valid) point.state.problem = verdict.why.text;
  return verdict.valid;
}

// Section 4.1, with the keys of an RRset that was verified.
void AnchorRollover::TakeKeys(Point& point, const dns::RRset& dnskeys, WallTime now) {
  uint32_t ttl = 0;
  for (const auto rdata : dnskeys.signatures) {
    if (const auto sig = dns::ReadRrsig(rdata)) ttl = std::max(ttl, dns::MeantTtl(sig->original_ttl));
  }
  const Duration hold_down = std::max<Duration>(kHoldDown, seconds(ttl));
  std::vector<std::string> seen;
  size_t looked_at = 0;
  for (const auto rdata : dnskeys.rdata) {
    if (++looked_at > kKeysPerZone) break;
    const auto view = dns::ReadDnskey(rdata);
    const bool usable = view && !view->is_revoked() && view->is_zone_key() && view->protocol == 3 &&
                        policy_.AllowsAlgorithm(view->algorithm) && rdata.size() <= kMaxKeyRdata;
    if (!usable) continue;
    seen.emplace_back(AsText(rdata));
    TakeKey(point, seen.back(), view->is_sep(), hold_down, now);
  }
  const auto is_there = [&](const AnchorKey& k) {
    return std::find(seen.begin(), seen.end(), k.rdata) != seen.end();
  };
  std::erase_if(point.state.keys,
                [&](const AnchorKey& k) { return k.state == AnchorState::kAddPend && !is_there(k); });
  for (AnchorKey& key : point.state.keys) {
    if (key.state == AnchorState::kValid && !is_there(key)) Enter(key, AnchorState::kMissing, now);
    if (key.state == AnchorState::kRevoked && key.until <= now) Enter(key, AnchorState::kRemoved, now);
  }
}

void AnchorRollover::TakeKey(Point& point, const std::string& rdata, bool is_sep, Duration hold_down,
                             WallTime now) {
  AnchorKey* known = FindKey(point.state, rdata);
  const bool configured = IsConfigured(point, rdata);
  if (known == nullptr) {
    if (!configured && !is_sep) return;
    if (point.state.keys.size() >= kKeysPerPoint) {
      // What was removed longest ago makes room; nobody else does.
      auto& keys = point.state.keys;
      const auto oldest = std::min_element(keys.begin(), keys.end(), [](const auto& a, const auto& b) {
        return std::pair(a.state != AnchorState::kRemoved, a.since) <
               std::pair(b.state != AnchorState::kRemoved, b.since);
      });
      if (oldest->state != AnchorState::kRemoved) return;
      keys.erase(oldest);
    }
    point.state.keys.push_back({.rdata = rdata});
    known = &point.state.keys.back();
    Enter(*known, configured ? AnchorState::kValid : AnchorState::kAddPend, now,
          configured ? Duration{} : hold_down);
    return;
  }
  const bool held = known->state == AnchorState::kAddPend && (configured || known->until <= now);
  if (held || known->state == AnchorState::kMissing) Enter(*known, AnchorState::kValid, now);
}

// Section 2.3: half the TTL or half the signatures' life, within bounds; a tenth after a failure.
void AnchorRollover::SetIntervals(Point& point, const dns::RRset& dnskeys, WallTime now) {
  Duration least = 2 * kLongest;
  for (const auto rdata : dnskeys.signatures) {
    const auto sig = dns::ReadRrsig(rdata);
    if (!sig || sig->covered != RRType::kDNSKEY) continue;
    const auto left = static_cast<int32_t>(sig->expiration - static_cast<uint32_t>(UnixSeconds(now)));
    least =
        std::min<Duration>({least, seconds(dns::MeantTtl(sig->original_ttl)), seconds(std::max(left, 0))});
  }
  point.state.next_at = now + std::clamp<Duration>(least / 2, kShortest, kLongest);
  point.retry = std::clamp<Duration>(least / 10, kShortest, kLongestRetry);
}

}  // namespace sekisho::resolver::dnssec
