#include "tests/tidy/checks.h"

#include <algorithm>
#include <functional>
#include <map>
#include <set>
#include <sstream>

#include "tests/tidy/functions.h"
#include "tests/tidy/rules.h"

namespace sekisho::tidy {
namespace {

std::string At(const File& file, size_t line, const std::string& what) {
  return file.path + ":" + std::to_string(line + 1) + ": " + what;
}

// The path between the quotes of an #include "…", or nothing.
std::string QuotedInclude(const std::string& line) {
  static const std::string kStart = "#include \"";
  if (!line.starts_with(kStart)) return {};
  const size_t end = line.find('"', kStart.size());
  return end == std::string::npos ? std::string() : line.substr(kStart.size(), end - kStart.size());
}

// proto_dns → proto/dns; resolver_core_validator → resolver/core. Empty: no target of ours.
std::string LeafOfTarget(const std::string& target) {
  std::string best;
  for (const auto& [leaf, allowed] : kAllowed) {
    std::string name = leaf;
    std::replace(name.begin(), name.end(), '/', '_');
    if ((target == name || target.starts_with(name + "_")) && leaf.size() > best.size()) best = leaf;
  }
  return best;
}

void CheckAgainst(const File& file, int file_lines, int function_lines, Breaches* out) {
  const auto lines = static_cast<int>(file.lines.size());
  if (lines > file_lines) {
    out->push_back(
        At(file, file.lines.size() - 1,
           "file has " + std::to_string(lines) + " lines, " + std::to_string(file_lines) + " allowed"));
  }
  for (const Extent& f : FindFunctions(file.lines)) {
    const auto length = static_cast<int>(f.last - f.first + 1);
    if (length > function_lines) {
      out->push_back(At(file, f.first,
                        "function has " + std::to_string(length) + " lines, " +
                            std::to_string(function_lines) + " allowed"));
    }
  }
}

}  // namespace

std::string LeafOf(const std::string& path) {
  std::string best;
  for (const auto& [leaf, allowed] : kAllowed) {
    if (path.starts_with(leaf + "/") && leaf.size() > best.size()) best = leaf;
  }
  return best;
}

void CheckIncludes(const File& file, Breaches* out) {
  const std::string from = LeafOf(file.path);
  if (from.empty()) {
    out->push_back(file.path + ":1: stands in a folder that the table of dependencies does not know");
    return;
  }
  for (size_t i = 0; i < file.lines.size(); ++i) {
    const std::string include = QuotedInclude(file.lines[i]);
    // abseil and protobuf are quoted by custom.
    if (include.empty() || include.starts_with("absl/") || include.starts_with("google/protobuf/")) continue;
    const std::string to = LeafOf(include);
    if (to.empty()) {
      out->push_back(
          At(file, i, "include \"" + include + "\" is not a path from the root into a known folder"));
    } else if (to != from && !kAllowed.at(from).contains(to)) {
      out->push_back(At(file, i, from + " may not include " + to));
    }
  }
}

void CheckBans(const File& file, Breaches* out) {
  for (const Ban& ban : kBans) {
    const auto excepted = [&](const std::string& prefix) { return file.path.starts_with(prefix); };
    if (std::any_of(ban.except.begin(), ban.except.end(), excepted)) continue;
    for (size_t i = 0; i < file.lines.size(); ++i) {
      const size_t at = file.lines[i].find(ban.text);
      const size_t comment = file.lines[i].find("//");
      if (at != std::string::npos && at < comment) {
        out->push_back(At(file, i, "\"" + ban.text + "\" is not allowed here: " + ban.why));
      }
    }
  }
}

void CheckLinks(const File& file, Breaches* out) {
  if (!file.path.ends_with("/CMakeLists.txt")) return;
  const std::string from = LeafOf(file.path);
  if (from.empty()) return;
  bool in_deps = false;
  for (size_t i = 0; i < file.lines.size(); ++i) {
    std::istringstream words(file.lines[i].substr(0, file.lines[i].find('#')));
    for (std::string word; words >> word;) {
      const bool ends = word.ends_with(")");
      if (ends) word.pop_back();
      if (word == "DEPS") {
        in_deps = true;
      } else if (in_deps) {
        const std::string to = LeafOfTarget(word);
        if (!to.empty() && to != from && !kAllowed.at(from).contains(to)) {
          out->push_back(At(file, i, from + " may not link " + word));
        }
      }
      if (ends || word == "SOURCES" || word == "PCH") in_deps = false;
    }
  }
}

void CheckSizes(const File& file, Breaches* out) {
  CheckAgainst(file, kMaxFileLines, kMaxFunctionLines, out);
}

void CheckWantedSizes(const File& file, Breaches* out) {
  CheckAgainst(file, kWantedFileLines, kWantedFunctionLines, out);
}

void CheckName(const File& file, Breaches* out) {
  std::string word;
  for (const char c : file.path + "/") {
    if (c == '/' || c == '_' || c == '.') {
      if (kBannedNames.contains(word))
        out->push_back(file.path + ":1: \"" + word + "\" says nothing about the content");
      word.clear();
    } else {
      word.push_back(c);
    }
  }
}

void CheckHeader(const File& file, Breaches* out) {
  if (!file.path.ends_with(".h")) return;
  std::string opening;
  for (const std::string& line : file.lines) {
    if (!line.starts_with("//")) break;
    opening += line + "\n";
  }
  for (const std::string& word : kHeaderWords) {
    if (opening.find(word) == std::string::npos) {
      out->push_back(file.path + ":1: the opening comment does not say \"" + word + "\"");
    }
  }
}

std::string FindCycle() {
  std::set<std::string> done;
  std::vector<std::string> path;
  std::function<std::string(const std::string&)> visit = [&](const std::string& at) -> std::string {
    if (const auto it = std::find(path.begin(), path.end(), at); it != path.end()) {
      std::string cycle;
      for (auto p = it; p != path.end(); ++p) cycle += *p + " -> ";
      return cycle + at;
    }
    if (done.contains(at)) return {};
    path.push_back(at);
    for (const std::string& to : kAllowed.at(at)) {
      if (std::string cycle = visit(to); !cycle.empty()) return cycle;
    }
    path.pop_back();
    done.insert(at);
    return {};
  };
  for (const auto& [leaf, allowed] : kAllowed) {
    if (std::string cycle = visit(leaf); !cycle.empty()) return cycle;
  }
  return {};
}

}  // namespace sekisho::tidy
