#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <iostream>
#include <string>
#include <vector>

#include "tests/tidy/checks.h"
#include "tests/tidy/functions.h"
#include "tests/tidy/rules.h"

namespace sekisho::tidy {
namespace {

std::vector<File> ProductFiles() {
  std::vector<File> files;
  const std::filesystem::path root = SEKISHO_SOURCE_DIR;
  for (const char* top : {"proto", "blocklist", "resolver", "storage"}) {
    for (const auto& entry : std::filesystem::recursive_directory_iterator(root / top)) {
      const auto extension = entry.path().extension();
      const bool links = entry.path().filename() == "CMakeLists.txt";
      if (!entry.is_regular_file() || (extension != ".h" && extension != ".cc" && !links)) continue;
      File file;
      file.path = std::filesystem::relative(entry.path(), root).generic_string();
      std::ifstream in(entry.path());
      for (std::string line; std::getline(in, line);) file.lines.push_back(line);
      files.push_back(std::move(file));
    }
  }
  return files;
}

std::string Listed(const Breaches& breaches) {
  std::string all;
  for (const auto& b : breaches) all += b + "\n";
  return all;
}

using Check = void (*)(const File&, Breaches*);

void ExpectClean(Check check) {
  Breaches breaches;
  const auto files = ProductFiles();
  ASSERT_GT(files.size(), 50u);
  for (const File& file : files) {
    if (check == &CheckLinks || !file.path.ends_with(".txt")) check(file, &breaches);
  }
  EXPECT_TRUE(breaches.empty()) << Listed(breaches);
}

TEST(Tidy, DependenciesFollowTheTable) { ExpectClean(CheckIncludes); }
TEST(Tidy, LinksFollowTheTable) { ExpectClean(CheckLinks); }
TEST(Tidy, NothingBannedIsUsed) { ExpectClean(CheckBans); }
TEST(Tidy, FilesAndFunctionsStaySmall) { ExpectClean(CheckSizes); }
TEST(Tidy, WhatIsLargerThanWantedIsShown) {
  Breaches large;
  for (const File& file : ProductFiles()) CheckWantedSizes(file, &large);
  // A question to the reader, not a verdict.
  std::cout << Listed(large);
  RecordProperty("larger_than_wanted", static_cast<int>(large.size()));
}
TEST(Tidy, NamesSaySomething) { ExpectClean(CheckName); }
TEST(Tidy, HeadersStateTheirThreads) { ExpectClean(CheckHeader); }
TEST(Tidy, TheTableHasNoCycle) { EXPECT_EQ(FindCycle(), ""); }

// The checks find what they are for.
Breaches Found(Check check, const std::string& path, std::vector<std::string> lines) {
  Breaches breaches;
  check(File{path, std::move(lines)}, &breaches);
  return breaches;
}

TEST(TidySelf, FindsAForbiddenEdge) {
  const auto b =
      Found(CheckIncludes, "resolver/core/pipeline.cc", {"", "#include \"storage/lookups/store.h\""});
  ASSERT_EQ(b.size(), 1u);
  EXPECT_EQ(b[0], "resolver/core/pipeline.cc:2: resolver/core may not include storage/lookups");
  EXPECT_TRUE(Found(CheckIncludes, "resolver/core/x.cc", {"#include \"proto/dns/name.h\""}).empty());
  EXPECT_EQ(Found(CheckIncludes, "resolver/new/x.cc", {}).size(), 1u);
  EXPECT_EQ(Found(CheckIncludes, "resolver/core/x.cc", {"#include \"name.h\""}).size(), 1u);
}

TEST(TidySelf, FindsABannedInclude) {
  EXPECT_EQ(Found(CheckBans, "resolver/core/x.cc", {"#include <rocksdb/db.h>"}).size(), 1u);
  EXPECT_EQ(Found(CheckBans, "resolver/core/x.cc", {"  std::mt19937 g;"}).size(), 1u);
  EXPECT_TRUE(Found(CheckBans, "resolver/core/x.cc", {"// not std::mt19937"}).empty());
  EXPECT_TRUE(Found(CheckBans, "storage/lookups/x.cc", {"#include <rocksdb/db.h>"}).empty());
}

TEST(TidySelf, FindsWhatIsTooLarge) {
  std::vector<std::string> lines = {"void F() {"};
  lines.insert(lines.end(), kMaxFunctionLines, "  x();");
  lines.push_back("}");
  EXPECT_EQ(Found(CheckSizes, "a.cc", lines).size(), 1u);
  EXPECT_TRUE(Found(CheckSizes, "a.cc", {"void F() {", "  x();", "}"}).empty());
  EXPECT_EQ(Found(CheckSizes, "a.cc", std::vector<std::string>(kMaxFileLines + 1, "")).size(), 1u);
}

TEST(TidySelf, FindsAForbiddenLink) {
  const std::vector<std::string> lines = {"sekisho_library(resolver_core", "  SOURCES a.cc  # storage_x",
                                          "  DEPS proto_dns storage_lookups", "    absl::status)"};
  const auto b = Found(CheckLinks, "resolver/core/CMakeLists.txt", lines);
  ASSERT_EQ(b.size(), 1u) << Listed(b);
  EXPECT_EQ(b[0], "resolver/core/CMakeLists.txt:3: resolver/core may not link storage_lookups");
}

TEST(TidySelf, MeasuresFunctionsAsPeopleDo) {
  const std::vector<std::string> lines = {"namespace a {",                       // 0
                                          "struct S {",                          // 1
                                          "  int Get(int x,",                    // 2
                                          "          int y) const {",            // 3
                                          "    if (x == '{') return \"}\"[0];",  // 4
                                          "    auto f = [](int z) {",            // 5
                                          "      return z;  // }",               // 6
                                          "    };",                              // 7
                                          "    return f(y);",                    // 8
                                          "  }",                                 // 9
                                          "  int v = 1'000;",                    // 10
                                          "};",                                  // 11
                                          "const char kText[] = R\"({{{)\";",    // 12
                                          "const int kTable[] = {F(1), 2};",     // 13
                                          "void G() { S s{}; }",                 // 14
                                          "}"};
  const auto f = FindFunctions(lines);
  ASSERT_EQ(f.size(), 2u);
  EXPECT_EQ(f[0].first, 2u);
  EXPECT_EQ(f[0].last, 9u);
  EXPECT_EQ(f[1].first, 14u);
  EXPECT_EQ(f[1].last, 14u);
}

TEST(TidySelf, FindsAnEmptyNameAndASilentHeader) {
  EXPECT_EQ(Found(CheckName, "proto/base/string_util.h", {}).size(), 1u);
  EXPECT_TRUE(Found(CheckName, "proto/base/utility_pole.h", {}).empty());
  EXPECT_EQ(Found(CheckHeader, "a.h", {"// What it is.", "#ifndef A"}).size(), 1u);
  EXPECT_TRUE(Found(CheckHeader, "a.h", {"// What it is.", "// Threads: any."}).empty());
}

}  // namespace
}  // namespace sekisho::tidy
