#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <iterator>

#include "storage/access/search_log.h"
#include "storage/access/token_store.h"

namespace sekisho::access {
namespace {

class AccessTest : public ::testing::Test {
 protected:
  void SetUp() override {
    dir_ = ::testing::TempDir() + "access-" + std::to_string(getpid()) + "-" +
           ::testing::UnitTest::GetInstance()->current_test_info()->name();
    std::filesystem::create_directories(dir_);
  }
  void TearDown() override { std::filesystem::remove_all(dir_); }
  std::string Path() const { return dir_ + "/tokens"; }

  std::string dir_;
  KernelRng rng_;
  std::string error_;
};

TEST_F(AccessTest, ATokenIsFoundByItsWholeTextAlone) {
  TokenStore store;
  std::string text;
  ASSERT_TRUE(
      store.Add({.role = Role::kAnalyst, .scope = Scope::kFirst, .name = "soc"}, rng_, &text, &error_));
  ASSERT_TRUE(store.Save(Path(), &error_)) << error_;
  const auto loaded = TokenStore::Load(Path(), &error_);
  ASSERT_TRUE(loaded) << error_;
  ASSERT_NE(loaded->Find(text), nullptr);
  EXPECT_EQ(loaded->Find(text)->name, "soc");
  EXPECT_EQ(loaded->Find(text)->scope, Scope::kFirst);
  for (size_t i = 0; i < text.size(); ++i) {
    std::string wrong = text;
    wrong[i] = wrong[i] == '0' ? '1' : '0';
    EXPECT_EQ(loaded->Find(wrong), nullptr) << i;
  }
  EXPECT_EQ(loaded->Find(text.substr(1)), nullptr);
  EXPECT_EQ(loaded->Find(""), nullptr);
}

TEST_F(AccessTest, TheFileHoldsNoSecret) {
  TokenStore store;
  std::string text;
  ASSERT_TRUE(store.Add({.role = Role::kAuditor, .name = "a"}, rng_, &text, &error_));
  ASSERT_TRUE(store.Save(Path(), &error_));
  std::ifstream in(Path());
  const std::string file(std::istreambuf_iterator<char>(in), {});
  EXPECT_EQ(file.find(text.substr(text.size() - 64)), std::string::npos);
  EXPECT_EQ(std::filesystem::status(Path()).permissions() & std::filesystem::perms::others_all,
            std::filesystem::perms::none);
}

TEST_F(AccessTest, WhatDoesNotFitARoleIsRefused) {
  TokenStore store;
  std::string text;
  EXPECT_FALSE(store.Add({.role = Role::kAgency, .name = "x"}, rng_, &text, &error_));
  EXPECT_FALSE(store.Add({.role = Role::kAnalyst, .agencies = {"a"}, .name = "x"}, rng_, &text, &error_));
  EXPECT_FALSE(
      store.Add({.role = Role::kAuditor, .scope = Scope::kFirst, .name = "x"}, rng_, &text, &error_));
  EXPECT_FALSE(store.Add({.role = Role::kAuditor, .name = ""}, rng_, &text, &error_));
  EXPECT_FALSE(store.Add({.role = Role::kAuditor, .name = "a\tb\n"}, rng_, &text, &error_));
  EXPECT_FALSE(store.Add({.role = Role::kAgency, .agencies = {"a,b"}, .name = "x"}, rng_, &text, &error_));
  EXPECT_TRUE(store.tokens().empty());
}

TEST_F(AccessTest, ABadFileLetsNobodyIn) {
  std::ofstream(Path()) << "not a token\n";
  EXPECT_FALSE(TokenStore::Load(Path(), &error_));
  EXPECT_NE(error_.find("line 1"), std::string::npos) << error_;
  TokenWatch watch(Path());
  EXPECT_EQ(watch.Current(&error_), nullptr);
  TokenStore store;
  std::string text;
  ASSERT_TRUE(store.Add({.role = Role::kAuditor, .name = "a"}, rng_, &text, &error_));
  ASSERT_TRUE(store.Save(Path(), &error_));
  ASSERT_NE(watch.Current(&error_), nullptr);
  EXPECT_NE(watch.Current(&error_)->Find(text), nullptr);
  ASSERT_TRUE(store.Remove(store.tokens()[0].id));
  ASSERT_TRUE(store.Save(Path(), &error_));
  EXPECT_EQ(watch.Current(&error_)->Find(text), nullptr);
}

TEST_F(AccessTest, SearchesComeBackWithTheirOutcome) {
  SearchLog log(dir_ + "/searches");
  constexpr int64_t kNoon = 1'769'860'800'000'000;
  Search a{.time_us = kNoon, .who = "soc", .purpose = "case \"7\"\n", .what = "/v1/lookups?name=x"};
  Search b{.time_us = kNoon + 1, .who = "soc"};
  ASSERT_TRUE(log.Begin(&a, &error_)) << error_;
  ASSERT_TRUE(log.Begin(&b, &error_));
  a.status = 200;
  a.rows = 12;
  ASSERT_TRUE(log.End(a, &error_));
  std::ofstream(dir_ + "/searches/2026-01.jsonl", std::ios::app) << "{\"id\":7}\n{\"torn";
  const auto found = log.List(0, INT64_MAX, 10, &error_);
  ASSERT_EQ(found.size(), 2u);
  EXPECT_EQ(found[0].status, 0);
  EXPECT_EQ(found[1].rows, 12u);
  EXPECT_EQ(found[1].purpose, "case \"7\"\n");
  EXPECT_EQ(log.List(kNoon + 1, INT64_MAX, 10, &error_).size(), 1u);
  EXPECT_EQ(log.List(0, INT64_MAX, 1, &error_).size(), 1u);
}

}  // namespace
}  // namespace sekisho::access
