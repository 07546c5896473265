#include "blocklist/feed/format.h"

#include <array>
#include <utility>

#include "blocklist/feed/formats/parsers.h"
#include "blocklist/feed/line_splitter.h"
#include "proto/base/ip_address.h"

namespace sekisho::blocklist {
namespace {

constexpr size_t kShownLine = 120;
constexpr size_t kVotes = 400;
constexpr std::array<std::pair<Format, std::string_view>, 7> kNames{{
    {Format::kDomains, "domains"},
    {Format::kHosts, "hosts"},
    {Format::kUrlCsv, "urls-csv"},
    {Format::kAdblock, "adblock"},
    {Format::kDnsmasq, "dnsmasq"},
    {Format::kUnbound, "unbound"},
    {Format::kRpz, "rpz"},
}};

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
    if (IpAddress::Parse(first)) return Format::kHosts;
    for (std::string_view word = TakeWord(rest); !word.empty(); word = TakeWord(rest)) {
      if (word == "CNAME" || word == "SOA" || word == "NS") return Format::kRpz;
    }
  }
  if (line.find(',') != std::string_view::npos) return Format::kUrlCsv;
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

std::unique_ptr<FeedParser> MakeParser(Format format) {
  switch (format) {
    case Format::kDomains:
      return MakeDomainListParser();
    case Format::kHosts:
      return MakeHostsParser();
    case Format::kUrlCsv:
      return MakeUrlCsvParser();
    case Format::kAdblock:
      return MakeAdblockParser();
    case Format::kDnsmasq:
      return MakeDnsmasqParser();
    case Format::kUnbound:
      return MakeUnboundParser();
    case Format::kRpz:
      return MakeRpzParser();
  }
  return MakeDomainListParser();
}

std::optional<Format> DetectFormat(std::string_view sample) {
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
  return static_cast<Format>(best);
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
