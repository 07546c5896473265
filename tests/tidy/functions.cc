#include "tests/tidy/functions.h"

#include <algorithm>
#include <cctype>
#include <set>
#include <sstream>

namespace sekisho::tidy {
namespace {

// Blanks out comments, preprocessor lines, strings and character literals, so that what is left has only real
// braces.
class Blanker {
 public:
  std::string Blank(const std::string& line) {
    std::string out;
    const bool directive = !in_comment_ && raw_end_.empty() && line.starts_with("#");
    for (size_t i = 0; i < line.size();) i = Step(line, i, &out);
    return directive ? std::string() : out;
  }

 private:
  // Takes what stands at `i`; returns where it ends.
  size_t Step(const std::string& line, size_t i, std::string* out) {
    if (in_comment_) return SkipTo(line, i, "*/", [this] { in_comment_ = false; });
    if (!raw_end_.empty()) return SkipTo(line, i, raw_end_, [this] { raw_end_.clear(); });
    if (line.compare(i, 2, "//") == 0) return line.size();
    if (line.compare(i, 2, "/*") == 0) {
      in_comment_ = true;
      return i + 2;
    }
    if (line.compare(i, 2, "R\"") == 0) {
      const size_t open = line.find('(', i);
      if (open == std::string::npos) return line.size();
      raw_end_ = ")" + line.substr(i + 2, open - i - 2) + "\"";
      return open + 1;
    }
    const bool digit_separator =
        line[i] == '\'' && i > 0 && std::isxdigit(static_cast<unsigned char>(line[i - 1])) != 0;
    if (line[i] == '"' || (line[i] == '\'' && !digit_separator)) return SkipLiteral(line, i);
    out->push_back(line[i]);
    return i + 1;
  }

  template <typename Done>
  static size_t SkipTo(const std::string& line, size_t i, const std::string& end, Done done) {
    const size_t at = line.find(end, i);
    if (at == std::string::npos) return line.size();
    const size_t after = at + end.size();
    done();
    return after;
  }

  static size_t SkipLiteral(const std::string& line, size_t i) {
    const char quote = line[i++];
    while (i < line.size() && line[i] != quote) i += line[i] == '\\' ? 2 : 1;
    return i + 1;
  }

  bool in_comment_ = false;
  std::string raw_end_;
};

bool IsFunctionHead(const std::string& head) {
  const size_t parameters = head.find('(');
  if (parameters == std::string::npos || head.find(')') == std::string::npos) return false;
  const std::string before = head.substr(0, parameters);
  if (before.find(" = ") != std::string::npos) return false;
  static const std::set<std::string> kOthers = {"namespace", "class", "struct", "enum", "union", "extern"};
  std::istringstream words(before);
  for (std::string word; words >> word;) {
    if (kOthers.contains(word)) return false;
  }
  return true;
}

}  // namespace

std::vector<Extent> FindFunctions(const std::vector<std::string>& lines) {
  std::vector<Extent> found;
  std::vector<bool> scopes;  // is the scope a function (or inside one)?
  Blanker blanker;
  std::string head;  // since the last ; { or }
  size_t head_line = 0;
  for (size_t i = 0; i < lines.size(); ++i) {
    for (const char c : blanker.Blank(lines[i]) + " ") {
      if (c == '{') {
        const bool inside = !scopes.empty() && scopes.back();
        const bool function = inside || IsFunctionHead(head);
        if (function && !inside) found.push_back({head_line, i});
        scopes.push_back(function);
      } else if (c == '}' && !scopes.empty()) {
        const bool function = scopes.back();
        scopes.pop_back();
        if (function && (scopes.empty() || !scopes.back())) found.back().last = i;
      }
      if (c == '{' || c == '}' || c == ';') {
        head.clear();
      } else if (!head.empty() || std::isspace(static_cast<unsigned char>(c)) == 0) {
        if (head.empty()) head_line = i;
        head.push_back(c);
      }
    }
  }
  return found;
}

}  // namespace sekisho::tidy
