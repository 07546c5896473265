// Indicator and LineError: what one line of a threat list says, and what is wrong with a line that says
// nothing.
//
// An indicator is text as the publisher wrote it; blocklist/merge makes a name of it and judges it.
//
// Threads: values that point into the line being parsed: valid during the sink's call only.
#ifndef SEKISHO_BLOCKLIST_FEED_INDICATOR_H_
#define SEKISHO_BLOCKLIST_FEED_INDICATOR_H_

#include <cstdint>
#include <optional>
#include <string_view>

#include "blocklist/trie/rule.h"

namespace sekisho::blocklist {

enum class IndicatorKind : uint8_t { kName, kUrl };

struct Indicator {
  IndicatorKind kind = IndicatorKind::kName;
  std::string_view text;           // name or URL
  std::optional<RuleScope> scope;  // when the format itself says it; else the feed's setting decides
  bool allow = false;              // the publisher's own exception
  std::string_view reference;      // brand, family, …; UTF-8 as published
  int64_t reported_us = 0;         // when the publisher saw it; 0: not said
  uint64_t line = 0;
};

struct LineError {
  uint64_t line = 0;  // from 1
  std::string_view reason;
  std::string_view text;  // the line, cut; not escaped
};

class IndicatorSink {
 public:
  virtual ~IndicatorSink() = default;
  virtual void OnIndicator(const Indicator& indicator) = 0;
  virtual void OnError(const LineError& error) = 0;
};

}  // namespace sekisho::blocklist

#endif  // SEKISHO_BLOCKLIST_FEED_INDICATOR_H_
