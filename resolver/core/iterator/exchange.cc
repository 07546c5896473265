#include "resolver/core/iterator/exchange.h"

#include <algorithm>
#include <array>
#include <cctype>

#include "proto/dns/builder.h"

namespace sekisho::resolver {
namespace {

constexpr size_t kMaxQuerySize = 512;

// 0x20: each letter's case is a coin (draft-vixie-dnsext-dns0x20, row P12).
dns::Name MixCase(dns::NameView name, Rng& rng) {
  std::array<uint8_t, dns::kMaxNameSize> wire{};
  std::array<uint8_t, 32> coins{};
  rng.Fill(coins);
  for (size_t i = 0; i < name.size(); ++i) {
    uint8_t c = name.data()[i];
    const bool letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
    if (letter) c = static_cast<uint8_t>((c & ~0x20) | ((coins[i / 8] >> (i % 8) & 1) << 5));
    wire[i] = c;
  }
  return dns::Name(dns::NameView::Trusted(wire.data(), name.size()));
}

// Names in the reply point into its question: lower case there keeps our coins out of caches, logs and
// answers.
void UndoMixedCase(dns::NameView sent, Reply* reply) {
  for (size_t i = 0; i < sent.size(); ++i) {
    reply->packet[dns::kHeaderSize + i] = dns::LowercaseByte(sent.data()[i]);
  }
  reply->message.Parse(reply->packet);
}

std::string ShareKey(const ExchangeRequest& r) {
  std::string key = dns::Name(r.zone).LowercaseBytes();
  key += dns::Name(r.qname).LowercaseBytes();
  const auto type = static_cast<uint16_t>(r.qtype);
  key.push_back(static_cast<char>(type >> 8));
  key.push_back(static_cast<char>(type));
  key.push_back(static_cast<char>((r.tcp ? 1 : 0) | (r.edns ? 2 : 0) | (r.rd ? 4 : 0)));
  return key;
}

std::vector<uint8_t> BuildQuery(const ExchangeRequest& r, dns::NameView name, uint16_t id) {
  std::array<uint8_t, kMaxQuerySize> buffer;
  dns::MessageBuilder builder(buffer, buffer.size());
  dns::Header header;
  header.id = id;
  header.rd = r.rd;
  header.cd = r.rd;  // a forwarder's own verdict would hide the data we judge ourselves
  builder.Begin(header);
  builder.AddQuestion(name, r.qtype, dns::RRClass::kIN);
  dns::EdnsOut edns;
  edns.udp_size = r.udp_size;
  edns.dnssec_ok = true;
  edns.cookie.assign(r.cookie.begin(), r.cookie.end());
  const auto wire = builder.Finish(dns::Rcode::kNoError, r.edns ? &edns : nullptr);
  return {wire.begin(), wire.end()};
}

}  // namespace

Exchanges::Wait::Wait(Exchanges* owner, Exchange* exchange, bool joined, MonoTime deadline)
    : owner_(owner), deadline_(deadline) {
  result_.joined = joined;
  if (exchange == nullptr) {
    result_.outcome = ExchangeOutcome::kNoSocket;
    return;
  }
  ticket_ = exchange->ticket;
  exchange->waits.push_back(this);
  // Who joined waits no longer than it would have waited for an exchange of its own.
  number_ = ++owner->wait_number_;
  if (deadline < exchange->deadline) owner->impatient_.emplace(std::pair(deadline, number_), this);
}

Exchanges::Wait::~Wait() { owner_->Leave(this); }

Exchanges::Wait Exchanges::Ask(const ExchangeRequest& request, MonoTime now) {
  std::string key = ShareKey(request);
  if (auto kept = kept_.extract(key); !kept.empty() && now <= kept.mapped().until) {
    return Wait(this, std::move(kept.mapped().result));
  }
  if (auto it = shared_.find(key); it != shared_.end()) {
    return Wait(this, exchanges_.at(it->second).get(), true, now + request.timeout);
  }
  return Wait(this, Start(request, std::move(key), now), false, now + request.timeout);
}

Exchanges::Exchange* Exchanges::Start(const ExchangeRequest& request, std::string share_key, MonoTime now) {
  if (exchanges_.size() >= kOutstanding) return nullptr;
  auto exchange = std::make_unique<Exchange>();
  exchange->ticket = next_ticket_++;
  exchange->id = rng_->Uint16();
  exchange->mixed_case = request.mix_case && !request.tcp;
  exchange->sent_name = exchange->mixed_case ? MixCase(request.qname, *rng_) : dns::Name(request.qname);
  exchange->qtype = request.qtype;
  exchange->server = request.server;
  exchange->tcp = request.tcp;
  exchange->silent = request.wait_only;
  if (request.cookie.size() >= kOwnCookieSize && request.edns) {
    exchange->own_cookie.assign(request.cookie.begin(), request.cookie.begin() + kOwnCookieSize);
    exchange->server_cookie_known = request.cookie.size() > kOwnCookieSize;
  }
  exchange->sent = now;
  exchange->deadline = now + request.timeout;
  if (!request.tcp && !request.wait_only) exchange->linger_until = now + request.linger;
  exchange->share_key = std::move(share_key);

  if (!request.wait_only) {
    OutboundQuery out;
    out.ticket = exchange->ticket;
    out.server = request.server;
    out.tcp = request.tcp;
    out.packet = BuildQuery(request, exchange->sent_name, exchange->id);
    sends_.push_back(std::move(out));
    (request.tcp ? counters_->upstream_tcp : counters_->upstream_udp).Add();
  }
  shared_.emplace(exchange->share_key, exchange->ticket);
  deadlines_.emplace(exchange->deadline, exchange->ticket);
  counters_->in_flight_upstream.Add();
  return exchanges_.emplace(exchange->ticket, std::move(exchange)).first->second.get();
}

Exchanges::Verdict Exchanges::Judge(const Exchange& exchange, dns::ParseError parsed,
                                    const dns::ParsedMessage& message) {
  if (parsed == dns::ParseError::kTooShort) return Verdict::kIgnore;
  const dns::Header& h = message.header();
  if (h.id != exchange.id) return exchange.tcp ? Verdict::kIgnore : Verdict::kSuspicious;
  if (!h.qr || h.opcode != dns::Opcode::kQuery) return Verdict::kIgnore;
  if (!message.has_question()) {
    // Only an error may come without its question (some servers answer FORMERR so).
    const bool error = parsed == dns::ParseError::kNone && h.rcode != 0 && h.rcode != 3;
    return error ? JudgeCookie(exchange, message) : Verdict::kIgnore;
  }
  if (message.qtype() != exchange.qtype || message.qclass() != dns::RRClass::kIN) return Verdict::kIgnore;
  if (!(message.qname() == exchange.sent_name.view())) return Verdict::kIgnore;
  if (exchange.mixed_case && !message.qname().EqualsWithCase(exchange.sent_name)) return Verdict::kSuspicious;
  if (parsed != dns::ParseError::kNone) {
    // Cut off in the middle with TC set is still a "come over TCP".
    return h.tc && !exchange.tcp ? Verdict::kAccept : Verdict::kIgnore;
  }
  return JudgeCookie(exchange, message);
}

// RFC 7873 section 5.3. Who cannot repeat our cookie has not seen the question. A server that has given us
// one gives it every time; over TCP it may have changed its mind.
Exchanges::Verdict Exchanges::JudgeCookie(const Exchange& exchange, const dns::ParsedMessage& message) {
  if (exchange.own_cookie.empty()) return Verdict::kAccept;
  const dns::EdnsOption* cookie = message.edns() ? message.edns()->Find(dns::OptionCode::kCookie) : nullptr;
  if (cookie == nullptr) {
    return exchange.server_cookie_known && !exchange.tcp ? Verdict::kSuspicious : Verdict::kAccept;
  }
  const bool ours = cookie->data.size() >= kOwnCookieSize &&
                    std::equal(exchange.own_cookie.begin(), exchange.own_cookie.end(), cookie->data.begin());
  return ours ? Verdict::kAccept : Verdict::kIgnore;
}

ExchangeResult Exchanges::ResultOf(const Exchange& exchange) {
  ExchangeResult result;
  result.server = exchange.server;
  result.late = exchange.lingering;
  result.cookie_sent = !exchange.own_cookie.empty();
  return result;
}

void Exchanges::Accept(const Exchange& exchange, std::shared_ptr<Reply> reply, ExchangeResult* result) {
  // The question was compared above; nearly always it stands uncompressed behind the header.
  if (exchange.mixed_case &&
      reply->message.question_end() == dns::kHeaderSize + exchange.sent_name.size() + 4) {
    UndoMixedCase(exchange.sent_name, reply.get());
  }
  if (const auto& edns = reply->message.edns(); edns && result->cookie_sent) {
    const dns::EdnsOption* cookie = edns->Find(dns::OptionCode::kCookie);
    if (cookie != nullptr && cookie->data.size() > kOwnCookieSize) {
      const auto server = cookie->data.subspan(kOwnCookieSize);
      result->server_cookie.assign(server.begin(), server.end());
    }
  }
  result->outcome = ExchangeOutcome::kReply;
  result->reply = std::move(reply);
}

void Exchanges::OnReply(uint64_t ticket, std::span<const uint8_t> packet, MonoTime now) {
  const auto it = exchanges_.find(ticket);
  if (it == exchanges_.end()) return;
  const Exchange& exchange = *it->second;
  auto reply = std::make_shared<Reply>();
  reply->packet.assign(packet.begin(), packet.end());
  const dns::ParseError parsed = reply->message.Parse(reply->packet);
  if (parsed != dns::ParseError::kNone) counters_->upstream_malformed.Add();
  ExchangeResult result = ResultOf(exchange);
  result.rtt = now - exchange.sent;
  switch (Judge(exchange, parsed, reply->message)) {
    case Verdict::kIgnore:
      counters_->upstream_mismatches.Add();
      // Over TCP nobody else speaks: a reply that is not ours means a broken server.
      if (!exchange.tcp) return;
      result.outcome = ExchangeOutcome::kClosed;
      break;
    case Verdict::kSuspicious:
      counters_->upstream_mismatches.Add();
      if (exchange.lingering) return Close(ticket);
      result.outcome = ExchangeOutcome::kSuspicious;
      result.case_changed = reply->message.header().id == exchange.id && reply->message.has_question() &&
                            !reply->message.qname().EqualsWithCase(exchange.sent_name);
      break;
    case Verdict::kAccept:
      Accept(exchange, std::move(reply), &result);
      if (exchange.lingering) return FinishLate(exchange, std::move(result), now);
      break;
  }
  Finish(ticket, result);
}

void Exchanges::OnFailure(uint64_t ticket, UpstreamFailure failure) {
  const auto it = exchanges_.find(ticket);
  if (it == exchanges_.end()) return;
  if (it->second->lingering) return Close(ticket);
  ExchangeResult result = ResultOf(*it->second);
  switch (failure) {
    case UpstreamFailure::kUnreachable:
      result.outcome = ExchangeOutcome::kUnreachable;
      break;
    case UpstreamFailure::kClosed:
      result.outcome = ExchangeOutcome::kClosed;
      break;
    case UpstreamFailure::kNoSocket:
      result.outcome = ExchangeOutcome::kNoSocket;
      break;
  }
  Finish(ticket, result);
}

void Exchanges::OnTime(MonoTime now) {
  while (!impatient_.empty() && impatient_.begin()->first.first <= now) {
    Wait* wait = impatient_.begin()->second;
    Leave(wait);
    wait->result_.outcome = ExchangeOutcome::kTimeout;
    wait->ticket_ = 0;
    wait->queued_ = true;
    ready_.push_back(wait);
  }
  while (!deadlines_.empty() && deadlines_.begin()->first <= now) {
    const uint64_t ticket = deadlines_.begin()->second;
    Exchange& exchange = *exchanges_.at(ticket);
    if (exchange.lingering) {
      Close(ticket);
      continue;
    }
    if (!exchange.silent) counters_->upstream_timeouts.Add();
    ExchangeResult result = ResultOf(exchange);
    result.outcome = ExchangeOutcome::kTimeout;
    result.rtt = now - exchange.sent;
    EndWaits(exchange, result);
    if (!BeginLinger(exchange, now)) Close(ticket);
  }
  std::erase_if(kept_, [&](const auto& k) { return k.second.until < now; });
}

bool Exchanges::Lingers(const ExchangeRequest& request) const {
  return lingering_.contains(ShareKey(request));
}

bool Exchanges::BeginLinger(Exchange& exchange, MonoTime now) {
  if (exchange.linger_until <= now || exchanges_.size() > kOutstanding / 2) return false;
  std::vector<uint64_t>& others = lingering_[exchange.share_key];
  if (others.size() >= kLingeringPerQuestion) return false;
  others.push_back(exchange.ticket);
  shared_.erase(exchange.share_key);
  deadlines_.erase({exchange.deadline, exchange.ticket});
  exchange.lingering = true;
  exchange.deadline = exchange.linger_until;
  deadlines_.emplace(exchange.deadline, exchange.ticket);
  return true;
}

void Exchanges::FinishLate(const Exchange& exchange, ExchangeResult result, MonoTime now) {
  const std::string key = exchange.share_key;
  if (const auto active = shared_.find(key); active != shared_.end()) {
    Finish(active->second, result);
  } else {
    if (kept_.size() < kKeptReplies) kept_[key] = {exchange.deadline, std::move(result)};
    CloseLingering(key);
  }
  std::erase_if(kept_, [&](const auto& k) { return k.second.until < now; });
}

void Exchanges::CloseLingering(const std::string& share_key) {
  const auto it = lingering_.find(share_key);
  if (it == lingering_.end()) return;
  for (const uint64_t ticket : std::vector<uint64_t>(it->second)) Close(ticket);
}

std::optional<MonoTime> Exchanges::NextDeadline() const {
  if (deadlines_.empty()) return std::nullopt;
  const MonoTime first = deadlines_.begin()->first;
  return impatient_.empty() ? first : std::min(first, impatient_.begin()->first.first);
}

void Exchanges::EndWaits(Exchange& exchange, const ExchangeResult& result) {
  for (Wait* wait : exchange.waits) {
    impatient_.erase({wait->deadline_, wait->number_});
    const bool joined = wait->result_.joined;
    wait->result_ = result;
    wait->result_.joined = joined;
    wait->ticket_ = 0;
    wait->queued_ = true;
    ready_.push_back(wait);
  }
  exchange.waits.clear();
}

void Exchanges::Finish(uint64_t ticket, const ExchangeResult& result) {
  const auto it = exchanges_.find(ticket);
  if (it == exchanges_.end()) return;
  EndWaits(*it->second, result);
  const std::string key = it->second->share_key;
  Close(ticket);
  if (result.outcome == ExchangeOutcome::kReply) CloseLingering(key);
}

// Forgets an exchange and has its socket closed (or its query never sent).
void Exchanges::Close(uint64_t ticket) {
  const auto it = exchanges_.find(ticket);
  const Exchange& exchange = *it->second;
  deadlines_.erase({exchange.deadline, ticket});
  if (exchange.lingering) {
    const auto others = lingering_.find(exchange.share_key);
    std::erase(others->second, ticket);
    if (others->second.empty()) lingering_.erase(others);
  } else {
    shared_.erase(exchange.share_key);
  }
  const bool silent = exchange.silent;
  exchanges_.erase(it);
  counters_->in_flight_upstream.Sub();
  if (silent) return;
  const auto unsent =
      std::find_if(sends_.begin(), sends_.end(), [&](const auto& s) { return s.ticket == ticket; });
  if (unsent != sends_.end()) {
    sends_.erase(unsent);
  } else {
    cancels_.push_back(ticket);
  }
}

void Exchanges::Leave(Wait* wait) {
  if (wait->queued_) std::erase(ready_, wait);
  if (wait->ticket_ == 0) return;
  impatient_.erase({wait->deadline_, wait->number_});
  const auto it = exchanges_.find(wait->ticket_);
  if (it == exchanges_.end()) return;
  std::erase(it->second->waits, wait);
  if (it->second->waits.empty()) Close(wait->ticket_);
}

std::optional<OutboundQuery> Exchanges::PollSend() {
  if (sends_.empty()) return std::nullopt;
  OutboundQuery out = std::move(sends_.front());
  sends_.pop_front();
  return out;
}

std::optional<uint64_t> Exchanges::PollCancel() {
  if (cancels_.empty()) return std::nullopt;
  const uint64_t ticket = cancels_.front();
  cancels_.pop_front();
  return ticket;
}

std::coroutine_handle<> Exchanges::TakeReady() {
  if (ready_.empty()) return nullptr;
  Wait* wait = ready_.front();
  ready_.pop_front();
  wait->queued_ = false;
  return wait->handle_;
}

}  // namespace sekisho::resolver
