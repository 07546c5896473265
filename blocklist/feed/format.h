// Format: the ways threat lists are written, one parser each, and the guess which of them a list is in.
//
//   auto parser = MakeParser(Format::kHosts);
//   parser->ParseLine("0.0.0.0 phish.example", 1, sink);
//   parser->Finish(sink);
//
// A parser never fails: a line it cannot use goes to the sink as a LineError and the next one is read.
//
// Threads: a parser belongs to one thread. Limits: lines as LineSplitter bounds them.
// Documents: kMaxDocument.
// Standards: RFC 4180 (CSV), RFC 8259 (JSON), hosts(5), dnsmasq(8), unbound.conf(5),
// draft-vixie-dnsop-dns-rpz, STIX 2.1, MISP core format.
#ifndef SEKISHO_BLOCKLIST_FEED_FORMAT_H_
#define SEKISHO_BLOCKLIST_FEED_FORMAT_H_

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "blocklist/feed/field_map.h"
#include "blocklist/feed/indicator.h"

namespace sekisho::blocklist {

enum class Format : uint8_t {
  kDomains,
  kHosts,
  kUrlCsv,
  kAdblock,
  kDnsmasq,
  kUnbound,
  kRpz,
  kWildcards,
  kIpList,
  kMaltrail,
  kCsv,
  kUrlhausCsv,
  kThreatfoxCsv,
  kJson,
  kJsonLines,
  kMisp,
  kStix,
};
inline constexpr size_t kFormats = 17;

// As the configuration names them: "domains", "hosts", "urls-csv", "adblock", "dnsmasq", "unbound", "rpz",
// "wildcards", "ip-list", "maltrail", "csv", "urlhaus-csv", "threatfox-csv", "json", "jsonl", "misp", "stix".
std::string_view FormatName(Format format);
std::optional<Format> FormatFromName(std::string_view name);

// Whether the body is one JSON document, read whole.
inline bool IsDocument(Format format) {
  return format == Format::kJson || format == Format::kMisp || format == Format::kStix;
}
inline bool IsJson(Format format) { return IsDocument(format) || format == Format::kJsonLines; }

inline constexpr size_t kMaxDocument = size_t{256} << 20;

class FeedParser {
 public:
  virtual ~FeedParser() = default;
  virtual void ParseLine(std::string_view line, uint64_t number, IndicatorSink& sink) = 0;
  // For formats that IsDocument; numbers in errors count its items. `text` is used up.
  virtual void ParseDocument(std::string, IndicatorSink&) {}
  // After the last line: what is still held is judged.
  virtual void Finish(IndicatorSink&) {}
};

std::unique_ptr<FeedParser> MakeParser(Format format, const FieldMap& fields = {});

// Judges by the first lines (some kilobytes are enough); nothing when no line can be told.
std::optional<Format> DetectFormat(std::string_view sample);

// Whether the scope is the whole subtree when neither the format nor the feed's setting says it.
inline bool SubtreeByDefault(Format format) {
  return format != Format::kHosts && format != Format::kUrlCsv && format != Format::kUrlhausCsv;
}

}  // namespace sekisho::blocklist

#endif  // SEKISHO_BLOCKLIST_FEED_FORMAT_H_
