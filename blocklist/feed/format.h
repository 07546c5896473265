// Format: the ways threat lists are written, one parser each, and the guess which of them a list is in.
//
//   auto parser = MakeParser(Format::kHosts);
//   parser->ParseLine("0.0.0.0 phish.example", 1, sink);
//   parser->Finish(sink);
//
// A parser never fails: a line it cannot use goes to the sink as a LineError and the next one is read.
//
// Threads: a parser belongs to one thread. Limits: lines as LineSplitter bounds them.
// Standards: RFC 4180 (CSV), hosts(5), dnsmasq(8), unbound.conf(5), draft-vixie-dnsop-dns-rpz.
#ifndef SEKISHO_BLOCKLIST_FEED_FORMAT_H_
#define SEKISHO_BLOCKLIST_FEED_FORMAT_H_

#include <cstdint>
#include <memory>
#include <optional>
#include <string_view>

#include "blocklist/feed/indicator.h"

namespace sekisho::blocklist {

enum class Format : uint8_t { kDomains, kHosts, kUrlCsv, kAdblock, kDnsmasq, kUnbound, kRpz };

// "domains", "hosts", "urls-csv", "adblock", "dnsmasq", "unbound", "rpz".
std::string_view FormatName(Format format);
std::optional<Format> FormatFromName(std::string_view name);

class FeedParser {
 public:
  virtual ~FeedParser() = default;
  virtual void ParseLine(std::string_view line, uint64_t number, IndicatorSink& sink) = 0;
  // After the last line: what is still held is judged.
  virtual void Finish(IndicatorSink&) {}
};

std::unique_ptr<FeedParser> MakeParser(Format format);

// Judges by the first lines (some kilobytes are enough); nothing when no line can be told.
std::optional<Format> DetectFormat(std::string_view sample);

// Whether the scope is the whole subtree when neither the format nor the feed's setting says it.
inline bool SubtreeByDefault(Format format) { return format != Format::kHosts && format != Format::kUrlCsv; }

}  // namespace sekisho::blocklist

#endif  // SEKISHO_BLOCKLIST_FEED_FORMAT_H_
