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
  exchange->tcp = request.tcp;
  exchange->sent = now;
  exchange->deadline = now + request.timeout;
  exchange->share_key = std::move(share_key);

  OutboundQuery out;
  out.ticket = exchange->ticket;
  out.server = request.server;
  out.tcp = request.tcp;
  out.packet = BuildQuery(request, exchange->sent_name, exchange->id);
  sends_.push_back(std::move(out));

  shared_.emplace(exchange->share_key, exchange->ticket);
  deadlines_.emplace(exchange->deadline, exchange->ticket);
  (request.tcp ? counters_->upstream_tcp : counters_->upstream_udp).Add();
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
    return parsed == dns::ParseError::kNone && h.rcode != 0 && h.rcode != 3 ? Verdict::kAccept
                                                                            : Verdict::kIgnore;
  }
  if (message.qtype() != exchange.qtype || message.qclass() != dns::RRClass::kIN) return Verdict::kIgnore;
  if (!(message.qname() == exchange.sent_name.view())) return Verdict::kIgnore;
  if (exchange.mixed_case && !message.qname().EqualsWithCase(exchange.sent_name)) return Verdict::kSuspicious;
  if (parsed != dns::ParseError::kNone) {
    // Cut off in the middle with TC set is still a "come over TCP".
    return h.tc && !exchange.tcp ? Verdict::kAccept : Verdict::kIgnore;
  }
  return Verdict::kAccept;
}

void Exchanges::OnReply(uint64_t ticket, std::span<const uint8_t> packet, MonoTime now) {
  const auto it = exchanges_.find(ticket);
  if (it == exchanges_.end()) return;
  const Exchange& exchange = *it->second;
  auto reply = std::make_shared<Reply>();
  reply->packet.assign(packet.begin(), packet.end());
  const dns::ParseError parsed = reply->message.Parse(reply->packet);
  if (parsed != dns::ParseError::kNone) counters_->upstream_malformed.Add();
  ExchangeResult result;
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
      result.outcome = ExchangeOutcome::kSuspicious;
      result.case_changed = reply->message.header().id == exchange.id;
      break;
    case Verdict::kAccept:
      // The question was compared above; nearly always it stands uncompressed behind the header.
      if (exchange.mixed_case &&
          reply->message.question_end() == dns::kHeaderSize + exchange.sent_name.size() + 4) {
        UndoMixedCase(exchange.sent_name, reply.get());
      }
      result.outcome = ExchangeOutcome::kReply;
      result.reply = std::move(reply);
      break;
  }
  Finish(ticket, result);
}

void Exchanges::OnFailure(uint64_t ticket, UpstreamFailure failure) {
  ExchangeResult result;
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
    counters_->upstream_timeouts.Add();
    ExchangeResult result;
    result.outcome = ExchangeOutcome::kTimeout;
    result.rtt = now - exchanges_.at(ticket)->sent;
    Finish(ticket, result);
  }
}

std::optional<MonoTime> Exchanges::NextDeadline() const {
  if (deadlines_.empty()) return std::nullopt;
  const MonoTime first = deadlines_.begin()->first;
  return impatient_.empty() ? first : std::min(first, impatient_.begin()->first.first);
}

void Exchanges::Finish(uint64_t ticket, const ExchangeResult& result) {
  const auto it = exchanges_.find(ticket);
  if (it == exchanges_.end()) return;
  for (Wait* wait : it->second->waits) {
    impatient_.erase({wait->deadline_, wait->number_});
    const bool joined = wait->result_.joined;
    wait->result_ = result;
    wait->result_.joined = joined;
    wait->ticket_ = 0;
    wait->queued_ = true;
    ready_.push_back(wait);
  }
  it->second->waits.clear();
  Close(ticket);
}

// Forgets an exchange and has its socket closed (or its query never sent).
void Exchanges::Close(uint64_t ticket) {
  const auto it = exchanges_.find(ticket);
  deadlines_.erase({it->second->deadline, ticket});
  shared_.erase(it->second->share_key);
  exchanges_.erase(it);
  counters_->in_flight_upstream.Sub();
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
