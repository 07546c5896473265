#include "tests/replay/harness.h"

#include <algorithm>
#include <cstdio>

#include "proto/base/bytes.h"
#include "proto/dns/presentation.h"
#include "proto/record/lookup_event.h"

namespace sekisho::replay {
namespace {

constexpr size_t kMaxTrace = 600;
// 2026-01-01T00:00:00Z, when the monotonic clock shows 1000 s.
constexpr int64_t kEpoch = 1767225600;

void DescribeSection(const dns::ParsedMessage& m, dns::Section section, std::string* out) {
  size_t shown = 0;
  const auto records = m.records(section);
  for (const auto& r : records) {
    if (shown++ == 4) {
      *out += " … " + std::to_string(records.size()) + " in all";
      break;
    }
    std::string rdata;
    m.AppendRdata(r, &rdata);
    *out += (shown == 1 ? " | " : "; ") + m.Owner(r).ToString() + " " + std::to_string(r.ttl) + " " +
            ToString(r.type) + " " + dns::RdataToText(r.type, AsBytes(rdata));
  }
}

}  // namespace

void SeededRng::Fill(std::span<uint8_t> out) {
  for (uint8_t& b : out) {
    state_ ^= state_ >> 12;
    state_ ^= state_ << 25;
    state_ ^= state_ >> 27;
    b = static_cast<uint8_t>(state_ * 0x2545f4914f6cdd1d >> 56);
  }
}

bool RecordLog::Write(const record::LookupEvent& e) {
  record::LookupRecord r;
  r.worker = e.worker;
  r.sequence = e.sequence;
  r.time = e.time;
  r.latency_us = e.latency_us;
  r.agency = e.agency;
  r.client = e.client;
  r.transport = e.transport;
  r.qname = dns::Name(e.qname);
  r.qtype = e.qtype;
  r.qclass = e.qclass;
  r.flags = e.flags;
  r.rcode = e.rcode;
  r.ede = e.ede;
  r.response_size = e.response_size;
  r.origin = e.origin;
  r.security = e.security;
  for (const auto& a : e.answers) r.answers.push_back({a.type, std::string(AsText(a.rdata))});
  r.answers_cut = e.answers_cut;
  r.action = e.action;
  r.trigger = e.trigger;
  r.trigger_name = dns::Name(e.trigger_name);
  r.rule_labels = e.rule_labels;
  r.rule_subtree = e.rule_subtree;
  r.feeds = e.feeds;
  r.category = e.category;
  r.generation = e.generation;
  records_.push_back(std::move(r));
  return true;
}

std::string Describe(std::span<const uint8_t> packet) {
  dns::ParsedMessage m;
  const dns::ParseError error = m.Parse(packet);
  if (error == dns::ParseError::kTooShort) return std::to_string(packet.size()) + " bytes, no message";
  const dns::Header& h = m.header();
  std::string out = "id " + std::to_string(h.id);
  for (const auto& [on, name] :
       {std::pair(h.qr, " qr"), std::pair(h.aa, " aa"), std::pair(h.tc, " tc"), std::pair(h.rd, " rd"),
        std::pair(h.ra, " ra"), std::pair(h.ad, " ad"), std::pair(h.cd, " cd")}) {
    if (on) out += name;
  }
  if (h.qr) out += " " + ToString(m.rcode());
  if (m.has_question()) out += " " + m.qname().ToString() + " " + ToString(m.qtype());
  if (error != dns::ParseError::kNone) out += " (malformed)";
  DescribeSection(m, dns::Section::kAnswer, &out);
  DescribeSection(m, dns::Section::kAuthority, &out);
  DescribeSection(m, dns::Section::kAdditional, &out);
  if (m.edns()) {
    for (const auto& e : dns::ExtendedErrors(*m.edns()))
      out += " | EDE " + std::to_string(static_cast<int>(e.code)) + " " + e.text;
  }
  return out;
}

CoreHarness::CoreHarness(uint64_t seed, Network* network, bool trace, size_t cache_bytes,
                         resolver::dnssec::AnchorRollover* rollover)
    : network_(network), tracing_(trace), rng_(seed), cache_(cache_bytes, 4, rng_) {
  settings_.Publish(std::make_shared<const resolver::Settings>());
  resolver::CoreDeps deps;
  deps.settings = &settings_;
  deps.policy = &policy_;
  deps.zones = &zones_;
  deps.cache = &cache_;
  deps.rng = &rng_;
  deps.sink = &log_;
  deps.notify = &notified_;
  deps.worker = 3;
  deps.rollover = rollover;
  core_ = std::make_unique<resolver::Core>(deps);
}

Now CoreHarness::Clock() const {
  const auto since = now_ - MonoTime(std::chrono::seconds(1000));
  return {now_, WallTime(std::chrono::seconds(kEpoch)) + since};
}

void CoreHarness::Note(const std::string& line) {
  if (!tracing_ || trace_.size() > kMaxTrace) return;
  char time[32];
  std::snprintf(time, sizeof(time), "%9.3f ",
                static_cast<double>(Clock().mono.time_since_epoch().count()) / 1e6 - 1000);
  trace_.push_back(trace_.size() == kMaxTrace ? "… (cut)" : time + line);
}

size_t CoreHarness::Ask(std::span<const uint8_t> packet, Endpoint client, record::Transport transport) {
  const size_t number = asked_.size();
  asked_.push_back(
      Asked{.client = client, .at = now_, .ended = std::nullopt, .dropped = false, .ends = 0, .reply = {}});
  if (tracing_) Note("ask " + client.ToString() + ": " + Describe(packet));
  resolver::ClientQuestion q;
  q.packet = packet;
  q.client = client;
  q.transport = transport;
  q.token = number + 1;
  std::vector<uint8_t> reply;
  switch (core_->HandleQuestion(q, Clock(), &reply)) {
    case resolver::Handled::kReplied:
      End(number, false, std::move(reply));
      break;
    case resolver::Handled::kDropped:
      End(number, true, {});
      break;
    case resolver::Handled::kPending:
      break;
  }
  Drain();
  return number;
}

void CoreHarness::Leave(size_t question) {
  core_->HandleClientGone(question + 1, Clock());
  Drain();
}

void CoreHarness::End(size_t question, bool dropped, std::vector<uint8_t> reply) {
  Asked& a = asked_[question];
  ++a.ends;
  a.ended = now_;
  a.dropped = dropped;
  a.reply = std::move(reply);
  if (tracing_) Note("answer " + a.client.ToString() + ": " + (dropped ? "(none)" : Describe(a.reply)));
}

void CoreHarness::Drain() {
  while (auto out = core_->PollSend()) {
    UpstreamQuery seen{now_, out->server, out->tcp, out->packet, {}, dns::RRType::kNone};
    dns::ParsedMessage m;
    if (m.Parse(seen.packet) == dns::ParseError::kNone) {
      seen.qname = dns::Name(m.qname());
      seen.qtype = m.qtype();
    }
    if (tracing_)
      Note("  -> " + out->server.ToString() + (out->tcp ? " tcp: " : ": ") + Describe(out->packet));
    open_.insert(out->ticket);
    for (Delivery& d : network_->OnQuery(*out))
      events_.emplace(std::pair(now_ + d.after, ++event_number_), Event{out->ticket, std::move(d)});
    upstream_.push_back(std::move(seen));
  }
  while (auto ticket = core_->PollCancel()) open_.erase(*ticket);
  while (auto reply = core_->PollReply()) End(reply->token - 1, reply->drop, std::move(reply->packet));
}

std::optional<MonoTime> CoreHarness::NextEvent() const {
  std::optional<MonoTime> next = core_->NextDeadline();
  if (!events_.empty() && (!next || events_.begin()->first.first <= *next))
    next = events_.begin()->first.first;
  return next;
}

// The next thing that happens: a delivery before a timer of the same instant.
void CoreHarness::Step() {
  if (++steps_ > kMaxEvents) runaway_ = true;
  const auto deadline = core_->NextDeadline();
  if (!events_.empty() && (!deadline || events_.begin()->first.first <= *deadline)) {
    auto node = events_.extract(events_.begin());
    now_ = std::max(now_, node.key().first);
    Event& e = node.mapped();
    // A closed socket hears nothing.
    if (!open_.contains(e.ticket)) return;
    if (e.delivery.failure) {
      Note("  <- network failure");
      core_->HandleUpstreamFailure(e.ticket, *e.delivery.failure, Clock());
    } else {
      if (tracing_) Note("  <- " + Describe(e.delivery.packet));
      core_->HandleUpstreamReply(e.ticket, e.delivery.packet, Clock());
    }
  } else {
    now_ = std::max(now_, *deadline);
    core_->HandleTimer(Clock());
  }
  Drain();
}

void CoreHarness::RunUntil(MonoTime end) {
  for (auto next = NextEvent(); next && *next <= end && !runaway_; next = NextEvent()) Step();
  now_ = std::max(now_, end);
}

bool CoreHarness::RunUntilAnswered(size_t question, Duration limit) {
  const MonoTime end = now_ + limit;
  while (!asked_[question].ended) {
    const auto next = NextEvent();
    if (!next || *next > end || runaway_) return false;
    Step();
  }
  return true;
}

bool CoreHarness::RunUntilIdle(Duration limit) {
  const MonoTime end = now_ + limit;
  for (auto next = NextEvent(); next; next = NextEvent()) {
    if (*next > end || runaway_) return false;
    Step();
  }
  return true;
}

}  // namespace sekisho::replay
