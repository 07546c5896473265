// Wildcard lists: each line is a name that stands for itself and everything under it:
//
//   line := blank* [ ["*" | "."] "."* name ] [ blank* "#" … ] | "!" … | ";" …
#include "blocklist/feed/formats/parsers.h"

namespace sekisho::blocklist {
namespace {

class WildcardListParser final : public FeedParser {
 public:
  void ParseLine(std::string_view line, uint64_t number, IndicatorSink& sink) override {
    std::string_view rest = line.substr(0, line.find('#'));
    const std::string_view word = TakeWord(rest);
    if (word.empty() || word.starts_with('!') || word.starts_with(';')) return;
    if (!rest.empty()) {
      sink.OnError(MakeError(number, "more than one word in a line of a wildcard list", line));
      return;
    }
    Indicator indicator;
    indicator.line = number;
    indicator.scope = RuleScope::kSubtree;
    EmitName(word, indicator, sink);
  }
};

}  // namespace

std::unique_ptr<FeedParser> MakeWildcardListParser() { return std::make_unique<WildcardListParser>(); }

}  // namespace sekisho::blocklist
