// The parsers behind MakeParser, and the few cuts of text that they share.
//
// Threads: functions without state.
#ifndef SEKISHO_BLOCKLIST_FEED_FORMATS_PARSERS_H_
#define SEKISHO_BLOCKLIST_FEED_FORMATS_PARSERS_H_

#include <cstdint>
#include <memory>
#include <string_view>

#include "blocklist/feed/format.h"

namespace sekisho::blocklist {

std::unique_ptr<FeedParser> MakeDomainListParser();
std::unique_ptr<FeedParser> MakeHostsParser();
std::unique_ptr<FeedParser> MakeAdblockParser();
std::unique_ptr<FeedParser> MakeDnsmasqParser();
std::unique_ptr<FeedParser> MakeUnboundParser();
std::unique_ptr<FeedParser> MakeRpzParser();
std::unique_ptr<FeedParser> MakeWildcardListParser();
std::unique_ptr<FeedParser> MakeIpListParser();
std::unique_ptr<FeedParser> MakeMaltrailParser();
// kCsv, kUrlCsv (JPCERT/CC), kUrlhausCsv or kThreatfoxCsv.
std::unique_ptr<FeedParser> MakeCsvParser(Format preset, const FieldMap& fields);
// kJson or kJsonLines.
std::unique_ptr<FeedParser> MakeJsonParser(const FieldMap& fields);
std::unique_ptr<FeedParser> MakeMispParser();
std::unique_ptr<FeedParser> MakeStixParser();

// Without blanks and tabs at either end.
std::string_view Trim(std::string_view text);
// Takes the first word off the front of `rest`; empty when there is none left.
std::string_view TakeWord(std::string_view& rest);
// A LineError with the line cut to what is worth showing.
LineError MakeError(uint64_t number, std::string_view reason, std::string_view line);
// Gives `name` to the sink, reading "*.name" and ".name" as the name and everything under it.
void EmitName(std::string_view name, Indicator indicator, IndicatorSink& sink);

}  // namespace sekisho::blocklist

#endif  // SEKISHO_BLOCKLIST_FEED_FORMATS_PARSERS_H_
