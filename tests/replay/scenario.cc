#include "tests/replay/scenario.h"

#include <algorithm>
#include <cstdlib>
#include <sstream>
#include <tuple>

#include "blocklist/trie/trie_builder.h"
#include "proto/base/bytes.h"
#include "proto/dns/name_key.h"
#include "resolver/core/policy/policy_groups.h"

namespace sekisho::replay {
namespace {

constexpr uint64_t kSeed = 1;
// Everything must have come to rest by then.
constexpr Duration kRest = std::chrono::seconds(60);

Words Split(const std::string& line) {
  std::istringstream in(line);
  Words words;
  for (std::string word; in >> word && word[0] != '#';) words.push_back(word);
  return words;
}

}  // namespace

std::optional<Duration> ParseDuration(const std::string& text) {
  char* end = nullptr;
  const double n = std::strtod(text.c_str(), &end);
  const std::string unit = end;
  double seconds = 0;
  if (unit == "us") {
    seconds = n / 1e6;
  } else if (unit == "ms") {
    seconds = n / 1000;
  } else if (unit == "s") {
    seconds = n;
  } else if (unit == "m") {
    seconds = n * 60;
  } else if (unit == "h") {
    seconds = n * 3600;
  } else if (unit == "d") {
    seconds = n * 86400;
  } else {
    return std::nullopt;
  }
  if (end == text.c_str()) return std::nullopt;
  return Duration(static_cast<int64_t>(seconds * 1e6 + 0.5));
}

std::shared_ptr<const blocklist::PolicySnapshot> CompilePolicy(const std::vector<PolicyRule>& rules,
                                                               uint64_t generation, std::string* error) {
  std::vector<const PolicyRule*> sorted;
  for (const auto& r : rules) sorted.push_back(&r);
  std::sort(sorted.begin(), sorted.end(), [](const PolicyRule* a, const PolicyRule* b) {
    if (a->prefix && b->prefix) {
      return std::tuple(a->prefix->address(), a->prefix->mapped_length()) <
             std::tuple(b->prefix->address(), b->prefix->mapped_length());
    }
    if (a->prefix || b->prefix) return a->prefix.has_value();
    return std::tuple(dns::NameKey(a->name), a->scope) < std::tuple(dns::NameKey(b->name), b->scope);
  });
  blocklist::TrieBuilder builder;
  for (const PolicyRule* r : sorted) {
    const uint32_t source =
        builder.AddSource({.feeds = r->feeds, .category = r->category, .reference = r->reference});
    const auto s = r->prefix ? builder.AddAddress(*r->prefix, r->action, source)
                             : builder.Add(dns::NameKey(r->name), r->scope, r->action, source);
    if (!s.ok()) {
      *error = s.ToString();
      return nullptr;
    }
  }
  auto bytes = builder.Finish();
  if (!bytes.ok()) {
    *error = bytes.status().ToString();
    return nullptr;
  }
  auto kept = std::make_shared<const std::string>(*std::move(bytes));
  auto view = blocklist::TrieView::Open(AsBytes(*kept));
  if (!view.ok()) {
    *error = view.status().ToString();
    return nullptr;
  }
  return std::make_shared<const blocklist::PolicySnapshot>(generation, *view, std::nullopt, kept);
}

const Scenario::Directive Scenario::kDirectives[] = {
    {"use", &Scenario::Use},
    {"config", &Scenario::Config},
    {"block", &Scenario::Rule},
    {"allow", &Scenario::Rule},
    {"logonly", &Scenario::Rule},
    {"unblock", &Scenario::Rule},
    {"policy", &Scenario::AgencyPolicyLine},
    {"never-block", &Scenario::NeverBlock},
    {"rpz", &Scenario::PolicyZone},
    {"droprpz", &Scenario::DropPolicyZone},
    {"server", &Scenario::Server},
    {"zone", &Scenario::ZoneBlock},
    {"dropzone", &Scenario::DropZone},
    {"on", &Scenario::On},
    {"off", &Scenario::Off},
    {"ask", &Scenario::Ask},
    {"start", &Scenario::Start},
    {"packet", &Scenario::Packet},
    {"advance", &Scenario::Advance},
    {"settle", &Scenario::Settle},
    {"mark", &Scenario::Mark},
    {"leave", &Scenario::Leave},
    {"expect", &Scenario::Expect},
};

std::vector<Scenario::Line> Scenario::LinesOf(const std::string& text, const std::string& place) {
  std::vector<Line> out;
  std::istringstream in(text);
  for (std::string line; std::getline(in, line);)
    out.push_back({place + std::to_string(out.size() + 1), line});
  return out;
}

Scenario::Scenario(const std::string& text, std::string folder)
    : folder_(std::move(folder)), lines_(LinesOf(text, "line ")), harness_(kSeed, &network_) {
  settings_.validate = false;
  settings_.query_private_addresses = true;
  settings_.prefetch = false;
  settings_.root_hints.push_back({NameOf("ns.root-servers.test."), AddressOf("10.0.0.1")});
  const auto a = settings_.agencies.Add("agency-a");
  settings_.agencies.AddNetwork(a, *IpPrefix::Parse("192.0.2.0/24"));
  settings_.agencies.AddNetwork(a, *IpPrefix::Parse("2001:db8::/32"));
  const auto b = settings_.agencies.Add("agency-b");
  settings_.agencies.AddNetwork(b, *IpPrefix::Parse("198.51.100.0/24"));
}

std::optional<Words> Scenario::NextLine() {
  while (line_ < lines_.size()) {
    Words words = Split(lines_[line_++].text);
    if (!words.empty()) return words;
  }
  return std::nullopt;
}

void Scenario::Fail(const std::string& what) {
  failures_.push_back((line_ == 0 ? "start" : lines_[line_ - 1].place) + ": " + what);
}

bool Scenario::Run() {
  while (auto words = NextLine()) {
    const auto found = std::find_if(std::begin(kDirectives), std::end(kDirectives),
                                    [&](const Directive& d) { return words->front() == d.word; });
    if (found == std::end(kDirectives)) {
      Fail("unknown directive \"" + words->front() + "\"");
      return false;
    }
    (this->*found->run)(*words);
  }
  CheckEnd();
  return failures_.empty();
}

// Settings and policy are published when the next packet is about to come in.
void Scenario::Publish() {
  if (zones_changed_) {
    resolver::MakePolicyGroups(zone_agencies_, &settings_);
    settings_changed_ = true;
    harness_.Publish(std::make_shared<const resolver::rpz::Zones>(zones_));
  }
  zones_changed_ = false;
  if (settings_changed_) harness_.Publish(std::make_shared<const resolver::Settings>(settings_));
  settings_changed_ = false;
  if (policy_changed_) PublishPolicy();
  policy_changed_ = false;
}

void Scenario::PublishPolicy() {
  std::string error;
  auto snapshot = CompilePolicy(rules_, ++generation_, &error);
  if (snapshot == nullptr) return Fail("policy: " + error);
  harness_.Publish(std::move(snapshot));
}

// What must hold of every scenario, whatever it is about.
void Scenario::CheckEnd() {
  if (!harness_.RunUntilIdle(kRest)) Fail("the core does not come to rest");
  if (harness_.runaway()) Fail("too many events");
  const auto& c = harness_.counters();
  if (c.in_flight_questions.value() != 0) Fail("questions still in flight at the end");
  if (c.in_flight_upstream.value() != 0) Fail("upstream queries still in flight at the end");
  size_t unanswered = 0;
  for (const Asked& a : harness_.asked()) {
    if (a.ends > 1) Fail("a question had more than one reply");
    if (a.ends == 0) ++unanswered;
  }
  if (unanswered > left_) Fail(std::to_string(unanswered) + " questions had no reply");
  if (harness_.log().records().size() != c.questions.value())
    Fail("records: " + std::to_string(harness_.log().records().size()) +
         ", questions: " + std::to_string(c.questions.value()));
  for (const auto& e : network_.errors()) failures_.push_back("network: " + e);
}

std::string Scenario::Trace() const {
  std::string out;
  for (const auto& line : harness_.trace()) out += line + "\n";
  return out;
}

dns::Name Scenario::NameOf(const std::string& text) {
  auto name = dns::Name::Parse(text);
  if (!name) Fail("\"" + text + "\" is no name");
  return name.value_or(dns::Name());
}

dns::RRType Scenario::TypeOf(const std::string& text) {
  const auto type = dns::ParseRRType(text);
  if (!type) Fail("\"" + text + "\" is no type");
  return type.value_or(dns::RRType::kNone);
}

IpAddress Scenario::AddressOf(const std::string& text) {
  const auto address = IpAddress::Parse(text);
  if (!address) Fail("\"" + text + "\" is no address");
  return address.value_or(IpAddress());
}

Duration Scenario::DurationOf(const std::string& text) {
  const auto d = ParseDuration(text);
  if (!d) Fail("\"" + text + "\" is no duration");
  return d.value_or(Duration(0));
}

long Scenario::NumberOf(const std::string& text) {
  char* end = nullptr;
  const long n = std::strtol(text.c_str(), &end, 0);
  if (text.empty() || *end != '\0') Fail("\"" + text + "\" is no number");
  return n;
}

}  // namespace sekisho::replay
