#include "resolver/core/respond/respond.h"

#include <algorithm>
#include <span>

#include "proto/dns/builder.h"
#include "resolver/core/limits.h"

namespace sekisho::resolver {
namespace {

using dns::RRType;
using dns::Section;

// EDE options in one answer; the first are the nearest to the cause.
constexpr size_t kMaxErrors = 4;

bool IsDenial(RRType type) { return type == RRType::kNSEC || type == RRType::kNSEC3; }

size_t SizeLimit(const Question& q, const Settings& settings) {
  if (q.transport != record::Transport::kUdp) return dns::kMaxMessageSize;
  const size_t client = q.edns ? q.udp_size : 512;
  return std::clamp<size_t>(client, 512, std::max<size_t>(settings.edns_size, 512));
}

using Sets = std::vector<dns::RRsetPtr>;

// One DNAME may make, and one denial prove, several links of a chain; it is told once.
bool InEarlierLink(const Answer& answer, const Response& link, const Sets Response::* section,
                   const dns::RRset& rrset) {
  for (const auto& earlier : answer.chain) {
    if (earlier.get() == &link) return false;
    for (const auto& other : (*earlier).*section) {
      if (other->type == rrset.type && other->owner == rrset.owner) return true;
    }
  }
  return false;
}

void AddAnswerSection(const Question& q, dns::MessageBuilder& b) {
  if (q.rcode != dns::Rcode::kServFail) {
    for (const auto& link : q.path) {
      if (!b.AddRRset(Section::kAnswer, *link.rrset, link.ttl, q.dnssec_ok)) return;
    }
  }
  for (const auto& rrset : q.own_answer) b.AddRRset(Section::kAnswer, *rrset, rrset->ttl, false);
  // What failed or did not validate is not handed out beside its SERVFAIL.
  if (!q.answer || (q.answer->rcode == dns::Rcode::kServFail && !q.answer->looped)) return;
  for (const auto& link : q.answer->chain) {
    for (const auto& rrset : link->answer) {
      if (rrset->type == dns::RRType::kDNAME && InEarlierLink(*q.answer, *link, &Response::answer, *rrset))
        continue;
      if (!b.AddRRset(Section::kAnswer, *rrset, std::min(rrset->ttl, link->ttl_cap), q.dnssec_ok)) return;
    }
  }
}

// The end's SOA for a negative answer; with DO the proofs of every link.
void AddAuthoritySection(const Question& q, dns::MessageBuilder& b) {
  for (const auto& rrset : q.own_authority) b.AddRRset(Section::kAuthority, *rrset, rrset->ttl, false);
  if (!q.answer || q.answer->chain.empty() || q.answer->rcode == dns::Rcode::kServFail) return;
  for (const auto& link : q.answer->chain) {
    const bool end = link == q.answer->chain.back();
    const bool negative = link->kind == ResponseKind::kNodata || link->kind == ResponseKind::kNxdomain;
    for (const auto& rrset : link->authority) {
      const bool wanted =
          (end && negative && rrset->type == RRType::kSOA) || (q.dnssec_ok && IsDenial(rrset->type));
      if (!wanted) continue;
      if (IsDenial(rrset->type) && InEarlierLink(*q.answer, *link, &Response::authority, *rrset)) continue;
      b.AddRRset(Section::kAuthority, *rrset, std::min(rrset->ttl, link->ttl_cap), q.dnssec_ok);
    }
  }
}

// The zone's NS records as the last server sent them along, as far as there is room.
void AddBeside(const Question& q, const Settings& settings, dns::MessageBuilder& b) {
  if (!q.answer || q.answer->chain.empty() || q.answer->rcode == dns::Rcode::kServFail || b.truncated())
    return;
  const Response& end = *q.answer->chain.back();
  const bool denial = end.kind == ResponseKind::kNodata || end.kind == ResponseKind::kNxdomain;
  const bool wanted = denial ? settings.ns_in_negative_answers : !settings.minimal_responses;
  if (!wanted || !end.beside) return;
  for (const auto& rrset : end.beside->authority) {
    const uint32_t ttl = std::min(rrset->ttl, end.ttl_cap);
    if (!b.AddOptionalRRset(Section::kAuthority, *rrset, ttl, q.dnssec_ok)) return;
  }
}

dns::EdnsOut MakeOpt(const Question& q, const Settings& settings) {
  dns::EdnsOut opt;
  opt.udp_size = settings.edns_size;
  opt.dnssec_ok = q.dnssec_ok;
  if (q.has_cookie) opt.cookie.assign(q.cookie.begin(), q.cookie.end());
  const auto add = [&](const std::vector<dns::ExtendedError>& errors) {
    for (const auto& e : errors) {
      if (opt.errors.size() < kMaxErrors &&
          std::find(opt.errors.begin(), opt.errors.end(), e) == opt.errors.end()) {
        opt.errors.push_back(e);
      }
    }
  };
  add(q.own_errors);
  if (q.answer) add(q.answer->errors);
  return opt;
}

}  // namespace

void BuildReply(Question& q, const Settings& settings, std::vector<uint8_t>* out) {
  q.rcode = q.answer ? q.answer->rcode : q.own_rcode;
  const bool secure = q.answer && q.answer->security == Security::kSecure && q.rcode != dns::Rcode::kServFail;
  q.authenticated = secure && !q.rewritten && !q.cd && (q.ad || q.dnssec_ok);

  dns::Header header;
  header.id = q.id;
  header.qr = true;
  header.opcode = q.opcode;
  header.rd = q.rd;
  header.aa = q.authoritative && q.rcode != dns::Rcode::kServFail;
  header.ra = !q.clear_ra;
  header.cd = q.cd;
  header.ad = q.authenticated;
  header.tc = q.over_rate || q.tcp_only;  // told to come over TCP before anything was looked up

  const size_t limit = SizeLimit(q, settings);
  out->resize(limit);
  dns::MessageBuilder b(*out, limit);
  b.Begin(header);
  if (q.has_question) b.AddQuestion(q.qname, q.qtype, q.qclass);
  const dns::EdnsOut opt = MakeOpt(q, settings);
  q.first_ede = opt.errors.empty() ? uint16_t{0xffff} : static_cast<uint16_t>(opt.errors.front().code);
  if (q.edns) b.ReserveForOpt(opt);
  if (settings.answer_rotation) b.SetRotation(q.id);
  AddAnswerSection(q, b);
  AddAuthoritySection(q, b);
  AddBeside(q, settings, b);
  for (const auto& extra : q.additional) {
    if (b.truncated() || !b.AddOptionalRRset(Section::kAdditional, *extra.rrset, extra.ttl, q.dnssec_ok))
      break;
  }
  q.truncated = q.over_rate || q.tcp_only || b.truncated();
  // Without OPT the upper bits of the RCODE have no room.
  if (!q.edns && static_cast<uint16_t>(q.rcode) > 15) q.rcode = dns::Rcode::kServFail;
  const auto wire = b.Finish(q.rcode, q.edns ? &opt : nullptr);
  out->resize(wire.size());
}

}  // namespace sekisho::resolver
