// Adblock-style lists, as far as they speak of whole names:
//
//   line := "||" ["*."] name "^" ["|"] ["$" option ("," option)*]     name and everything under it
//         | "@@" line                                                 the publisher's exception
//         | name                                                      the name, scope by the feed's setting
//         | "!" … | "#" … | "[" … "]"
//
// Options that narrow a rule to page elements or third parties make it no matter for DNS; such lines are
// errors.
#include <array>

#include "blocklist/feed/formats/parsers.h"

namespace sekisho::blocklist {
namespace {

constexpr std::array<std::string_view, 5> kWholeNameOptions{"important", "all", "document", "doc", "popup"};

bool OptionsCoverWholeName(std::string_view options) {
  while (!options.empty()) {
    const std::string_view option = options.substr(0, options.find(','));
    bool known = false;
    for (const std::string_view whole : kWholeNameOptions) known = known || option == whole;
    if (!known) return false;
    options.remove_prefix(std::min(options.size(), option.size() + 1));
  }
  return true;
}

class AdblockParser final : public FeedParser {
 public:
  void ParseLine(std::string_view line, uint64_t number, IndicatorSink& sink) override {
    std::string_view rule = Trim(line);
    if (rule.empty() || rule.starts_with('!') || rule.starts_with('[') || rule.starts_with("# ") ||
        rule == "#") {
      return;
    }
    Indicator indicator;
    indicator.line = number;
    if (rule.starts_with("@@")) {
      indicator.allow = true;
      rule.remove_prefix(2);
    }
    if (const size_t dollar = rule.find('$'); dollar != std::string_view::npos) {
      if (!OptionsCoverWholeName(rule.substr(dollar + 1))) {
        sink.OnError(MakeError(number, "the rule's options make it no rule about a name", line));
        return;
      }
      rule = rule.substr(0, dollar);
    }
    if (rule.starts_with("||")) {
      rule.remove_prefix(2);
      if (rule.ends_with('|')) rule.remove_suffix(1);
      if (rule.ends_with('^')) rule.remove_suffix(1);
      indicator.scope = RuleScope::kSubtree;
    }
    const bool wildcard = rule.starts_with("*.");
    if (rule.empty() || rule.find_first_of("/^|#*:= ", wildcard ? 2 : 0) != std::string_view::npos) {
      sink.OnError(MakeError(number, "not a rule about a whole name", line));
      return;
    }
    EmitName(rule, indicator, sink);
  }
};

}  // namespace

std::unique_ptr<FeedParser> MakeAdblockParser() { return std::make_unique<AdblockParser>(); }

}  // namespace sekisho::blocklist
