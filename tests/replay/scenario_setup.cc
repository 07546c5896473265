// Scenario: settings, policy, zones, servers and the answers that replace theirs.
#include <algorithm>
#include <fstream>
#include <sstream>

#include "tests/replay/scenario.h"

namespace sekisho::replay {
namespace {

std::string Join(const Words& w, size_t from) {
  std::string out;
  for (size_t i = from; i < w.size(); ++i) out += (i > from ? " " : "") + w[i];
  return out;
}

std::vector<uint8_t> FromHex(const std::string& text) {
  std::vector<uint8_t> out;
  for (size_t i = 0; i + 1 < text.size(); i += 2)
    out.push_back(static_cast<uint8_t>(std::stoi(text.substr(i, 2), nullptr, 16)));
  return out;
}

// "key=value": the value when the word has that key.
std::optional<std::string> Value(const std::string& word, const std::string& key) {
  if (!word.starts_with(key + "=")) return std::nullopt;
  return word.substr(key.size() + 1);
}

}  // namespace

// use NAME : the lines of NAME.net, a network for many scenarios.
void Scenario::Use(const Words& w) {
  if (w.size() != 2) return Fail("use NAME");
  std::ifstream file(folder_ + "/" + w[1] + ".net");
  std::stringstream text;
  text << file.rdbuf();
  if (text.str().empty()) return Fail("there is no " + w[1] + ".net");
  const auto lines = LinesOf(text.str(), w[1] + ":");
  lines_.insert(lines_.begin() + static_cast<long>(line_), lines.begin(), lines.end());
}

// config SETTING VALUE…
void Scenario::Config(const Words& w) {
  settings_changed_ = true;
  if (w.size() < 3) return Fail("config needs a setting and a value");
  using resolver::Settings;
  static const std::map<std::string, bool Settings::*> kSwitches = {
      {"validate", &Settings::validate},
      {"qname-minimisation", &Settings::qname_minimisation},
      {"ipv4", &Settings::ipv4},
      {"ipv6", &Settings::ipv6},
      {"query-private", &Settings::query_private_addresses},
      {"mix-case", &Settings::mix_case},
      {"answer-rotation", &Settings::answer_rotation},
      {"minimal-responses", &Settings::minimal_responses},
      {"aggressive-nsec", &Settings::aggressive_nsec},
      {"ns-in-negative-answers", &Settings::ns_in_negative_answers},
      {"root-priming", &Settings::root_priming},
      {"harden-glue", &Settings::harden_glue},
      {"prefetch", &Settings::prefetch},
      {"rebinding-guard", &Settings::rebinding_guard}};
  static const std::map<std::string, uint32_t Settings::*> kSeconds = {
      {"max-ttl", &Settings::max_ttl},
      {"min-ttl", &Settings::min_ttl},
      {"max-negative-ttl", &Settings::max_negative_ttl}};
  static const std::map<std::string, uint16_t Settings::*> kSizes = {
      {"edns-size", &Settings::edns_size}, {"upstream-edns-size", &Settings::upstream_edns_size}};
  const std::string& key = w[1];
  if (const auto s = kSwitches.find(key); s != kSwitches.end()) {
    settings_.*(s->second) = w[2] == "on";
  } else if (const auto t = kSeconds.find(key); t != kSeconds.end()) {
    settings_.*(t->second) = static_cast<uint32_t>(NumberOf(w[2]));
  } else if (const auto n = kSizes.find(key); n != kSizes.end()) {
    settings_.*(n->second) = static_cast<uint16_t>(NumberOf(w[2]));
  } else {
    ConfigList(w);
  }
}

void Scenario::ConfigList(const Words& w) {
  const std::string& key = w[1];
  if (key == "cookies" || key == "require-cookies" || key == "upstream-cookies") {
    resolver::Cookies& c = settings_.cookies;
    (key == "cookies" ? c.answer : key == "require-cookies" ? c.require : c.upstream) = w[2] == "on";
  } else if (key == "bounds") {
    static const std::map<std::string, size_t resolver::Bounds::*> kBounds = {
        {"pending", &resolver::Bounds::pending},
        {"pending-per-client", &resolver::Bounds::pending_per_client},
        {"fetches-per-zone", &resolver::Bounds::fetches_per_zone},
        {"fetches-per-server", &resolver::Bounds::fetches_per_server}};
    if (w.size() != 4 || !kBounds.contains(w[2])) return Fail("config bounds WHICH N");
    settings_.bounds.*kBounds.at(w[2]) = static_cast<size_t>(NumberOf(w[3]));
  } else if (key == "rate-limit" || key == "uncached-rate-limit" || key == "rate-slip") {
    resolver::RateLimit& r = settings_.rate_limit;
    (key == "rate-slip"    ? r.slip
     : key == "rate-limit" ? r.per_second
                           : r.uncached_per_second) = static_cast<uint32_t>(NumberOf(w[2]));
  } else if (key == "rate-exempt") {
    settings_.rate_limit.exempt.push_back(IpPrefix::Parse(w[2]).value_or(IpPrefix()));
  } else if (key == "minimise-type") {
    settings_.minimise_type = TypeOf(w[2]);
  } else if (key == "serve-stale") {
    settings_.stale.enabled = w[2] == "on";
  } else if (key == "stale-client-timeout") {
    settings_.stale.client_timeout = DurationOf(w[2]);
  } else if (key == "rebinding-exempt") {
    settings_.rebinding_exempt.push_back(NameOf(w[2]));
  } else if (key == "root-hints") {
    settings_.root_hints.clear();
    for (size_t i = 2; i + 1 < w.size(); i += 2)
      settings_.root_hints.push_back({NameOf(w[i]), AddressOf(w[i + 1])});
  } else if (key == "forward" || key == "forward-first" || key == "stub") {
    resolver::ConfiguredZone zone{.zone = NameOf(w[2]), .forward = key != "stub", .servers = {}};
    zone.fallback = key == "forward-first";
    for (size_t i = 3; i < w.size(); ++i) zone.servers.push_back({AddressOf(w[i]), 53});
    settings_.zones.push_back(std::move(zone));
  } else if (key == "trust-anchor") {
    std::string error;
    auto record = dns::ParseRecord(Join(w, 2), &error);
    if (!record) return Fail("trust anchor: " + error);
    settings_.trust_anchors.push_back(*std::move(record));
  } else {
    Fail("unknown setting \"" + key + "\"");
  }
}

// block|allow|logonly|unblock NAME|PREFIX [exact|subtree] [feeds=A,B] [category=…] [reference=…]
void Scenario::Rule(const Words& w) {
  policy_changed_ = true;
  if (w.size() < 2) return Fail(w[0] + " needs a name");
  PolicyRule rule;
  rule.prefix = IpPrefix::Parse(w[1]);
  if (!rule.prefix) rule.name = NameOf(w[1]);
  std::erase_if(rules_, [&](const PolicyRule& r) {
    return w[0] == "unblock" && r.name == rule.name && r.prefix == rule.prefix;
  });
  if (w[0] == "unblock") return;
  if (w[0] == "allow") rule.action = blocklist::RuleAction::kAllow;
  if (w[0] == "logonly") rule.action = blocklist::RuleAction::kLogOnly;
  for (size_t i = 2; i < w.size(); ++i) {
    if (w[i] == "exact") {
      rule.scope = blocklist::RuleScope::kExact;
    } else if (auto feeds = Value(w[i], "feeds")) {
      rule.feeds = *feeds;
      std::replace(rule.feeds.begin(), rule.feeds.end(), '_', ' ');
      for (size_t at = 0; (at = rule.feeds.find(',', at)) != std::string::npos; at += 2)
        rule.feeds.replace(at, 1, ", ");
    } else if (auto category = Value(w[i], "category")) {
      rule.category = *category;
    } else if (auto reference = Value(w[i], "reference")) {
      rule.reference = *reference;
    } else if (w[i] != "subtree") {
      Fail("unknown word \"" + w[i] + "\"");
    }
  }
  rules_.push_back(std::move(rule));
}

// server ADDRESS HABIT…
void Scenario::Server(const Words& w) {
  if (w.size() < 3) return Fail("server needs an address and habits");
  ServerHabits& h = network_.Habits(AddressOf(w[1]));
  static const std::map<std::string, EdnsHabit> kEdns = {
      {"normal", EdnsHabit::kNormal},   {"formerr", EdnsHabit::kFormErr}, {"notimp", EdnsHabit::kNotImp},
      {"badvers", EdnsHabit::kBadVers}, {"drop", EdnsHabit::kDrop},       {"none", EdnsHabit::kNoOpt}};
  static const std::map<std::string, TcpHabit> kTcp = {{"normal", TcpHabit::kNormal},
                                                       {"refuse", TcpHabit::kRefuse},
                                                       {"close", TcpHabit::kClose},
                                                       {"silent", TcpHabit::kSilent}};
  static const std::map<std::string, CookieHabit> kCookies = {{"none", CookieHabit::kNone},
                                                              {"on", CookieHabit::kNormal},
                                                              {"required", CookieHabit::kRequired},
                                                              {"wrong", CookieHabit::kWrong},
                                                              {"always-bad", CookieHabit::kAlwaysBad},
                                                              {"formerr", CookieHabit::kFormErr},
                                                              {"drop", CookieHabit::kDrop}};
  static const std::map<std::string, bool ServerHabits::*> kSwitches = {
      {"down", &ServerHabits::down},           {"unreachable", &ServerHabits::unreachable},
      {"lowercase", &ServerHabits::lowercase}, {"recursive", &ServerHabits::recursive},
      {"lame", &ServerHabits::lame},           {"denies-empty", &ServerHabits::denies_empty}};
  for (size_t i = 2; i < w.size(); ++i) {
    const std::string off = w[i].starts_with("not-") ? w[i].substr(4) : "";
    if (w[i] == "up") {
      h.down = h.unreachable = h.lame = false;
    } else if (const auto s = kSwitches.find(w[i]); s != kSwitches.end()) {
      h.*(s->second) = true;
    } else if (const auto n = kSwitches.find(off); n != kSwitches.end()) {
      h.*(n->second) = false;
    } else if (auto delay = Value(w[i], "delay")) {
      h.delay = DurationOf(*delay);
    } else if (auto size = Value(w[i], "udp-size")) {
      h.udp_size = static_cast<uint16_t>(NumberOf(*size));
    } else if (auto edns = Value(w[i], "edns"); edns && kEdns.contains(*edns)) {
      h.edns = kEdns.at(*edns);
    } else if (auto cookies = Value(w[i], "cookies"); cookies && kCookies.contains(*cookies)) {
      h.cookies = kCookies.at(*cookies);
    } else if (auto tcp = Value(w[i], "tcp"); tcp && kTcp.contains(*tcp)) {
      h.tcp = kTcp.at(*tcp);
    } else {
      Fail("unknown habit \"" + w[i] + "\"");
    }
  }
}

// zone ORIGIN on ADDRESS… , records, end
void Scenario::ZoneBlock(const Words& w) {
  if (w.size() < 4 || w[2] != "on") return Fail("zone ORIGIN on ADDRESS…");
  auto zone = std::make_shared<Zone>(NameOf(w[1]));
  std::vector<IpAddress> servers;
  for (size_t i = 3; i < w.size(); ++i) servers.push_back(AddressOf(w[i]));
  for (auto words = NextLine(); words && words->front() != "end"; words = NextLine()) {
    for (const auto& line : ExpandRange(Join(*words, 0))) {
      std::string error;
      if (!zone->Add(line, &error)) Fail("record: " + error);
    }
  }
  zone->Finish();
  network_.ServeZone(zone, servers);
}

void Scenario::DropZone(const Words& w) {
  if (w.size() != 2) return Fail("dropzone ORIGIN");
  network_.DropZone(NameOf(w[1]));
}

void Scenario::Off(const Words& w) {
  if (w.size() != 2) return Fail("off ADDRESS");
  network_.ClearOverrides(AddressOf(w[1]));
}

// on ADDRESS [NAME|*.NAME|*] [TYPE|*] [udp|tcp] [edns|noedns] [nth=N|N-M|N+] , replies, end
void Scenario::On(const Words& w) {
  if (w.size() < 2) return Fail("on ADDRESS …");
  Override o;
  for (size_t i = 2; i < w.size(); ++i) {
    if (w[i] == "udp" || w[i] == "tcp") {
      o.tcp = w[i] == "tcp";
    } else if (w[i] == "edns" || w[i] == "noedns") {
      o.edns = w[i] == "edns";
    } else if (auto nth = Value(w[i], "nth")) {
      o.first = o.last = std::atoi(nth->c_str());
      if (nth->ends_with('+')) o.last = 1 << 30;
      if (const size_t dash = nth->find('-'); dash != std::string::npos)
        o.last = std::atoi(nth->c_str() + dash + 1);
    } else if (w[i] == "*") {
      continue;
    } else if (i == 2) {
      o.subtree = w[i].starts_with("*.");
      o.name = NameOf(o.subtree ? w[i].substr(2) : w[i]);
    } else {
      o.type = TypeOf(w[i]);
    }
  }
  for (auto words = NextLine(); words && words->front() != "end"; words = NextLine()) {
    const std::string& first = words->front();
    static const std::map<std::string, dns::Section> kSections = {{"answer", dns::Section::kAnswer},
                                                                  {"authority", dns::Section::kAuthority},
                                                                  {"additional", dns::Section::kAdditional}};
    if (first == "drop") continue;
    if (const auto section = kSections.find(first); section != kSections.end() && !o.replies.empty()) {
      o.replies.back().records.emplace_back(section->second, Join(*words, 1));
    } else {
      o.replies.push_back(PlanOf(*words));
    }
  }
  network_.AddOverride(AddressOf(w[1]), std::move(o));
}

// reply|icmp|close|hex [DELAY] WORD…
ReplyPlan Scenario::PlanOf(const Words& w) {
  ReplyPlan plan;
  if (w[0] == "icmp" || w[0] == "close") {
    plan.kind = ReplyPlan::Kind::kFailure;
    plan.failure =
        w[0] == "icmp" ? resolver::UpstreamFailure::kUnreachable : resolver::UpstreamFailure::kClosed;
  } else if (w[0] == "hex") {
    plan.kind = ReplyPlan::Kind::kHex;
    plan.raw = FromHex(w.back());
  } else if (w[0] != "reply") {
    Fail("unknown reply \"" + w[0] + "\"");
  }
  for (size_t i = 1; i < w.size(); ++i) {
    if (const auto after = ParseDuration(w[i]); after && plan.kind != ReplyPlan::Kind::kHex) {
      plan.after = *after;
    } else if (plan.kind == ReplyPlan::Kind::kMessage) {
      PlanWord(w[i], &plan);
    }
  }
  return plan;
}

void Scenario::PlanWord(const std::string& word, ReplyPlan* plan) {
  static const std::map<std::string, bool ReplyPlan::*> kSwitches = {{"zone", &ReplyPlan::from_zone},
                                                                     {"tc", &ReplyPlan::tc},
                                                                     {"ra", &ReplyPlan::ra},
                                                                     {"lowercase", &ReplyPlan::lowercase},
                                                                     {"qr0", &ReplyPlan::query_bit}};
  if (const auto s = kSwitches.find(word); s != kSwitches.end()) {
    plan->*(s->second) = true;
  } else if (word == "aa" || word == "noaa") {
    plan->aa = word == "aa";
  } else if (word == "noopt") {
    plan->opt = false;
  } else if (word == "noquestion") {
    plan->question = false;
  } else if (const auto rcode = dns::ParseRcode(word)) {
    plan->rcode = *rcode;
  } else if (auto id = Value(word, "id-xor")) {
    plan->id_xor = static_cast<uint16_t>(NumberOf(*id));
  } else if (auto opcode = Value(word, "opcode")) {
    plan->opcode = static_cast<uint8_t>(NumberOf(*opcode));
  } else if (auto qname = Value(word, "qname")) {
    plan->qname = NameOf(*qname);
  } else if (auto qtype = Value(word, "qtype")) {
    plan->qtype = TypeOf(*qtype);
  } else if (auto qclass = Value(word, "qclass")) {
    plan->qclass = static_cast<uint16_t>(NumberOf(*qclass));
  } else if (auto qdcount = Value(word, "qdcount")) {
    plan->qdcount = static_cast<uint16_t>(NumberOf(*qdcount));
  } else if (auto ancount = Value(word, "ancount")) {
    plan->ancount = static_cast<uint16_t>(NumberOf(*ancount));
  } else if (auto cookie = Value(word, "cookie")) {
    plan->cookie = FromHex(*cookie);
  } else if (auto cut = Value(word, "cut")) {
    plan->cut = static_cast<size_t>(NumberOf(*cut));
  } else if (auto pad = Value(word, "pad")) {
    plan->pad = static_cast<size_t>(NumberOf(*pad));
  } else {
    Fail("unknown word \"" + word + "\"");
  }
}

}  // namespace sekisho::replay
