#include "proto/config/config.h"

#include <yaml-cpp/anchor.h>
#include <yaml-cpp/emitterstyle.h>
#include <yaml-cpp/eventhandler.h>
#include <yaml-cpp/yaml.h>

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <memory>
#include <sstream>
#include <utility>

#include "proto/config/printable.h"
#include "proto/config/yaml_fields.h"

namespace sekisho::config {
namespace {

std::string Line(std::string_view origin, const YAML::Mark& mark, std::string_view path,
                 std::string_view what) {
  std::string line(origin);
  if (!mark.is_null()) line += ":" + std::to_string(mark.line + 1) + ":" + std::to_string(mark.column + 1);
  line += ": ";
  if (!path.empty()) line.append(path).append(": ");
  return line.append(what);
}

absl::Status Joined(const std::vector<std::string>& lines) {
  std::string all;
  for (const std::string& line : lines) all += (all.empty() ? "" : "\n") + line;
  return absl::InvalidArgumentError(all);
}

// yaml-cpp's tree shows no difference between a node and its alias, and a few lines of aliases unfold into
// millions of nodes, so they are refused before there is a tree.
class AliasFinder : public YAML::EventHandler {
 public:
  void OnDocumentStart(const YAML::Mark&) override {}
  void OnDocumentEnd() override {}
  void OnNull(const YAML::Mark&, YAML::anchor_t) override {}
  void OnAlias(const YAML::Mark& mark, YAML::anchor_t) override {
    if (!found) at = mark;
    found = true;
  }
  void OnScalar(const YAML::Mark&, const std::string&, YAML::anchor_t, const std::string&) override {}
  void OnSequenceStart(const YAML::Mark& mark, const std::string&, YAML::anchor_t,
                       YAML::EmitterStyle::value) override {
    Deeper(mark);
  }
  void OnSequenceEnd() override { --depth_; }
  void OnMapStart(const YAML::Mark& mark, const std::string&, YAML::anchor_t,
                  YAML::EmitterStyle::value) override {
    Deeper(mark);
  }
  void OnMapEnd() override { --depth_; }

  bool found = false;
  bool too_deep = false;
  YAML::Mark at;

 private:
  void Deeper(const YAML::Mark& mark) {
    if (++depth_ > kMaxConfigDepth && !too_deep) {
      too_deep = true;
      at = mark;
    }
  }
  int depth_ = 0;
};

// Documents of the text; yaml-cpp reports by exception, which ends here.
absl::StatusOr<YAML::Node> ParseYaml(const std::string& text, std::string_view origin) {
  try {
    std::istringstream events(text);
    YAML::Parser parser(events);
    AliasFinder finder;
    int documents = 0;
    while (parser.HandleNextDocument(finder)) {
      if (++documents > 1)
        return Joined({Line(origin, YAML::Mark(), "", "holds more than one YAML document")});
      if (finder.found) return Joined({Line(origin, finder.at, "", "aliases ('*name') are not supported")});
      if (finder.too_deep) {
        return Joined({Line(origin, finder.at, "",
                            "nested deeper than " + std::to_string(kMaxConfigDepth) + " levels")});
      }
    }
    return YAML::Load(text);
  } catch (const YAML::Exception& e) {
    return Joined({Line(origin, e.mark, "", Printable(e.msg, 300))});
  } catch (const std::exception& e) {
    return Joined({Line(origin, YAML::Mark(), "", Printable(e.what(), 300))});
  }
}

// Defaults of list elements, which the defaults of the whole cannot hold.
void CompleteElements(Config* config) {
  for (Feed& feed : *config->mutable_blocklist()->mutable_feeds()) {
    if (!feed.has_interval_seconds()) feed.set_interval_seconds(3600);
    if (!feed.has_max_shrink_percent()) feed.set_max_shrink_percent(10);
    if (!feed.has_max_growth_percent()) feed.set_max_growth_percent(100);
    if (!feed.has_max_bytes()) feed.set_max_bytes(uint64_t{512} << 20);
    if (feed.format().empty()) feed.set_format("auto");
  }
}

absl::StatusOr<std::string> ReadFile(const std::string& path) {
  std::unique_ptr<std::FILE, int (*)(std::FILE*)> file(std::fopen(path.c_str(), "re"), &std::fclose);
  if (!file) return absl::NotFoundError(path + ": cannot open: " + std::strerror(errno));
  std::string text;
  char buffer[65536];
  size_t n = 0;
  while ((n = std::fread(buffer, 1, sizeof(buffer), file.get())) > 0) {
    text.append(buffer, n);
    if (text.size() > kMaxConfigBytes) break;
  }
  if (std::ferror(file.get())) return absl::InternalError(path + ": cannot read: " + std::strerror(errno));
  return text;
}

}  // namespace

absl::StatusOr<Config> ParseConfig(std::string_view yaml, std::string_view origin) {
  if (yaml.size() > kMaxConfigBytes) {
    return absl::InvalidArgumentError(std::string(origin) + ": larger than " +
                                      std::to_string(kMaxConfigBytes >> 20) + " MiB");
  }
  auto tree = ParseYaml(std::string(yaml), origin);
  if (!tree.ok()) return tree.status();
  Config config = DefaultConfig();
  YamlFields fields;
  try {
    fields.Fill(*tree, &config);
  } catch (const YAML::Exception& e) {
    return Joined({Line(origin, e.mark, "", Printable(e.msg, 300))});
  }
  std::vector<std::string> lines;
  for (const auto& p : fields.problems()) lines.push_back(Line(origin, p.mark, p.path, p.what));
  if (!lines.empty()) return Joined(lines);
  CompleteElements(&config);
  for (const Problem& p : Validate(config)) {
    if (lines.size() == kMaxProblems) break;
    lines.push_back(Line(origin, fields.PlaceOf(p.path), p.path, p.what));
  }
  if (!lines.empty()) return Joined(lines);
  return config;
}

absl::StatusOr<Config> LoadConfig(const std::string& path) {
  auto text = ReadFile(path);
  if (!text.ok()) return text.status();
  // A file that was cut short while somebody wrote it must not put every setting back.
  if (text->find_first_not_of(" \t\r\n") == std::string::npos) {
    return absl::InvalidArgumentError(path + ": is empty; for the defaults write a comment or {}");
  }
  return ParseConfig(*text, path);
}

}  // namespace sekisho::config
