#include "resolver/server/status.h"

#include <algorithm>
#include <string>
#include <vector>

#include "proto/base/bytes.h"
#include "proto/base/time_text.h"
#include "proto/dns/dnssec_crypto.h"
#include "proto/dns/rdata.h"

namespace sekisho::resolver {
namespace {

// Longer than any interval between two questions (RFC 5011 section 2.3).
constexpr Duration kAnchorsUnchecked = std::chrono::hours(16 * 24);

class Items {
 public:
  explicit Items(control::StatusReply* reply) : reply_(reply) {}

  void Add(const char* name, std::string value, std::string alarm = "") {
    control::StatusItem* item = reply_->add_items();
    item->set_name(name);
    item->set_value(std::move(value));
    item->set_alarm(std::move(alarm));
  }
  void Add(const char* name, uint64_t value) { Add(name, std::to_string(value)); }

 private:
  control::StatusReply* reply_;
};

uint64_t Sum(const Server& server, Counter Counters::* counter) {
  uint64_t sum = 0;
  for (const auto& worker : server.workers()) sum += (worker->counters().*counter).value();
  return sum;
}

std::string Seconds(Duration d) {
  return std::to_string(std::chrono::floor<std::chrono::seconds>(d).count()) + " s";
}

// A trust point's keys as they stand: "20326 valid, 38696 pending until 2026-12-31T…".
std::string KeysOf(const dnssec::TrustPoint& point) {
  std::string text;
  for (const dnssec::AnchorKey& key : point.keys) {
    text += (text.empty() ? "" : ", ") + std::to_string(dns::KeyTag(AsBytes(key.rdata))) + " " +
            dnssec::ToString(key.state);
    if (key.state == dnssec::AnchorState::kAddPend)
      text += " until " + FormatTime(UnixMicros(key.until), TimeZone{}, 0);
  }
  return text.empty() ? "as configured" : text;
}

void AddAnchors(const Server& server, Now now, Items& items) {
  const AnchorKeeper::State state = server.anchor_state();
  items.Add("trust_anchors", server.live().trust_anchors_origin);
  if (!state.follows) {
    std::string keys;
    for (const auto& anchor : server.live().settings->trust_anchors) {
      const auto ds = dns::ReadDs(AsBytes(anchor.rdata));
      const uint16_t tag =
          anchor.type == dns::RRType::kDS && ds ? ds->key_tag : dns::KeyTag(AsBytes(anchor.rdata));
      keys +=
          (keys.empty() ? "" : "; ") + anchor.owner.ToString() + " " + std::to_string(tag) + " as configured";
    }
    items.Add("trust_anchor_keys", keys);
  }
  for (const dnssec::TrustPoint& point : state.points) {
    const bool never = point.checked == WallTime{};
    std::string text =
        point.zone.ToString() + " " + KeysOf(point) +
        (never ? "; not checked yet" : "; checked " + Seconds(now.wall - point.checked) + " ago");
    if (!point.problem.empty()) text += "; " + point.problem;
    const bool none =
        !point.keys.empty() && std::all_of(point.keys.begin(), point.keys.end(), [](const auto& k) {
          return k.state == dnssec::AnchorState::kRevoked || k.state == dnssec::AnchorState::kRemoved;
        });
    const bool old = !never && now.wall - point.checked > kAnchorsUnchecked;
    items.Add("trust_anchor_keys", text,
              none          ? "every key of this anchor was revoked"
              : point.bogus ? "no trusted key signs this zone's keys"
              : old         ? "the zone's keys could not be checked for long"
                            : "");
  }
  for (const std::string& warning : server.live().anchor_warnings) {
    items.Add("trust_anchor_state", warning, "a trust anchor is of no use");
  }
  if (!state.read_error.empty()) {
    items.Add("trust_anchor_state", state.read_error, "trust anchors began anew from the configuration");
  }
  if (!state.write_error.empty()) {
    items.Add("trust_anchor_state", state.write_error, "trust anchors cannot be kept");
  }
}

void AddPolicy(const Server& server, Now now, Items& items) {
  const PolicyWatch::State policy = server.policy_state();
  const bool active = policy.generation != 0;
  items.Add("filter_active", active ? "yes" : "no", active ? "" : "no snapshot: resolving unfiltered");
  items.Add("policy_generation", policy.generation);
  std::string workers;
  for (const auto& worker : server.workers()) {
    workers += (workers.empty() ? "" : " ") + std::to_string(worker->policy_generation());
  }
  items.Add("policy_generation_of_workers", workers);
  items.Add("policy_rules", policy.rules);
  if (active) items.Add("policy_loaded_ago", Seconds(now.wall - policy.loaded));
  if (!policy.error.empty()) items.Add("policy_error", policy.error, "the newest snapshot cannot be used");
}

void AddPolicyZones(const Server& server, Now now, Items& items) {
  for (const PolicyZoneFiles::State& zone : server.policy_zone_states()) {
    std::string text = std::to_string(zone.rules) + " rules";
    if (zone.serial) text += ", serial " + std::to_string(*zone.serial);
    text += ", " + std::to_string(zone.bytes) + " bytes, read " + Seconds(now.wall - zone.loaded) + " ago";
    std::string alarm;
    if (!zone.in_force) {
      text = "not in force";
      alarm = zone.error;
    } else if (!zone.error.empty()) {
      alarm = "an older version is in force: " + zone.error;
    } else if (zone.left_out != 0) {
      alarm = std::to_string(zone.left_out) + " records are no rules: " + zone.left_out_why;
    }
    items.Add(("policy_zone " + zone.name).c_str(), std::move(text), std::move(alarm));
  }
  for (const PolicyZoneTransfers::State& t : server.policy_zone_transfers()) {
    std::string text = t.serial ? "serial " + std::to_string(*t.serial) : "no serial yet";
    if (t.asked != WallTime{}) text += ", asked " + Seconds(now.wall - t.asked) + " ago";
    items.Add(("policy_zone_transfer " + t.name).c_str(), std::move(text), t.error);
  }
}

void AddQuestions(const Server& server, Items& items) {
  items.Add("questions", Sum(server, &Counters::questions));
  items.Add("answers_from_cache", Sum(server, &Counters::answers_from_cache));
  items.Add("answers_resolved", Sum(server, &Counters::answers_resolved));
  items.Add("answers_stale", Sum(server, &Counters::answers_stale));
  items.Add("blocked", Sum(server, &Counters::blocked));
  items.Add("servfail", Sum(server, &Counters::servfail));
  items.Add("format_errors", Sum(server, &Counters::format_errors));
  items.Add("refused_clients", Sum(server, &Counters::refused_clients));
  items.Add("dropped_packets", Sum(server, &Counters::dropped_packets));
  items.Add("questions_in_progress", Sum(server, &Counters::in_flight_questions));
  items.Add("tcp_connections", server.tcp_connections().total());
  items.Add("tcp_connections_refused", server.tcp_connections().refused());
  uint64_t udp_failures = 0;
  for (const auto& worker : server.workers()) udp_failures += worker->udp_failures();
  items.Add("udp_failures", udp_failures);
}

void AddUpstream(const Server& server, Items& items) {
  items.Add("refused_load", Sum(server, &Counters::refused_load));
  items.Add("rate_limited", Sum(server, &Counters::rate_limited));
  items.Add("paced_replies", Sum(server, &Counters::paced_replies));
  items.Add("upstream_udp", Sum(server, &Counters::upstream_udp));
  items.Add("upstream_tcp", Sum(server, &Counters::upstream_tcp));
  items.Add("upstream_in_progress", Sum(server, &Counters::in_flight_upstream));
  items.Add("upstream_timeouts", Sum(server, &Counters::upstream_timeouts));
  items.Add("upstream_mismatches", Sum(server, &Counters::upstream_mismatches));
  items.Add("upstream_malformed", Sum(server, &Counters::upstream_malformed));
  items.Add("validations_bogus", Sum(server, &Counters::validations_bogus));
}

void AddRecords(const Server& server, Items& items) {
  const record::SpoolerCounters& spool = server.spooler().counters();
  const std::string error = server.spooler().LastError();
  const uint64_t ring = Sum(server, &Counters::records_lost);
  const uint64_t dropped = spool.records_dropped.load(std::memory_order_relaxed);
  items.Add("records_written", spool.records_spooled.load(std::memory_order_relaxed));
  items.Add("records_lost_in_ring", std::to_string(ring),
            ring == 0 ? "" : "lookups were not recorded: rings were full");
  items.Add("records_lost_in_spool", std::to_string(dropped),
            dropped == 0 ? "" : "lookups were not recorded: the spool could not take them");
  items.Add("spool_blocks", spool.blocks_spooled.load(std::memory_order_relaxed));
  items.Add("spool_bytes_written", spool.bytes_spooled.load(std::memory_order_relaxed));
  if (!error.empty()) items.Add("spool_error", error, "the spool cannot be written now");
}

}  // namespace

control::StatusReply MakeStatus(const Server& server, Now now) {
  control::StatusReply reply;
  reply.set_daemon("resolverd");
  reply.set_version(SEKISHO_VERSION);
  Items items(&reply);
  items.Add("uptime", Seconds(now.mono - server.started().mono));
  items.Add("workers", server.workers().size());
  std::string listen;
  for (const Endpoint& e : server.config().listen) listen += (listen.empty() ? "" : " ") + e.ToString();
  items.Add("listen", listen);
  items.Add("agencies", server.live().settings->agencies.size());
  items.Add("root_hints", server.live().root_hints_origin);
  AddAnchors(server, now, items);
  AddPolicy(server, now, items);
  AddPolicyZones(server, now, items);
  AddQuestions(server, items);
  AddUpstream(server, items);
  const RrsetCache::Stats cache = server.cache_stats();
  items.Add("cache_entries", cache.entries);
  items.Add("cache_bytes", cache.bytes);
  items.Add("cache_max_bytes", cache.max_bytes);
  items.Add("cache_hits", cache.hits);
  items.Add("cache_misses", cache.misses);
  items.Add("cache_evictions", cache.evictions);
  AddRecords(server, items);
  return reply;
}

}  // namespace sekisho::resolver
