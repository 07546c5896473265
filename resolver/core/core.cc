#include "resolver/core/core.h"

#include <algorithm>
#include <deque>
#include <map>
#include <utility>

#include "blocklist/trie/policy_snapshot.h"
#include "resolver/core/admission/reply_pacer.h"
#include "resolver/core/limits.h"
#include "resolver/core/pipeline.h"
#include "resolver/core/resolutions.h"

namespace sekisho::resolver {

class Core::Impl {
 public:
  explicit Impl(const CoreDeps& deps)
      : settings_(*deps.settings),
        policy_(*deps.policy),
        zones_(deps.zones != nullptr ? *deps.zones : NoZones()),
        resolutions_(deps.cache, deps.rng, &counters_, deps.rollover),
        packets_(*deps.rng),
        rates_(*deps.rng),
        uncached_rates_(*deps.rng),
        pacer_(KeyedHash(*deps.rng)),
        cookie_secret_(deps.cookie_secret) {
    world_.packets = &packets_;
    world_.rates = &rates_;
    world_.uncached_rates = &uncached_rates_;
    world_.resolutions = &resolutions_;
    world_.counters = &counters_;
    world_.sink = deps.sink;
    world_.notify = deps.notify;
    world_.worker = deps.worker;
    Refresh();
  }

  Handled HandleQuestion(const ClientQuestion& in, Now now, std::vector<uint8_t>* reply) {
    Begin(now);
    world_.over_rate = false;
    reply->clear();
    const dns::ParseError error = message_.Parse(in.packet);
    if (error == dns::ParseError::kNone && Recall(in, message_, world_, now, reply)) return Handled::kReplied;
    Query query;
    query.reply = reply;
    const Next next = RunPipeline(query, world_, now, Parse(query, in, message_, error, world_, now));
    Settle(now);
    if (next == Next::kWait) return Handled::kPending;
    return reply->empty() || query.question.dropped ? Handled::kDropped : Handled::kReplied;
  }

  void Expect(std::span<const std::span<const uint8_t>> packets) { packets_.Expect(packets); }

  void HandleClientGone(uint64_t token, Now now) {
    Begin(now);
    resolutions_.Forget(token);
  }

  void HandleUpstreamReply(uint64_t ticket, std::span<const uint8_t> packet, Now now) {
    Begin(now);
    resolutions_.exchanges().OnReply(ticket, packet, now.mono);
    Settle(now);
  }

  void HandleUpstreamFailure(uint64_t ticket, UpstreamFailure failure, Now now) {
    Begin(now);
    resolutions_.exchanges().OnFailure(ticket, failure);
    Settle(now);
  }

  void HandleTimer(Now now) {
    Begin(now);
    resolutions_.OnTime(now.mono);
    Settle(now);
  }

  std::optional<PendingReply> PollReply() {
    if (replies_.empty()) return std::nullopt;
    PendingReply r = std::move(replies_.front());
    replies_.pop_front();
    return r;
  }

  Exchanges& exchanges() { return resolutions_.exchanges(); }
  std::optional<MonoTime> NextDeadline() const {
    const auto next = resolutions_.NextDeadline();
    if (paced_.empty()) return next;
    return next ? std::min(*next, paced_.begin()->first) : paced_.begin()->first;
  }
  const Counters& counters() const { return counters_; }

 private:
  static const Published<const rpz::Zones>& NoZones() {
    static const Published<const rpz::Zones> kNone;
    return kNone;
  }

  // Every event sees the newest settings and policy.
  void Refresh() {
    const Settings* settings = settings_.Get();
    const rpz::Zones* zones = zones_.Get();
    if (settings != world_.settings || zones != bound_zones_) {
      bound_zones_ = zones;
      BindZones(*settings);
      ++world_.epoch;
    }
    if (settings != world_.settings) {
      world_.settings = settings;
      ++world_.epoch;
      world_.cookies.reset();
      if (settings->cookies.answer) world_.cookies.emplace(settings->cookies.secrets, cookie_secret_);
      resolutions_.Configure(settings_.Held());
    }
    if (policy_.Get() != world_.policy.get()) {
      world_.policy = policy_.Held();
      ++world_.epoch;
    }
  }

