// One test case for each file under scenarios/.
#include <gtest/gtest.h>

#include <algorithm>
#include <cctype>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <string>
#include <vector>

#include "tests/replay/scenario.h"

namespace sekisho::replay {
namespace {

std::vector<std::string> ScenarioFiles() {
  std::vector<std::string> out;
  for (const auto& entry : std::filesystem::recursive_directory_iterator(SEKISHO_SCENARIOS)) {
    if (entry.path().extension() == ".scn")
      out.push_back(std::filesystem::relative(entry.path(), SEKISHO_SCENARIOS).string());
  }
  std::sort(out.begin(), out.end());
  return out;
}

std::string CaseName(const testing::TestParamInfo<std::string>& info) {
  std::string name = info.param.substr(0, info.param.size() - 4);
  for (char& c : name) {
    if (!std::isalnum(static_cast<unsigned char>(c))) c = '_';
  }
  return name;
}

class Replay : public testing::TestWithParam<std::string> {};

TEST_P(Replay, Scenario) {
  std::ifstream file(std::filesystem::path(SEKISHO_SCENARIOS) / GetParam());
  std::stringstream text;
  text << file.rdbuf();
  Scenario scenario(text.str(), SEKISHO_SCENARIOS);
  if (scenario.Run()) return;
  std::string failures;
  for (const auto& f : scenario.failures()) failures += "\n    " + f;
  ADD_FAILURE() << GetParam() << failures << "\n" << scenario.Trace();
}

INSTANTIATE_TEST_SUITE_P(All, Replay, testing::ValuesIn(ScenarioFiles()), CaseName);

}  // namespace
}  // namespace sekisho::replay
