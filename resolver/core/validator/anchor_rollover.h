// AnchorRollover: the trust anchors of each anchored zone as that zone itself changes them, RFC 5011.
//
//   rollover.Configure(settings);                       // where trust begins
//   if (auto zone = rollover.Due(now)) …ask its DNSKEY… rollover.Observe(*zone, dnskeys, now)
//   rollover.Anchors()                                  // what is to be trusted now, beside or instead of
//   them
//
// A new key that the zone's trusted keys sign becomes an anchor when it has stood for 30 days; a key that
// revokes itself is none from that moment. What is configured and not yet seen in the zone stays an anchor;
// configured anchors that change begin the point anew, and what was revoked stays so.
//
// Threads: any; one lock. Limits: kKeysPerPoint keys of a zone; Budget of its own for each Observe.
// Standards: RFC 5011; RFC 6781 section 4.1.2 (what zones do).
#ifndef SEKISHO_RESOLVER_CORE_VALIDATOR_ANCHOR_ROLLOVER_H_
#define SEKISHO_RESOLVER_CORE_VALIDATOR_ANCHOR_ROLLOVER_H_

#include <chrono>
#include <cstdint>
#include <functional>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "proto/base/now.h"
#include "proto/dns/dnssec_crypto.h"
#include "proto/dns/name.h"
#include "proto/dns/presentation.h"
#include "proto/dns/rrset.h"
#include "resolver/core/settings.h"
#include "resolver/core/validator/policy.h"
#include "resolver/core/validator/signature.h"

namespace sekisho::resolver::dnssec {

// RFC 5011 section 2.4.1 and 2.4.2: how long a key waits before it is trusted, and before it is forgotten.
inline constexpr Duration kHoldDown = std::chrono::hours(30 * 24);
inline constexpr size_t kKeysPerPoint = 16;

// The states of RFC 5011 section 4; a key in Start is not there at all.
enum class AnchorState : uint8_t { kAddPend, kValid, kMissing, kRevoked, kRemoved };
const char* ToString(AnchorState state);

struct AnchorKey {
  std::string rdata;  // DNSKEY, without the REVOKE bit
  AnchorState state = AnchorState::kAddPend;
  WallTime since{};  // in this state
  WallTime until{};  // kAddPend, kRevoked: the end of the hold-down
};

struct TrustPoint {
  dns::Name zone;
  std::string configured;  // fingerprint of the anchors that it began with
  std::vector<AnchorKey> keys;
  WallTime checked{};   // when the zone's keys were last verified; the epoch: never yet
  WallTime next_at{};   // when to ask again
  bool bogus = false;   // the last reply did not verify
  std::string problem;  // why the last question was in vain; empty: it was not
};

class AnchorRollover {
 public:
  // `on_change` is called without the lock, on the thread of the call that changed something.
  explicit AnchorRollover(std::function<void()> on_change = {});

  // What was kept of an earlier run; to be called before Configure.
  void Restore(std::vector<TrustPoint> points);
  void Configure(const Settings& settings);

  std::vector<TrustPoint> Points() const;
  std::vector<dns::TextRecord> Anchors() const;

  // A zone that is to be asked for its keys now. It is not due again before Observe or Fail.
  std::optional<dns::Name> Due(WallTime now);
  // When something will be due; nothing while a question is under way.
  std::optional<WallTime> NextDue() const;
  // What the zone says. False: it does not verify, so that another server may be asked.
  bool Observe(const dns::Name& zone, const dns::RRset& dnskeys, WallTime now);
  // No usable reply came; an empty problem: what Observe found wrong stands.
  void Fail(const dns::Name& zone, std::string problem, WallTime now);

 private:
  struct Point {
    TrustPoint state;
    std::vector<dns::TextRecord> configured;
    Duration retry = std::chrono::hours(1);
    bool asking = false;
  };

  Point* Find(dns::NameView zone);
  std::vector<dns::TextRecord> AnchorsOf(const Point& point) const;
  bool Vouches(const dns::TextRecord& anchor, dns::NameView zone, const std::string& key) const;
  bool IsConfigured(const Point& point, const std::string& key) const;
  void TakeRevocations(Point& point, const dns::RRset& dnskeys, Check& check, WallTime now);
  bool Verify(Point& point, const dns::RRset& dnskeys, Check& check) const;
  void TakeKeys(Point& point, const dns::RRset& dnskeys, WallTime now);
  void TakeKey(Point& point, const std::string& rdata, bool is_sep, Duration hold_down, WallTime now);
  void SetIntervals(Point& point, const dns::RRset& dnskeys, WallTime now);

  const std::function<void()> on_change_;
  mutable std::mutex mutex_;
  mutable std::optional<dns::DnssecCrypto> crypto_;
  Policy policy_;
  std::vector<TrustPoint> restored_;
  std::vector<Point> points_;
};

}  // namespace sekisho::resolver::dnssec

#endif  // SEKISHO_RESOLVER_CORE_VALIDATOR_ANCHOR_ROLLOVER_H_