  void BindZones(const Settings& settings) {
    static const rpz::Zones kNone;
    world_.zone_lists.clear();
    for (const auto& configs : settings.group_zones)
      world_.zone_lists.push_back(rpz::Bind(configs, bound_zones_ != nullptr ? *bound_zones_ : kNone));
  }

  void Begin(Now now) {
    resolutions_.SetNow(now);
    Refresh();
  }

  // Lets waiting Resolutions run and takes the ended ones through the rest of the pipeline.
  void Settle(Now now) {
    bool again = true;
    while (std::exchange(again, false)) {
      resolutions_.Run();
      resolutions_.EndOverdue(now.mono);
      while (auto question = resolutions_.PollDone()) {
        // Policy may have sent it on to another name, and that may be known at once.
        if (!Finish(*std::move(question), now)) again = true;
      }
    }
    while (!paced_.empty() && paced_.begin()->first <= now.mono) {
      replies_.push_back(std::move(paced_.extract(paced_.begin()).mapped()));
    }
  }

  // Takes a question that has its answer through the rest of the pipeline; false: it waits again.
  bool Finish(Question question, Now now) {
    Query query;
    query.question = std::move(question);
    PendingReply out;
    out.token = query.question.token;
    query.reply = &out.packet;
    const bool gone = query.question.dropped;
    if (RunPipeline(query, world_, now, Next::kInspect) == Next::kWait) return false;
    out.drop = query.question.dropped;
    if (gone) return true;
    const MonoTime when = LeavesAt(query.question, now);
    if (when > now.mono) {
      counters_.paced_replies.Add();
      paced_.emplace(when, std::move(out));
    } else {
      replies_.push_back(std::move(out));
    }
    return true;
  }

  MonoTime LeavesAt(const Question& q, Now now) {
    if (q.dropped || q.verified() || now.mono - q.arrived.mono <= limits::kPaceAfter) return now.mono;
    return pacer_.When(q.client.address, now.mono);
  }

  Published<const Settings>::Reader settings_;
  Published<const blocklist::PolicySnapshot>::Reader policy_;
  Published<const rpz::Zones>::Reader zones_;
  const rpz::Zones* bound_zones_ = nullptr;
  Counters counters_;
  Resolutions resolutions_;
  PacketCache packets_;
  ClientRates rates_;
  ClientRates uncached_rates_;
  ReplyPacer pacer_;
  std::multimap<MonoTime, PendingReply> paced_;
  CookieSecret cookie_secret_;
  World world_;
  dns::ParsedMessage message_;
  std::deque<PendingReply> replies_;
};

Core::Core(const CoreDeps& deps) : impl_(std::make_unique<Impl>(deps)) {}
Core::~Core() = default;

Handled Core::HandleQuestion(const ClientQuestion& question, Now now, std::vector<uint8_t>* reply) {
  return impl_->HandleQuestion(question, now, reply);
}
void Core::Expect(std::span<const std::span<const uint8_t>> packets) { impl_->Expect(packets); }
void Core::HandleClientGone(uint64_t token, Now now) { impl_->HandleClientGone(token, now); }
void Core::HandleUpstreamReply(uint64_t ticket, std::span<const uint8_t> packet, Now now) {
  impl_->HandleUpstreamReply(ticket, packet, now);
}
void Core::HandleUpstreamFailure(uint64_t ticket, UpstreamFailure failure, Now now) {
  impl_->HandleUpstreamFailure(ticket, failure, now);
}
void Core::HandleTimer(Now now) { impl_->HandleTimer(now); }
std::optional<OutboundQuery> Core::PollSend() { return impl_->exchanges().PollSend(); }
std::optional<uint64_t> Core::PollCancel() { return impl_->exchanges().PollCancel(); }
std::optional<PendingReply> Core::PollReply() { return impl_->PollReply(); }
std::optional<MonoTime> Core::NextDeadline() const { return impl_->NextDeadline(); }
const Counters& Core::counters() const { return impl_->counters(); }

}  // namespace sekisho::resolver
