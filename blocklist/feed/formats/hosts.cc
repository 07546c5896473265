// hosts(5) files that send names nowhere:
//
//   line := blank* [ sink-address (blank+ name)+ ] [ blank* "#" … ]      sink-address := 0.0.0.0 | 127.… | ::
//   | ::1
#include <array>

#include "blocklist/feed/formats/parsers.h"
#include "proto/base/ip_address.h"

namespace sekisho::blocklist {
namespace {

// Names that every system's own hosts file holds.
constexpr std::array<std::string_view, 12> kOwnNames{
    "localhost",     "localhost.localdomain", "local",        "broadcasthost",
    "ip6-localhost", "ip6-loopback",          "ip6-localnet", "ip6-mcastprefix",
    "ip6-allnodes",  "ip6-allrouters",        "ip6-allhosts", "0.0.0.0"};

bool IsOwnName(std::string_view name) {
  for (const std::string_view own : kOwnNames) {
    if (name == own) return true;
  }
  return false;
}

bool IsSink(const IpAddress& address) {
  if (address.is_v4()) return address.bytes()[0] == 127 || address == *IpAddress::Parse("0.0.0.0");
  return address == IpAddress() || address == *IpAddress::Parse("::1");
}

class HostsParser final : public FeedParser {
 public:
  void ParseLine(std::string_view line, uint64_t number, IndicatorSink& sink) override {
    std::string_view rest = line.substr(0, line.find('#'));
    std::string_view first = TakeWord(rest);
    if (first.empty() || first.starts_with('!')) return;
    first = first.substr(0, first.find('%'));  // fe80::1%lo0
    const std::optional<IpAddress> address = IpAddress::Parse(first);
    if (!address) {
      sink.OnError(MakeError(number, "no address at the start of a hosts line", line));
      return;
    }
    if (rest.empty()) {
      sink.OnError(MakeError(number, "no name after the address", line));
      return;
    }
    for (std::string_view name = TakeWord(rest); !name.empty(); name = TakeWord(rest)) {
      if (IsOwnName(name)) continue;
      if (!IsSink(*address)) {
        sink.OnError(MakeError(number, "the address is a real one: a mapping, not a block", line));
        return;
      }
      Indicator indicator;
      indicator.text = name;
      indicator.line = number;
      sink.OnIndicator(indicator);
    }
  }
};

}  // namespace

std::unique_ptr<FeedParser> MakeHostsParser() { return std::make_unique<HostsParser>(); }

}  // namespace sekisho::blocklist
