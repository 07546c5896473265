// CollectingSink: keeps what a parser says, as texts.
//
// Threads: one.
#ifndef SEKISHO_TESTS_UNIT_BLOCKLIST_FEED_COLLECTING_SINK_H_
#define SEKISHO_TESTS_UNIT_BLOCKLIST_FEED_COLLECTING_SINK_H_

#include <string>
#include <vector>

#include "blocklist/feed/format.h"
#include "blocklist/feed/line_splitter.h"

namespace sekisho::blocklist {

class CollectingSink final : public IndicatorSink {
 public:
  // "name" or "url TEXT", then " exact"/" subtree" when the format says it, " allow", " (reference)".
  void OnIndicator(const Indicator& indicator) override {
    static constexpr const char* kKinds[] = {"", "url ", "ip ", "ns ", "ns-ip ", "client-ip "};
    std::string text = kKinds[static_cast<size_t>(indicator.kind)];
    text += indicator.text;
    if (indicator.scope) text += *indicator.scope == RuleScope::kSubtree ? " subtree" : " exact";
    if (indicator.allow) text += " allow";
    if (!indicator.reference.empty()) text += " (" + std::string(indicator.reference) + ")";
    if (!indicator.actor.empty()) text += " by " + std::string(indicator.actor);
    if (!indicator.category.empty()) text += " {" + std::string(indicator.category) + "}";
    if (indicator.confidence != 0) text += " " + std::to_string(indicator.confidence) + "%";
    if (!indicator.marking.empty()) text += " " + std::string(indicator.marking);
    if (!indicator.action_data.empty()) text += " [" + std::string(indicator.action_data) + "]";
    links.emplace_back(indicator.link);
    actions.push_back(indicator.action);
    valid_until.push_back(indicator.valid_until_us);
    indicators.push_back(std::move(text));
    times.push_back(indicator.reported_us);
  }
  void OnError(const LineError& error) override {
    error_lines.push_back(error.line);
    reasons.emplace_back(error.reason);
  }

  void OnPassedOver(const LineError&) override { ++passed_over; }

  std::vector<std::string> indicators;
  std::vector<std::string> links;
  std::vector<IndicatorAction> actions;
  std::vector<int64_t> valid_until;
  size_t passed_over = 0;
  std::vector<int64_t> times;
  std::vector<uint64_t> error_lines;
  std::vector<std::string> reasons;
};

inline CollectingSink ParseAll(Format format, std::string_view text, const FieldMap& fields = {}) {
  CollectingSink sink;
  auto parser = MakeParser(format, fields);
  if (IsDocument(format)) {
    parser->ParseDocument(std::string(text), sink);
    return sink;
  }
  LineSplitter lines([&](std::string_view line, uint64_t number) { parser->ParseLine(line, number, sink); },
                     [&](std::string_view, uint64_t number) {
                       sink.OnError({.line = number, .reason = "too long", .text = {}});
                     });
  lines.Push(text);
  lines.Finish();
  parser->Finish(sink);
  return sink;
}

}  // namespace sekisho::blocklist

#endif  // SEKISHO_TESTS_UNIT_BLOCKLIST_FEED_COLLECTING_SINK_H_
