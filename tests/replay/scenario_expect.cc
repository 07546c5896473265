// Scenario: what must hold.
#include <algorithm>
#include <map>

#include "proto/base/bytes.h"
#include "proto/dns/presentation.h"
#include "tests/replay/scenario.h"

namespace sekisho::replay {
namespace {

std::string Join(const Words& w, size_t from) {
  std::string out;
  for (size_t i = from; i < w.size(); ++i) out += (i > from ? " " : "") + w[i];
  return out;
}

const char* ActionText(record::Action a) {
  static const char* const kTexts[] = {"none",    "allow", "nxdomain", "nodata",   "sinkhole",
                                       "refused", "drop",  "tcp-only", "passthru", "log-only"};
  return kTexts[static_cast<size_t>(a)];
}

const char* TriggerText(record::Trigger t) {
  static const char* const kTexts[] = {"none",    "client",  "qname",     "cname",
                                       "address", "ns-name", "ns-address"};
  return kTexts[static_cast<size_t>(t)];
}

const char* OriginText(record::Origin o) {
  static const char* const kTexts[] = {"cache", "upstream", "stale", "policy", "local"};
  return kTexts[static_cast<size_t>(o)];
}

const char* SecurityText(record::Security s) {
  static const char* const kTexts[] = {"unchecked", "insecure", "secure", "bogus"};
  return kTexts[static_cast<size_t>(s)];
}

std::string FlagsText(uint16_t flags) {
  static const char* const kTexts[] = {"rd", "cd", "do", "edns", "ad-asked", "tc", "ad", "answered"};
  std::string out;
  for (size_t i = 0; i < std::size(kTexts); ++i) {
    if (flags >> i & 1) out += (out.empty() ? "" : ",") + std::string(kTexts[i]);
  }
  return out;
}

std::map<std::string, std::string> FieldsOf(const record::LookupRecord& r,
                                            const std::vector<uint8_t>& reply) {
  return {{"name", r.qname.ToString()},
          {"type", ToString(r.qtype)},
          {"class", ToString(r.qclass)},
          {"rcode", ToString(r.rcode)},
          {"action", ActionText(r.action)},
          {"trigger", TriggerText(r.trigger)},
          {"trigger-name", r.trigger_name.ToString()},
          {"rule-labels", std::to_string(r.rule_labels)},
          {"subtree", r.rule_subtree ? "yes" : "no"},
          {"feeds", r.feeds},
          {"category", r.category},
          {"generation", std::to_string(r.generation)},
          {"origin", OriginText(r.origin)},
          {"security", SecurityText(r.security)},
          {"flags", FlagsText(r.flags)},
          {"ede", r.ede == 0xffff ? "none" : std::to_string(r.ede)},
          {"agency", r.agency},
          {"transport", std::to_string(static_cast<int>(r.transport))},
          {"answers", std::to_string(r.answers.size())},
          {"cut", std::to_string(r.answers_cut)},
          {"client", r.client.address.ToString()},
          {"worker", std::to_string(r.worker)},
          {"latency-ms", std::to_string(r.latency_us / 1000)},
          {"size", r.response_size == reply.size() ? "right" : std::to_string(r.response_size)}};
}

std::vector<std::string> RecordsOf(const dns::ParsedMessage& m, dns::Section section, bool with_ttl) {
  std::vector<std::string> out;
  for (const auto& r : m.records(section)) {
    std::string rdata;
    m.AppendRdata(r, &rdata);
    out.push_back(m.Owner(r).ToString() + " " + (with_ttl ? std::to_string(r.ttl) : "*") + " " +
                  ToString(r.type) + " " + dns::RdataToText(r.type, AsBytes(rdata)));
  }
  return out;
}

std::string CookieSize(const dns::ParsedMessage& m) {
  const dns::EdnsOption* option = m.edns() ? m.edns()->Find(dns::OptionCode::kCookie) : nullptr;
  return option == nullptr ? "no" : std::to_string(option->data.size());
}

bool Has(const std::vector<uint8_t>& haystack, std::span<const uint8_t> needle) {
  return std::search(haystack.begin(), haystack.end(), needle.begin(), needle.end()) != haystack.end();
}

}  // namespace

bool Scenario::Compare(long actual, const std::string& op, const std::string& wanted,
                       const std::string& what) {
  const long n = NumberOf(wanted);
  const bool holds = op == "==" ? actual == n : op == "<=" ? actual <= n : op == ">=" ? actual >= n : false;
  if (!holds) Fail(what + " is " + std::to_string(actual) + ", expected " + op + " " + wanted);
  return holds;
}

// expect [LABEL:] WHAT …
void Scenario::Expect(const Words& all) {
  Words w(all.begin() + 1, all.end());
  if (!w.empty() && w[0].ends_with(':')) {
    const auto label = labels_.find(w[0].substr(0, w[0].size() - 1));
    if (label == labels_.end()) return Fail("no question is called " + w[0]);
    current_ = label->second;
    w.erase(w.begin());
  }
  if (w.empty()) return Fail("expect what?");
  using Check = void (Scenario::*)(const Words&);
  static const std::map<std::string, Check> kChecks = {{"upstream", &Scenario::ExpectUpstream},
                                                       {"gap", &Scenario::ExpectGap},
                                                       {"query", &Scenario::ExpectQuery},
                                                       {"record", &Scenario::ExpectRecord},
                                                       {"counter", &Scenario::ExpectCounter},
                                                       {"absent", &Scenario::ExpectAbsent},
                                                       {"ede", &Scenario::ExpectEde},
                                                       {"no-ede", &Scenario::ExpectEde},
                                                       {"all-answered", &Scenario::ExpectAllAnswered},
                                                       {"pulse", &Scenario::ExpectPulse}};
  if (const auto check = kChecks.find(w[0]); check != kChecks.end()) return (this->*check->second)(w);
  if (w[0] == "records" && w.size() == 3)
    return void(Compare(static_cast<long>(harness_.log().records().size()), w[1], w[2], "records"));
  if (w[0] == "notified" && w.size() == 3)
    return void(Compare(static_cast<long>(harness_.notified().zones().size()), w[1], w[2], "notified zones"));
  if (w[0] == "inflight" && w.size() == 2) {
    const auto& c = harness_.counters();
    Compare(static_cast<long>(c.in_flight_questions.value()), "==", w[1], "questions in flight");
    return void(Compare(static_cast<long>(c.in_flight_upstream.value()), "==", w[1], "upstream in flight"));
  }
  if (harness_.asked().empty()) return Fail("nothing was asked yet");
  ExpectReply(w);
}

void Scenario::ExpectReply(const Words& w) {
  const Asked& a = Current();
  if (w[0] == "pending") return a.ended ? Fail("it is answered already") : void();
  if (w[0] == "dropped") return a.ended && a.dropped ? void() : Fail("it was not dropped");
  if (!a.ended) return Fail("no answer yet");
  if (a.dropped) return Fail("it was dropped");
  dns::ParsedMessage m;
  if (m.Parse(a.reply) != dns::ParseError::kNone) return Fail("the reply is malformed");
  const dns::Header& h = m.header();
  if (w[0] == "rcode" && w.size() == 2) {
    if (ToString(m.rcode()) != w[1]) Fail("RCODE is " + ToString(m.rcode()));
  } else if (w[0] == "flags" || w[0] == "noflags") {
    const std::map<std::string, bool> flags = {{"qr", h.qr}, {"aa", h.aa}, {"tc", h.tc}, {"rd", h.rd},
                                               {"ra", h.ra}, {"ad", h.ad}, {"cd", h.cd}};
    for (size_t i = 1; i < w.size(); ++i) {
      if (!flags.contains(w[i])) {
        Fail("unknown flag " + w[i]);
      } else if (flags.at(w[i]) != (w[0] == "flags")) {
        Fail("flag " + w[i] + " is " + (flags.at(w[i]) ? "set" : "clear"));
      }
    }
  } else if (w[0] == "answer" || w[0] == "answers") {
    ExpectSection(w, dns::Section::kAnswer);
  } else if (w[0] == "authority" || w[0] == "authorities") {
    ExpectSection(w, dns::Section::kAuthority);
  } else if (w[0] == "additional" || w[0] == "additionals") {
    ExpectSection(w, dns::Section::kAdditional);
  } else if (w[0] == "time" && w.size() == 3) {
    const Duration took = *a.ended - a.at;
    Compare(took.count() / 1000, w[1], std::to_string(DurationOf(w[2]).count() / 1000), "time in ms");
  } else if (w[0] == "size" && w.size() == 3) {
    Compare(static_cast<long>(a.reply.size()), w[1], w[2], "size");
  } else if (w[0] == "question" && w.size() == 2) {
    if (!m.has_question() || !m.qname().EqualsWithCase(NameOf(w[1])))
      Fail("question is " + (m.has_question() ? m.qname().ToString() : "missing"));
  } else if (w[0] == "edns" && w.size() == 2) {
    const std::string size = m.edns() ? std::to_string(m.edns()->udp_size) : "no";
    if (size != w[1]) Fail("EDNS is " + size);
  } else if (w[0] == "first" && w.size() > 1) {
    const auto records = RecordsOf(m, dns::Section::kAnswer, false);
    const std::string first = records.empty() ? "nothing" : records.front();
    if (!first.ends_with(" " + Join(w, 1))) Fail("the first record is " + first);
  } else if (w[0] == "cookie" && w.size() == 2) {
    if (CookieSize(m) != w[1]) Fail("cookie is " + CookieSize(m));
  } else if (w[0] == "do" || w[0] == "no-do") {
    if ((m.edns() && m.edns()->dnssec_ok) != (w[0] == "do")) Fail("DO is not so");
  } else {
    Fail("unknown expectation \"" + w[0] + "\"");
  }
}

// answer OWNER TTL TYPE RDATA… ("*" for any TTL) or answers OP N
void Scenario::ExpectSection(const Words& w, dns::Section section) {
  dns::ParsedMessage m;
  [[maybe_unused]] const auto parsed = m.Parse(Current().reply);
  if (w[0].back() == 's' || w[0] == "authorities") {
    if (w.size() == 3) Compare(static_cast<long>(m.records(section).size()), w[1], w[2], w[0]);
    return;
  }
  if (w.size() < 4) return Fail("owner, TTL, type and RDATA are wanted");
  const bool any_ttl = w[2] == "*";
  std::string wanted = NameOf(w[1]).ToString() + " " + w[2] + " " + w[3];
  const std::string rdata = Join(w, 4);
  const auto records = RecordsOf(m, section, !any_ttl);
  const bool found = std::any_of(records.begin(), records.end(), [&](const std::string& r) {
    return rdata.empty() ? r.starts_with(wanted + " ") : r == wanted + " " + rdata;
  });
  if (found) return;
  std::string there;
  for (const auto& r : RecordsOf(m, section, true)) there += "\n      " + r;
  Fail("no record \"" + wanted + " " + rdata +
       "\" in the section:" + (there.empty() ? " it is empty" : there));
}

// ede CODE [TEXT…] or no-ede
void Scenario::ExpectEde(const Words& w) {
  dns::ParsedMessage m;
  if (!Current().ended || m.Parse(Current().reply) != dns::ParseError::kNone) return Fail("no answer");
  std::vector<dns::ExtendedError> errors;
  if (m.edns()) errors = dns::ExtendedErrors(*m.edns());
  if (w[0] == "no-ede") return errors.empty() ? void() : Fail("there is an EDE");
  if (w.size() < 2) return Fail("ede CODE [TEXT]");
  const std::string text = Join(w, 2);
  for (const auto& e : errors) {
    if (std::to_string(static_cast<int>(e.code)) == w[1] && e.text.find(text) != std::string::npos) return;
  }
  std::string there;
  for (const auto& e : errors)
    there += " " + std::to_string(static_cast<int>(e.code)) + " \"" + e.text + "\"";
  Fail("no EDE " + w[1] + " " + text + "; there:" + there);
}

// absent ADDRESS… : its bytes are nowhere in the reply
void Scenario::ExpectAbsent(const Words& w) {
  for (size_t i = 1; i < w.size(); ++i) {
    const IpAddress address = AddressOf(w[i]);
    if (Has(Current().reply, address.bytes())) Fail(w[i] + " is in the reply");
  }
}

// upstream OP N [to ADDRESS] [for NAME|*.NAME [TYPE]] [udp|tcp]
void Scenario::ExpectUpstream(const Words& w) {
  if (w.size() < 3) return Fail("upstream OP N …");
  std::optional<IpAddress> to;
  std::optional<dns::Name> name;
  std::optional<dns::RRType> type;
  std::optional<bool> tcp;
  bool subtree = false;
  for (size_t i = 3; i < w.size(); ++i) {
    if (w[i] == "to" && i + 1 < w.size()) {
      to = AddressOf(w[++i]);
    } else if (w[i] == "for" && i + 1 < w.size()) {
      subtree = w[++i].starts_with("*.");
      name = NameOf(subtree ? w[i].substr(2) : w[i]);
    } else if (w[i] == "udp" || w[i] == "tcp") {
      tcp = w[i] == "tcp";
    } else {
      type = TypeOf(w[i]);
    }
  }
  const auto& all = harness_.upstream();
  const long n =
      std::count_if(all.begin() + static_cast<long>(mark_), all.end(), [&](const UpstreamQuery& q) {
        if (to && q.server.address != *to) return false;
        if (name && !(subtree ? q.qname.view().IsAtOrBelow(*name) : q.qname == *name)) return false;
        return (!type || q.qtype == *type) && (!tcp || q.tcp == *tcp);
      });
  Compare(n, w[1], w[2], "upstream " + Join(w, 3));
}

// gap N OP DURATION : between the Nth upstream query since the mark and the next one
void Scenario::ExpectGap(const Words& w) {
  if (w.size() != 4) return Fail("gap N OP DURATION");
  const size_t at = mark_ + static_cast<size_t>(NumberOf(w[1])) - 1;
  if (at + 1 >= harness_.upstream().size()) return Fail("there are not so many upstream queries");
  const Duration gap = harness_.upstream()[at + 1].at - harness_.upstream()[at].at;
  Compare(gap.count() / 1000, w[2], std::to_string(DurationOf(w[3]).count() / 1000), "gap in ms");
}

// query FIELD=VALUE… : of the last upstream query
void Scenario::ExpectQuery(const Words& w) {
  if (harness_.upstream().size() <= mark_) return Fail("no upstream query");
  const UpstreamQuery& q = harness_.upstream().back();
  dns::ParsedMessage m;
  if (m.Parse(q.packet) != dns::ParseError::kNone) return Fail("the upstream query is malformed");
  const std::map<std::string, std::string> fields = {
      {"edns", m.edns() ? std::to_string(m.edns()->udp_size) : "no"},
      {"do", m.edns() && m.edns()->dnssec_ok ? "1" : "0"},
      {"options", m.edns() ? std::to_string(m.edns()->option_count) : "0"},
      {"cookie", CookieSize(m)},
      {"rd", m.header().rd ? "1" : "0"},
      {"cd", m.header().cd ? "1" : "0"},
      {"tcp", q.tcp ? "1" : "0"},
      {"name", m.qname().Lowercase().ToString()},
      {"type", ToString(m.qtype())}};
  for (size_t i = 1; i < w.size(); ++i) {
    const size_t eq = w[i].find('=');
    const auto field = fields.find(w[i].substr(0, eq));
    if (eq == std::string::npos || field == fields.end()) {
      Fail("unknown field " + w[i]);
    } else if (field->second != w[i].substr(eq + 1)) {
      Fail("upstream query's " + field->first + " is " + field->second);
    }
  }
}

// record FIELD=VALUE… : the one record of the current question
void Scenario::ExpectRecord(const Words& w) {
  const record::LookupRecord* found = nullptr;
  int count = 0;
  for (const auto& r : harness_.log().records()) {
    if (!(r.client == Current().client)) continue;
    found = &r;
    ++count;
  }
  if (w.size() == 2 && w[1] == "none") return count == 0 ? void() : Fail("there is a record");
  if (count != 1) return Fail("there are " + std::to_string(count) + " records of the question");
  const auto fields = FieldsOf(*found, Current().reply);
  for (size_t i = 1; i < w.size(); ++i) {
    const size_t eq = w[i].find('=');
    const auto field = fields.find(w[i].substr(0, eq));
    if (eq == std::string::npos || field == fields.end()) {
      Fail("unknown field " + w[i]);
    } else if (field->second != w[i].substr(eq + 1)) {
      Fail("record's " + field->first + " is " + field->second);
    }
  }
}

void Scenario::ExpectCounter(const Words& w) {
  using resolver::Counters;
  static const std::map<std::string, resolver::Counter Counters::*> kCounters = {
      {"questions", &Counters::questions},
      {"refused-clients", &Counters::refused_clients},
      {"dropped-packets", &Counters::dropped_packets},
      {"format-errors", &Counters::format_errors},
      {"answers-from-cache", &Counters::answers_from_cache},
      {"answers-resolved", &Counters::answers_resolved},
      {"servfail", &Counters::servfail},
      {"blocked", &Counters::blocked},
      {"refused-load", &Counters::refused_load},
      {"rate-limited", &Counters::rate_limited},
      {"paced-replies", &Counters::paced_replies},
      {"records-lost", &Counters::records_lost},
      {"upstream-timeouts", &Counters::upstream_timeouts},
      {"upstream-mismatches", &Counters::upstream_mismatches},
      {"upstream-malformed", &Counters::upstream_malformed}};
  if (w.size() != 4 || !kCounters.contains(w[1])) return Fail("counter NAME OP N");
  Compare(static_cast<long>((harness_.counters().*kCounters.at(w[1])).value()), w[2], w[3], w[1]);
}

// all-answered RCODE OP N : how many questions so far were answered so
void Scenario::ExpectAllAnswered(const Words& w) {
  if (w.size() != 4) return Fail("all-answered RCODE OP N");
  long n = 0;
  for (const Asked& a : harness_.asked()) {
    dns::ParsedMessage m;
    if (a.ended && !a.dropped && m.Parse(a.reply) == dns::ParseError::kNone && ToString(m.rcode()) == w[1])
      ++n;
  }
  Compare(n, w[2], w[3], "answers with " + w[1]);
}

// pulse OP N : the most replies to one client in any ten milliseconds, of those that were waited for
void Scenario::ExpectPulse(const Words& w) {
  if (w.size() != 3) return Fail("pulse OP N");
  std::map<IpAddress, std::vector<MonoTime>> ends;
  for (const Asked& a : harness_.asked()) {
    if (a.ended && !a.dropped && *a.ended > a.at) ends[a.client.address].push_back(*a.ended);
  }
  size_t most = 0;
  for (auto& [client, times] : ends) {
    std::sort(times.begin(), times.end());
    for (size_t i = 0, j = 0; i < times.size(); ++i) {
      while (times[i] - times[j] >= std::chrono::milliseconds(10)) ++j;
      most = std::max(most, i - j + 1);
    }
  }
  Compare(static_cast<long>(most), w[1], w[2], "replies in ten milliseconds");
}

}  // namespace sekisho::replay
