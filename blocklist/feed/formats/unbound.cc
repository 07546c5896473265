// Unbound configuration that blocks; each zone stands for everything under it too:
//
//   line := "local-zone:" name type | "server:" | "local-data:" … | "#" …      name may stand in quotes
//
// Types that answer from elsewhere (transparent, typetransparent, nodefault) are errors; always_transparent
// is the publisher's exception. local-data lines only say what a redirected zone answers and are passed over.
#include <array>

#include "blocklist/feed/formats/parsers.h"

namespace sekisho::blocklist {
namespace {

constexpr std::array<std::string_view, 10> kBlockingTypes{
    "always_nxdomain", "always_null", "always_nodata", "always_refuse", "always_deny",
    "static",          "refuse",      "deny",          "redirect",      "inform_deny"};

std::string_view Unquote(std::string_view word) {
  if (word.size() >= 2 && word.front() == '"' && word.back() == '"') return word.substr(1, word.size() - 2);
  return word;
}

class UnboundParser final : public FeedParser {
 public:
  void ParseLine(std::string_view line, uint64_t number, IndicatorSink& sink) override {
    std::string_view rest = line.substr(0, line.find('#'));
    const std::string_view key = TakeWord(rest);
    if (key.empty() || key == "server:" || key == "local-data:" || key == "local-data-ptr:") return;
    if (key != "local-zone:") {
      sink.OnError(MakeError(number, "not a local-zone line", line));
      return;
    }
    Indicator indicator;
    indicator.line = number;
    indicator.scope = RuleScope::kSubtree;
    const std::string_view name = Unquote(TakeWord(rest));
    const std::string_view type = Unquote(TakeWord(rest));
    bool blocks = false;
    for (const std::string_view known : kBlockingTypes) blocks = blocks || type == known;
    indicator.allow = type == "always_transparent";
    if (name.empty() || (!blocks && !indicator.allow)) {
      sink.OnError(MakeError(number, "no zone type that blocks", line));
      return;
    }
    EmitName(name, indicator, sink);
  }
};

}  // namespace

std::unique_ptr<FeedParser> MakeUnboundParser() { return std::make_unique<UnboundParser>(); }

}  // namespace sekisho::blocklist
