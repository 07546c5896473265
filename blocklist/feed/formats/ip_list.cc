// Lists of addresses and prefixes:
//
//   line := blank* [ address [ "/" length ] [ ":" port ] ] [ blank* ("#" | ";" | "," | blank) note ]
//
// The note after a comment sign is kept as reference (Spamhaus DROP writes its case number there).
#include "blocklist/feed/formats/parsers.h"

namespace sekisho::blocklist {
namespace {

class IpListParser final : public FeedParser {
 public:
  void ParseLine(std::string_view line, uint64_t number, IndicatorSink& sink) override {
    const std::string_view whole = Trim(line);
    if (whole.empty() || whole.starts_with('#') || whole.starts_with(';') || whole.starts_with('!') ||
        whole.starts_with("//")) {
      return;
    }
    const size_t end = std::min(whole.find_first_of(" \t#;,"), whole.size());
    const std::string_view note = whole.substr(end);
    Indicator indicator;
    indicator.kind = IndicatorKind::kAddress;
    indicator.text = whole.substr(0, end);
    indicator.line = number;
    if (const size_t begin = note.find_first_not_of(" \t#;,"); begin != std::string_view::npos) {
      indicator.reference = Trim(note.substr(begin));
    }
    sink.OnIndicator(indicator);
  }
};

}  // namespace

std::unique_ptr<FeedParser> MakeIpListParser() { return std::make_unique<IpListParser>(); }

}  // namespace sekisho::blocklist
