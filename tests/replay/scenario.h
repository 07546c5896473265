// Scenario: runs one .scn file line by line against a CoreHarness and gathers what did not hold.
//
// tests/replay/README.md describes the format. Words are separated by blanks; a "#" at the start of a word
// begins a comment; blocks end with "end".
//
// Threads: one. Limits: for tests.
#ifndef SEKISHO_TESTS_REPLAY_SCENARIO_H_
#define SEKISHO_TESTS_REPLAY_SCENARIO_H_

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "blocklist/trie/rule.h"
#include "resolver/core/settings.h"
#include "tests/replay/harness.h"
#include "tests/replay/network.h"

namespace sekisho::replay {

using Words = std::vector<std::string>;

// "200us", "150ms", "5s", "2m", "1h", "1d".
std::optional<Duration> ParseDuration(const std::string& text);

// The rules of the policy in force, as the scenario gave them.
struct PolicyRule {
  dns::Name name;
  std::optional<IpPrefix> prefix{};  // instead of the name
  blocklist::RuleScope scope = blocklist::RuleScope::kSubtree;
  blocklist::RuleAction action = blocklist::RuleAction::kBlock;
  std::string feeds = "test-feed";
  std::string category = "test";
  std::string reference{};
};
std::shared_ptr<const blocklist::PolicySnapshot> CompilePolicy(const std::vector<PolicyRule>& rules,
                                                               uint64_t generation, std::string* error);

class Scenario {
 public:
  // `folder` holds what "use NAME" brings in: NAME.net.
  Scenario(const std::string& text, std::string folder);

  // True when everything held. Afterwards failures() and trace() tell.
  bool Run();
  const std::vector<std::string>& failures() const { return failures_; }
  std::string Trace() const;

 private:
  using Handler = void (Scenario::*)(const Words&);
  struct Directive {
    const char* word;
    Handler run;
  };
  static const Directive kDirectives[];

  // scenario.cc
  std::optional<Words> NextLine();
  void Fail(const std::string& what);
  void Publish();
  void PublishPolicy();
  void CheckEnd();
  dns::Name NameOf(const std::string& text);
  dns::RRType TypeOf(const std::string& text);
  IpAddress AddressOf(const std::string& text);
  Duration DurationOf(const std::string& text);
  long NumberOf(const std::string& text);

  // scenario_setup.cc
  void Use(const Words& w);
  void Config(const Words& w);
  void ConfigList(const Words& w);
  void Rule(const Words& w);
  void PolicyZone(const Words& w);
  void DropPolicyZone(const Words& w);
  void AgencyPolicyLine(const Words& w);
  bool AgencyPolicyWord(const std::string& key, const std::string& value, resolver::AgencyPolicy* policy);
  void NeverBlock(const Words& w);
  bool PolicyZoneWord(const std::string& word, resolver::rpz::ZoneConfig* config,
                      std::vector<resolver::AgencyTable::Id>* agencies);
  void Server(const Words& w);
  void ZoneBlock(const Words& w);
  void DropZone(const Words& w);
  void On(const Words& w);
  void Off(const Words& w);
  ReplyPlan PlanOf(const Words& w);
  void PlanWord(const std::string& word, ReplyPlan* plan);

  // scenario_ask.cc
  void Ask(const Words& w);
  void Start(const Words& w);
  void Packet(const Words& w);
  void Advance(const Words& w);
  void Settle(const Words& w);
  void Mark(const Words& w);
  void Leave(const Words& w);
  void SendQuestions(const Words& w, bool wait);
  std::vector<uint8_t> CookieToSend(const std::string& kind) const;
  void NoteQuestion(size_t number, const std::string& label);

  // scenario_expect.cc
  void Expect(const Words& w);
  void ExpectReply(const Words& w);
  void ExpectSection(const Words& w, dns::Section section);
  void ExpectUpstream(const Words& w);
  void ExpectGap(const Words& w);
  void ExpectQuery(const Words& w);
  void ExpectRecord(const Words& w);
  void ExpectCounter(const Words& w);
  void ExpectEde(const Words& w);
  void ExpectAbsent(const Words& w);
  void ExpectAllAnswered(const Words& w);
  void ExpectPulse(const Words& w);
  bool Compare(long actual, const std::string& op, const std::string& wanted, const std::string& what);
  const Asked& Current() const { return harness_.asked(current_); }

  struct Line {
    std::string place;  // "line 12", "internet:3"
    std::string text;
  };
  static std::vector<Line> LinesOf(const std::string& text, const std::string& place);

  std::string folder_;
  std::vector<Line> lines_;
  size_t line_ = 0;
  std::vector<std::string> failures_;

  ScriptedNetwork network_;
  CoreHarness harness_;
  resolver::Settings settings_;
  std::vector<PolicyRule> rules_;
  // Response policy zones in their order, and the agencies of each (none: all).
  std::vector<std::vector<resolver::AgencyTable::Id>> zone_agencies_;
  resolver::rpz::Zones zones_;
  bool zones_changed_ = false;
  uint64_t generation_ = 0;
  bool settings_changed_ = true;
  bool policy_changed_ = false;

  std::map<std::string, size_t> labels_;
  size_t current_ = 0;
  size_t mark_ = 0;  // first upstream query that counts
  uint16_t next_port_ = 20000;
  uint16_t next_id_ = 1;
  size_t left_ = 0;  // clients that went away
};

}  // namespace sekisho::replay

#endif  // SEKISHO_TESTS_REPLAY_SCENARIO_H_
