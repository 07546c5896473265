#include "storage/hunt/hunt.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>

#include "blocklist/snapshot/snapshot_writer.h"
#include "blocklist/trie/trie_builder.h"
#include "proto/dns/name_key.h"
#include "storage/events/event_log.h"
#include "storage/hunt/rule_watch.h"
#include "storage/lookups/ingest.h"
#include "tests/unit/proto/record/random_lookups.h"

namespace sekisho::hunt {
namespace {

namespace fs = std::filesystem;
using record::LookupRecord;

constexpr int64_t kMidnight = int64_t{20'000} * 86'400 * 1'000'000;

class HuntTest : public ::testing::Test {
 protected:
  void SetUp() override {
    std::string pattern = fs::temp_directory_path() / "sekisho-hunt-XXXXXX";
    ASSERT_NE(mkdtemp(pattern.data()), nullptr);
    dir_ = pattern;
    fs::create_directory(dir_ + "/spool");
  }
  void TearDown() override { fs::remove_all(dir_); }

  std::string dir_;
  record::RandomLookups random_{5};
};

bool Meets(const HuntRule& rule, const LookupRecord& r) {
  if (!rule.agencies.empty() && r.agency != rule.agencies[0]) return false;
  if (rule.prefix) {
    return std::any_of(r.answers.begin(), r.answers.end(), [&](const record::AnswerItem& item) {
      const auto address = IpAddress::FromRdata(AsBytes(item.rdata));
      return (item.type == dns::RRType::kA || item.type == dns::RRType::kAAAA) && address &&
             rule.prefix->Contains(*address);
    });
  }
  const std::string key = dns::NameKey(r.qname);
  return rule.subtree ? key.starts_with(rule.name_key) : key == rule.name_key;
}

TEST_F(HuntTest, FindsWhatAScanOfAllLookupsFinds) {
  std::vector<LookupRecord> all;
  record::SpoolWriter writer({.dir = dir_ + "/spool", .node = 1, .boot = 1});
  record::BlockBuilder builder({.seed = 1});
  record::BlockChain chain;
  for (int b = 0; b < 30; ++b) {
    for (int i = 0; i < 100; ++i) {
      all.push_back(random_.Next(kMidnight - 20'000'000 + b * 2'000'000, false));
      all.back().generation = random_.Below(10);
      builder.AddRecord(all.back());
    }
    const auto block = builder.Finish(chain, true);
    ASSERT_EQ(writer.Append(block.bytes, MonoTime()), record::SpoolWriter::Outcome::kWritten);
    chain.Advance(block.header, block.digest);
  }
  std::string error;
  auto store = lookups::LookupStore::Open({.dir = dir_ + "/lookups", .block_rows = 500, .seed = 3}, &error);
  ASSERT_TRUE(store) << error;
  lookups::Ingest ingest(dir_ + "/spool", store.get(), 1'000'000);
  while (ingest.Tick(Now{})) {
  }
  ASSERT_TRUE(store->Import(&error)) << error;  // the rest is found in the tail
  std::vector<HuntRule> rules;
  for (int i = 0; i < 60; ++i) {
    const dns::Name name = random_.SomeName();
    if (!name.IsRoot()) rules.push_back({dns::NameKey(name), random_.OneIn(2), "list"});
  }
  for (const LookupRecord& r : all) {
    for (const record::AnswerItem& item : r.answers) {
      const auto address = IpAddress::FromRdata(AsBytes(item.rdata));
      if (rules.size() >= 160 || !address || !random_.OneIn(4)) continue;
      const int length = random_.OneIn(2) ? (address->is_v4() ? 32 : 128) : (address->is_v4() ? 20 : 44);
      rules.push_back({"", false, "list", IpPrefix::Make(*address, length)});
      if (random_.OneIn(3)) rules.back().agencies = {r.agency};
    }
  }
  constexpr uint64_t kGeneration = 7;
  std::string partial;
  const auto findings = HuntLookups(*store, rules, kGeneration, [] { return false; }, &partial);
  ASSERT_TRUE(findings);
  EXPECT_EQ(partial, "");
  size_t met = 0;
  for (size_t i = 0; i < rules.size(); ++i) {
    std::map<std::string, Contact> want;
    std::map<std::string, std::set<std::array<uint8_t, 16>>> clients;
    for (const LookupRecord& r : all) {
      if (!Meets(rules[i], r) || r.generation >= kGeneration) continue;
      const bool blocked = r.action >= record::Action::kNxdomain && r.action <= record::Action::kDrop;
      Contact& c = want[r.agency];
      ++c.lookups;
      c.answered += !blocked && !r.answers.empty() ? 1 : 0;
      c.first_us = std::min(c.first_us, UnixMicros(r.time));
      c.last_us = std::max(c.last_us, UnixMicros(r.time));
      clients[r.agency].insert(r.client.address.mapped());
    }
    ASSERT_EQ(findings->contains(i), !want.empty());
    if (want.empty()) continue;
    ++met;
    const Finding& found = findings->at(i);
    ASSERT_EQ(found.size(), want.size());
    for (const auto& [agency, c] : want) {
      const AgencyFinding& f = found.at(agency);
      EXPECT_EQ(f.sum.lookups, c.lookups);
      EXPECT_EQ(f.sum.answered, c.answered);
      EXPECT_EQ(f.sum.first_us, c.first_us);
      EXPECT_EQ(f.sum.last_us, c.last_us);
      EXPECT_EQ(f.clients.size(), clients[agency].size());
    }
  }
  EXPECT_GT(met, 80u);
}

void Publish(blocklist::SnapshotWriter* writer, const std::vector<std::string>& names,
             const std::vector<std::string>& prefixes = {}, const std::string& feeds = "list") {
  blocklist::TrieBuilder builder;
  const uint32_t source = builder.AddSource({.feeds = feeds, .category = "", .reference = ""});
  for (const std::string& prefix : prefixes) {
    ASSERT_TRUE(builder.AddAddress(*IpPrefix::Parse(prefix), blocklist::RuleAction::kBlock, source).ok());
  }
  for (const std::string& name : names) {
    ASSERT_TRUE(builder
                    .Add({dns::NameKey(*dns::Name::Parse(name)), blocklist::RuleScope::kSubtree,
                          blocklist::RuleAction::kBlock, source})
                    .ok());
  }
  ASSERT_TRUE(
      writer
          ->Publish([&](const blocklist::TrieBuilder::Writer& write) { return builder.Finish(write); },
                    nullptr)
          .ok());
}

std::vector<std::string> Names(const std::optional<FreshRules>& fresh) {
  std::vector<std::string> out;
  if (fresh) {
    for (const HuntRule& rule : fresh->rules)
      out.push_back(rule.prefix ? rule.prefix->ToString() : dns::NameFromKey(rule.name_key)->ToString());
  }
  return out;
}

TEST_F(HuntTest, EachRuleIsFreshOnceThroughRestarts) {
  auto writer = blocklist::SnapshotWriter::Open(dir_ + "/snapshots", {});
  ASSERT_TRUE(writer.ok());
  std::string error;
  const auto look = [&](RuleWatch& watch) {
    auto fresh = watch.Look(&error);
    return fresh ? fresh : watch.Look(&error);
  };
  Publish(&*writer, {"a.test.", "b.test."});
  fs::create_directory(dir_ + "/events");
  {
    RuleWatch watch(dir_ + "/snapshots", dir_ + "/events");
    EXPECT_FALSE(watch.Look(&error)) << "at the first look it may be too early";
    EXPECT_EQ(Names(watch.Look(&error)), (std::vector<std::string>{"a.test.", "b.test."})) << error;
  }  // died before the hunt was done
  RuleWatch watch(dir_ + "/snapshots", dir_ + "/events");
  EXPECT_EQ(Names(look(watch)), (std::vector<std::string>{"a.test.", "b.test."}));
  ASSERT_TRUE(watch.Done(&error)) << error;
  EXPECT_FALSE(look(watch));
  Publish(&*writer, {"a.test.", "aa.test.", "c.test."});
  RuleWatch after(dir_ + "/snapshots", dir_ + "/events");
  EXPECT_EQ(Names(look(after)), (std::vector<std::string>{"aa.test.", "c.test."}));
  ASSERT_TRUE(after.Done(&error));
  Publish(&*writer, {"a.test.", "b.test."});
  EXPECT_EQ(Names(look(after)), (std::vector<std::string>{"b.test."})) << "it came back";
  ASSERT_TRUE(after.Done(&error));
  Publish(&*writer, {"a.test."}, {"198.51.100.0/24", "203.0.113.9", "2001:db8::/32"});
  EXPECT_EQ(Names(look(after)),
            (std::vector<std::string>{"198.51.100.0/24", "203.0.113.9/32", "2001:db8::/32"}));
  ASSERT_TRUE(after.Done(&error));
  Publish(&*writer, {"a.test.", "b.test."}, {"198.51.100.0/24", "203.0.113.0/24"}, "local@alpha, local@beta");
  const auto fresh = look(after);
  EXPECT_EQ(Names(fresh), (std::vector<std::string>{"b.test.", "203.0.113.0/24"}));
  for (const HuntRule& rule : fresh->rules)
    EXPECT_EQ(rule.agencies, (std::vector<std::string>{"alpha", "beta"}));
  EXPECT_EQ(error, "");
}

TEST_F(HuntTest, EventsAreKeptOnceAndConfined) {
  events::EventLog log(dir_ + "/events.jsonl");
  Finding finding;
  for (const char* agency : {"alpha", "beta"}) {
    AgencyFinding& f = finding[agency];
    f.sum = {2, 1, kMidnight, kMidnight + 5'000'000};
    f.clients[{1, 2, 3}] = f.sum;
    f.addresses.insert({1});
  }
  const HuntRule rule{dns::NameKey(*dns::Name::Parse("evil.test.")), true, "list"};
  const std::string line = EventLine(rule, finding, 9, kMidnight, "0011", "");
  std::string error;
  ASSERT_TRUE(log.Append({line}, &error)) << error;
  std::ofstream(log.path(), std::ios::app) << "{\"id\":\"torn";
  ASSERT_TRUE(log.Append({line, EventLine(rule, finding, 9, kMidnight, "0012", "")}, &error)) << error;
  std::vector<std::string> ids;
  ASSERT_TRUE(events::EventLog::Read(log.path(), [&](std::string_view l) {
    const auto j = nlohmann::json::parse(l, nullptr, false);
    if (j.is_object()) ids.push_back(j["id"]);
    return true;
  }));
  EXPECT_EQ(ids, (std::vector<std::string>{"0011", "0012"}));
  const auto whole = nlohmann::json::parse(line);
  EXPECT_EQ(whole["lookups"], 4);
  EXPECT_EQ(whole["rule"], "*.evil.test.");
  const auto own = nlohmann::json::parse(events::ConfineEvent(line, {"beta"}));
  EXPECT_EQ(own["lookups"], 2);
  EXPECT_EQ(own["agencies"].size(), 1u);
  EXPECT_EQ(own["agencies"][0]["agency"], "beta");
  EXPECT_EQ(events::ConfineEvent(line, {"gamma"}), "");
  EXPECT_EQ(events::ConfineEvent("no json", {"beta"}), "");
}

}  // namespace
}  // namespace sekisho::hunt
