// The tables that say which test shows what: attacks.tsv (row → tests) and resolver/core/limits.h (bound →
// test). A row without a test must say why, and a test that is named must exist.
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <map>
#include <set>
#include <sstream>
#include <string>
#include <vector>

namespace sekisho::replay {
namespace {

namespace fs = std::filesystem;

std::string ReadAll(const fs::path& path) {
  std::ifstream file(path);
  std::stringstream text;
  text << file.rdbuf();
  return text.str();
}

std::vector<std::string> Words(const std::string& text) {
  std::stringstream in(text);
  std::vector<std::string> words;
  for (std::string w; in >> w;) words.push_back(w);
  return words;
}

// "Suite.Case" of every TEST, TEST_F and TEST_P, "area/scenario" of every scenario, "test_x" of the system
// tests.
const std::set<std::string>& AllTests() {
  static const std::set<std::string> tests = [] {
    std::set<std::string> all;
    const fs::path root = fs::path(SEKISHO_SOURCE) / "tests";
    for (const auto& entry : fs::recursive_directory_iterator(root)) {
      const fs::path& path = entry.path();
      if (path.extension() == ".scn") {
        all.insert((path.parent_path().filename() / path.stem()).string());
        continue;
      }
      const bool python = path.extension() == ".py";
      if (!python && path.extension() != ".cc") continue;
      std::stringstream text(ReadAll(path));
      for (std::string line; std::getline(text, line);) {
        if (const size_t def = line.find("def test_"); python && def != std::string::npos) {
          all.insert(line.substr(def + 4, line.find('(') - def - 4));
        }
        const size_t open = line.find('(');
        const size_t comma = line.find(", ", open == std::string::npos ? 0 : open);
        const size_t close = line.find(')', open == std::string::npos ? 0 : open);
        if (!line.starts_with("TEST") || comma == std::string::npos || close == std::string::npos) continue;
        all.insert(line.substr(open + 1, comma - open - 1) + "." + line.substr(comma + 2, close - comma - 2));
      }
    }
    return all;
  }();
  return tests;
}

std::string Row(char letter, int number) {
  return std::string(1, letter) + (number < 10 ? "0" : "") + std::to_string(number);
}

TEST(AttackRows, EachRowNamesTestsThatExistOrSaysWhyThereIsNone) {
  std::map<std::string, std::string> rows;
  std::stringstream table(ReadAll(fs::path(SEKISHO_SOURCE) / "tests/replay/attacks.tsv"));
  for (std::string line; std::getline(table, line);) {
    if (line.empty() || line.starts_with("#")) continue;
    const size_t tab = line.find('\t');
    ASSERT_NE(tab, std::string::npos) << line;
    ASSERT_TRUE(rows.emplace(line.substr(0, tab), line.substr(tab + 1)).second) << line << ": twice";
  }
  for (const auto& [letter, count] : {std::pair('P', 36), std::pair('D', 50), std::pair('M', 14)}) {
    for (int i = 1; i <= count; ++i)
      EXPECT_TRUE(rows.contains(Row(letter, i))) << Row(letter, i) << " is missing";
  }
  for (const auto& [row, tests] : rows) {
    if (tests.starts_with("- ")) {
      EXPECT_GE(tests.size(), 12u) << row << " does not say why";
      continue;
    }
    for (const std::string& test : Words(tests)) {
      EXPECT_TRUE(AllTests().contains(test)) << row << ": there is no test " << test;
    }
  }
}

TEST(AttackRows, EachBoundNamesTheTestThatProvesIt) {
  std::stringstream header(ReadAll(fs::path(SEKISHO_SOURCE) / "resolver/core/limits.h"));
  std::string comment;
  bool in_comment = false;
  int bounds = 0;
  for (std::string line; std::getline(header, line);) {
    if (line.starts_with("//")) {
      if (!in_comment) comment.clear();
      in_comment = true;
      comment += line.substr(2) + " ";
      continue;
    }
    in_comment = false;
    if (!line.starts_with("inline constexpr")) continue;
    ++bounds;
    const size_t at = comment.find("Test: ");
    ASSERT_NE(at, std::string::npos) << line << ": no test is named above it";
    std::string names = comment.substr(at + 6);
    names.erase(names.find_last_not_of(" .") + 1);
    for (char& c : names) c = c == ',' ? ' ' : c;
    for (const std::string& test : Words(names)) {
      EXPECT_TRUE(AllTests().contains(test)) << line << ": there is no test " << test;
    }
  }
  EXPECT_GE(bounds, 30);
}

}  // namespace
}  // namespace sekisho::replay
