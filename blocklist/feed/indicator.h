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

enum class IndicatorKind : uint8_t {
  kName,           // a name, or an address written where a name may stand
  kUrl,            // its host
  kAddress,        // address or prefix, may have a port
  kNsName,         // zones served by it
  kNsAddress,      // zones served from it
  kClientAddress,  // clients in it
};

// What a response policy zone wants done; else the policy decides.
enum class IndicatorAction : uint8_t {
  kByPolicy,
  kNxdomain,
  kNodata,
  kDrop,
  kTcpOnly,
  kPassthru,
  kLocalData
};

struct Indicator {
  IndicatorKind kind = IndicatorKind::kName;
  std::string_view text{};           // name, URL, address or prefix
  std::optional<RuleScope> scope{};  // when the format itself says it; else the feed's setting decides
  bool allow = false;                // the publisher's own exception
  std::string_view reference{};      // brand, family, …; UTF-8 as published
  int64_t reported_us = 0;           // when the publisher saw it; 0: not said
  int64_t valid_from_us = 0;         // 0: not said, likewise below
  int64_t valid_until_us = 0;
  uint32_t confidence = 0;      // 1 to 100
  std::string_view category{};  // the publisher's kind of threat
  std::string_view actor{};     // who is behind it
  std::string_view link{};      // where the publisher explains it
  std::string_view marking{};   // who may see it
  IndicatorAction action = IndicatorAction::kByPolicy;
  std::string_view action_data{};  // with kLocalData: type and data of a record
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
  // Understood, and nothing a resolver can act on (a file's hash, a path): no fault of the list.
  virtual void OnPassedOver(const LineError&) {}
};

}  // namespace sekisho::blocklist

#endif  // SEKISHO_BLOCKLIST_FEED_INDICATOR_H_
