// Maltrail's static trails: one file for each malware family or actor, things of all kinds mixed:
//
//   list    := (FS file-name LF line*)*        several files in one body; FS is 0x1c
//   line    := [ trail ] [ blank* "#" note ]
//   trail   := name | url | address [ ":" port ] | "/" path | …
//   "# Reference: " url                        where the trails after it, up to the next empty line, are
//   explained
//
// The file's name without ".txt" is the reference of its trails. Paths say nothing to a resolver and are
// passed over. Standards: github.com/stamparm/maltrail, "trails/static".
#include <string>

#include "blocklist/feed/formats/parsers.h"
#include "blocklist/feed/formats/record.h"
#include "blocklist/feed/list_archive.h"

namespace sekisho::blocklist {
namespace {

constexpr std::string_view kReference = "# Reference:";
constexpr size_t kMaxFamily = 100;

class MaltrailParser final : public FeedParser {
 public:
  void ParseLine(std::string_view line, uint64_t number, IndicatorSink& sink) override {
    if (line.starts_with(kFileMark)) {
      family_ = line.substr(1, kMaxFamily);
      if (const size_t slash = family_.rfind('/'); slash != std::string::npos) family_.erase(0, slash + 1);
      family_ = family_.substr(0, family_.find('.'));
      link_.clear();
      return;
    }
    if (line.starts_with(kReference)) {
      if (in_trails_) link_.clear();
      in_trails_ = false;
      if (link_.empty()) link_ = Trim(line.substr(kReference.size()));
      return;
    }
    std::string_view rest = line.substr(0, line.find('#'));
    const std::string_view trail = TakeWord(rest);
    if (trail.empty()) return;
    in_trails_ = true;
    if (!rest.empty() || trail.starts_with('/') || trail.find('.') == std::string_view::npos) {
      sink.OnPassedOver(MakeError(number, "a trail that is no name, URL or address", line));
      return;
    }
    Indicator indicator;
    indicator.line = number;
    indicator.reference = family_;
    indicator.link = link_;
    EmitByLooks(trail, indicator, sink);
  }

 private:
  std::string family_;
  std::string link_;
  bool in_trails_ = false;
};

}  // namespace

std::unique_ptr<FeedParser> MakeMaltrailParser() { return std::make_unique<MaltrailParser>(); }

}  // namespace sekisho::blocklist
