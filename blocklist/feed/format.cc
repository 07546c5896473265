#include "blocklist/feed/format.h"

#include <array>
#include <utility>

#include "blocklist/feed/formats/parsers.h"
#include "blocklist/feed/line_splitter.h"
#include "blocklist/feed/sniff.h"
#include "proto/base/ip_address.h"

namespace sekisho::blocklist {
namespace {

constexpr size_t kShownLine = 120;
constexpr size_t kVotes = 400;
constexpr std::array<std::pair<Format, std::string_view>, kFormats> kNames{{
    {Format::kDomains, "domains"},
    {Format::kHosts, "hosts"},
    {Format::kUrlCsv, "urls-csv"},
    {Format::kAdblock, "adblock"},
    {Format::kDnsmasq, "dnsmasq"},
    {Format::kUnbound, "unbound"},
    {Format::kRpz, "rpz"},
    {Format::kWildcards, "wildcards"},
    {Format::kIpList, "ip-list"},
    {Format::kMaltrail, "maltrail"},
    {Format::kCsv, "csv"},
    {Format::kUrlhausCsv, "urlhaus-csv"},
    {Format::kThreatfoxCsv, "threatfox-csv"},
    {Format::kJson, "json"},
    {Format::kJsonLines, "jsonl"},
    {Format::kMisp, "misp"},
    {Format::kStix, "stix"},
}};

bool Has(std::string_view text, std::string_view part) { return text.find(part) != std::string_view::npos; }

// Lists that say in a comment or a header what they are; lines alone would mislead.
std::optional<Format> SaidByHeader(std::string_view sample) {
  if (Has(sample, "ioc_value") && Has(sample, "ioc_type") && Has(sample, ",")) {
    if (!sample.starts_with('{') && !sample.starts_with('[')) return Format::kThreatfoxCsv;
  }
  if (Has(sample, "url_status") && Has(sample, "urlhaus_link") && Has(sample, "dateadded,"))
    return Format::kUrlhausCsv;
  if (Has(sample, "stamparm/maltrail")) return Format::kMaltrail;
  if (sample.starts_with("date,URL,description") || sample.starts_with("\xEF\xBB\xBF"
                                                                       "date,URL,description")) {
    return Format::kUrlCsv;
  }
  return std::nullopt;
}

// Which of the formats written in JSON, by the member names that the first bytes show.
Format JsonFormat(std::string_view sample) {
  if (Has(sample, "\"spec_version\"") || Has(sample, "\"pattern_type\"") || Has(sample, "\"bundle\"") ||
      Has(sample, "\"bundle--")) {
    return Format::kStix;
  }
  if (Has(sample, "\"Event\"") || Has(sample, "\"to_ids\"") || Has(sample, "\"Attribute\""))
    return Format::kMisp;
  const size_t end = sample.find('\n');
  if (sample.starts_with('{') && end != std::string_view::npos) {
    const std::string_view first = Trim(sample.substr(0, end));
    const std::string_view second = Trim(sample.substr(end + 1));
    if ((first.ends_with('}') || first.ends_with("}\r")) && (second.starts_with('{') || second.empty())) {
      return Format::kJsonLines;
    }
  }
  return Format::kJson;
}

// What the line looks like by itself; nothing for comments and blanks.
std::optional<Format> LooksLike(std::string_view line) {
  line = Trim(line);
  if (line.empty() || line.starts_with('#') || line.starts_with('!')) return std::nullopt;
  if (line.starts_with("||") || line.starts_with("@@") || line.starts_with("[Adblock"))
    return Format::kAdblock;
  if (line.starts_with("address=/") || line.starts_with("server=/") || line.starts_with("local=/")) {
    return Format::kDnsmasq;
  }
  if (line.starts_with("local-zone:") || line.starts_with("local-data:") || line == "server:") {
    return Format::kUnbound;
  }
  if (line.starts_with("$TTL") || line.starts_with("$ORIGIN") || line.starts_with(';')) return Format::kRpz;
  std::string_view rest = line;
  const std::string_view first = TakeWord(rest);
  if (!rest.empty()) {
    if (IpAddress::Parse(first)) {
      return rest.starts_with('#') || rest.starts_with(';') ? Format::kIpList : Format::kHosts;
    }
    if (IpPrefix::Parse(first)) return Format::kIpList;
    for (std::string_view word = TakeWord(rest); !word.empty(); word = TakeWord(rest)) {
      if (word == "CNAME" || word == "SOA" || word == "NS") return Format::kRpz;
    }
  }
  if (first.find(',') == std::string_view::npos || rest.empty()) {
    const std::string_view word = first.substr(0, first.find(';'));
    if (IpPrefix::Parse(word)) return Format::kIpList;
  }
  if (line.find(',') != std::string_view::npos) {
    // JPCERT/CC's lists begin with a date and need no header.
    return line.size() > 10 && line[4] == '/' && line[7] == '/' ? Format::kUrlCsv : Format::kCsv;
  }
  if (line.starts_with("*.")) return Format::kWildcards;
  return Format::kDomains;
}

}  // namespace

std::string_view FormatName(Format format) {
  for (const auto& [known, name] : kNames) {
    if (known == format) return name;
  }
  return "unknown";
}

std::optional<Format> FormatFromName(std::string_view name) {
  for (const auto& [format, known] : kNames) {
    if (known == name) return format;
  }
  return std::nullopt;
}

std::unique_ptr<FeedParser> MakeParser(Format format, const FieldMap& fields) {
  switch (format) {
    case Format::kDomains:
      return MakeDomainListParser();
    case Format::kHosts:
      return MakeHostsParser();
    case Format::kUrlCsv:
    case Format::kCsv:
    case Format::kUrlhausCsv:
    case Format::kThreatfoxCsv:
      return MakeCsvParser(format, fields);
    case Format::kAdblock:
      return MakeAdblockParser();
    case Format::kDnsmasq:
      return MakeDnsmasqParser();
    case Format::kUnbound:
      return MakeUnboundParser();
    case Format::kRpz:
      return MakeRpzParser();
    case Format::kWildcards:
      return MakeWildcardListParser();
    case Format::kIpList:
      return MakeIpListParser();
    case Format::kMaltrail:
      return MakeMaltrailParser();
    case Format::kJson:
    case Format::kJsonLines:
      return MakeJsonParser(fields);
    case Format::kMisp:
      return MakeMispParser();
    case Format::kStix:
      return MakeStixParser();
  }
  return MakeDomainListParser();
}

std::optional<Format> DetectFormat(std::string_view sample) {
  if (sample.starts_with("\xEF\xBB\xBF")) sample.remove_prefix(3);
  if (const auto said = SaidByHeader(sample)) return said;
  const size_t first = sample.find_first_not_of(" \t\r\n");
  if (first != std::string_view::npos && Sniff(sample) == BodyKind::kJson)
    return JsonFormat(sample.substr(first));
  std::array<size_t, kNames.size()> votes{};
  size_t total = 0;
  LineSplitter lines(
      [&](std::string_view line, uint64_t) {
        if (total >= kVotes) return;
        if (const auto guess = LooksLike(line)) {
          ++votes[static_cast<size_t>(*guess)];
          ++total;
        }
      },
      [](std::string_view, uint64_t) {});
  lines.Push(sample);
  lines.Finish();
  if (total == 0) return std::nullopt;
  // A zone file's data lines may look like lists; its SOA and directives settle it.
  size_t best = 0;
  for (size_t i = 1; i < votes.size(); ++i) {
    if (votes[i] > votes[best]) best = i;
  }
  const auto format = static_cast<Format>(best);
  // Names and wildcards mixed are a domain list, which reads both.
  const size_t names = votes[static_cast<size_t>(Format::kDomains)];
  return format == Format::kWildcards && names > 0 ? Format::kDomains : format;
}

std::string_view Trim(std::string_view text) {
  const size_t begin = text.find_first_not_of(" \t");
  if (begin == std::string_view::npos) return {};
  return text.substr(begin, text.find_last_not_of(" \t") - begin + 1);
}

std::string_view TakeWord(std::string_view& rest) {
  rest = Trim(rest);
  const std::string_view word = rest.substr(0, rest.find_first_of(" \t"));
  rest = Trim(rest.substr(word.size()));
  return word;
}

LineError MakeError(uint64_t number, std::string_view reason, std::string_view line) {
  return {.line = number, .reason = reason, .text = line.substr(0, kShownLine)};
}

void EmitName(std::string_view name, Indicator indicator, IndicatorSink& sink) {
  if (name.starts_with("*.")) {
    name.remove_prefix(2);
    indicator.scope = RuleScope::kSubtree;
  } else if (name.size() > 1 && name.starts_with('.')) {
    name.remove_prefix(1);
    indicator.scope = RuleScope::kSubtree;
  }
  indicator.text = name;
  sink.OnIndicator(indicator);
}

}  // namespace sekisho::blocklist
