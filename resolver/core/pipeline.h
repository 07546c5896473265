// The way of a query, one stage after the other:
//
//   bytes ─Parse→ ─Admit→ ─Screen→ ─Lookup→ ─Resolve→ ─Inspect→ ─Respond→ ─Record
//
// Each stage is a free function that says which one comes next; a stage may jump forward to Respond. One jump
// leads back: an alias that policy made goes through Screen again under its target's name, on what is left of
// the same Budget and within the bound on chains (enforce.h). Resolve is the only one that waits: it hands
// the Question over and the pipeline goes on from Inspect when the Resolution is done. Caches hold only what
// the DNS said; policy acts on the way in (Screen) and on the way out (Inspect), so that a change of the
// lists needs no flush.
//
// Threads: one worker. Standards: at each stage.
#ifndef SEKISHO_RESOLVER_CORE_PIPELINE_H_
#define SEKISHO_RESOLVER_CORE_PIPELINE_H_

#include <cstdint>
#include <memory>
#include <optional>
#include <vector>

#include "proto/dns/message.h"
#include "resolver/core/admission/client_rates.h"
#include "resolver/core/admission/server_cookies.h"
#include "resolver/core/core.h"
#include "resolver/core/packet_cache.h"
#include "resolver/core/question.h"

namespace sekisho::resolver {

class Resolutions;

enum class Next : uint8_t { kAdmit, kScreen, kLookup, kResolve, kInspect, kRespond, kRecord, kDone, kWait };

// So many refusals a second and no more.
class RefusalLimit {
 public:
  bool Take(MonoTime now) {
    if (now - since_ >= std::chrono::seconds(1)) {
      since_ = now;
      left_ = kPerSecond;
    }
    return left_ > 0 && left_-- > 0;
  }

 private:
  static constexpr int kPerSecond = 50;
  MonoTime since_{};
  int left_ = kPerSecond;
};

// What the stages may use; everything of a worker, in one bundle.
struct World {
  const Settings* settings = nullptr;
  std::shared_ptr<const blocklist::PolicySnapshot> policy;  // null: none loaded
  std::vector<rpz::ZoneList> zone_lists;                    // response policy zones by policy group
  Resolutions* resolutions = nullptr;
  Counters* counters = nullptr;
  RecordSink* sink = nullptr;
  NotifySink* notify = nullptr;
  uint16_t worker = 0;
  RefusalLimit refusals;
  ClientRates* rates = nullptr;           // of all questions over UDP
  ClientRates* uncached_rates = nullptr;  // of those that the cache did not answer
  bool over_rate = false;                 // the question in hand
  uint64_t over_rate_count = 0;
  std::optional<ServerCookies> cookies;  // none: they are switched off
  PacketCache* packets = nullptr;
  PacketCache::Epoch epoch = 0;  // counts changes of settings and policy
};

// A question with the bytes it came in and those that go out.
struct Query {
  Question question;
  std::vector<uint8_t>* reply = nullptr;
};

// RFC 1035 section 4, RFC 6891, RFC 9619: FORMERR, NOTIMP and BADVERS are decided here and nowhere else.
Next Parse(Query& query, const ClientQuestion& in, const dns::ParsedMessage& message, dns::ParseError error,
           World& world, Now now);
// Whose client is it, and may it ask?
Next Admit(Query& query, World& world, Now now);
// Policy on the name sought; questions that never leave the house.
Next Screen(Query& query, World& world, Now now);
// The cache.
Next Lookup(Query& query, World& world, Now now);
// Joins or starts a Resolution.
Next Resolve(Query& query, World& world, Now now);
// Policy on what the DNS said.
Next Inspect(Query& query, World& world, Now now);
Next Respond(Query& query, World& world, Now now);
// The lookup record; also for those that are dropped.
Next Record(Query& query, World& world, Now now);

// A question asked a moment ago, answered from whole packets: true when it was, and is recorded.
bool Recall(const ClientQuestion& in, const dns::ParsedMessage& message, World& world, Now now,
            std::vector<uint8_t>* reply);

// Runs the stages from `next` until kDone (reply ready or dropped) or kWait.
Next RunPipeline(Query& query, World& world, Now now, Next next);

}  // namespace sekisho::resolver

#endif  // SEKISHO_RESOLVER_CORE_PIPELINE_H_
