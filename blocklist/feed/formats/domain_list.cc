// Plain lists, one name or URL a line:
//
//   line := blank* [ name | "*." name | "." name | url ] [ blank+ "#" … ] | "#" … | "!" … | ";" … | "//" …
#include "blocklist/feed/formats/parsers.h"

namespace sekisho::blocklist {
namespace {

class DomainListParser final : public FeedParser {
 public:
  void ParseLine(std::string_view line, uint64_t number, IndicatorSink& sink) override {
    std::string_view rest = line;
    const std::string_view word = TakeWord(rest);
    if (word.empty() || word.starts_with('#') || word.starts_with('!') || word.starts_with(';') ||
        word.starts_with("//")) {
      return;
    }
    if (!rest.empty() && !rest.starts_with('#')) {
      sink.OnError(MakeError(number, "more than one word in a line of a domain list", line));
      return;
    }
    Indicator indicator;
    indicator.line = number;
    if (word.find('/') != std::string_view::npos) {
      indicator.kind = IndicatorKind::kUrl;
      indicator.text = word;
      sink.OnIndicator(indicator);
      return;
    }
    EmitName(word, indicator, sink);
  }
};

}  // namespace

std::unique_ptr<FeedParser> MakeDomainListParser() { return std::make_unique<DomainListParser>(); }

}  // namespace sekisho::blocklist
