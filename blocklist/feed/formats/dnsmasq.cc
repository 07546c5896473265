// dnsmasq configuration that blocks; each name stands for everything under it too:
//
//   line := ("address" | "server" | "local") "=/" name ("/" name)* "/" [target] | "#" …
//
// `address` may have any target (it replaces the answer); `server` and `local` block only without one.
#include "blocklist/feed/formats/parsers.h"

namespace sekisho::blocklist {
namespace {

class DnsmasqParser final : public FeedParser {
 public:
  void ParseLine(std::string_view line, uint64_t number, IndicatorSink& sink) override {
    std::string_view rest = Trim(line.substr(0, line.find(" #")));
    if (rest.empty() || rest.starts_with('#')) return;
    const size_t equals = rest.find('=');
    const std::string_view key = Trim(rest.substr(0, equals));
    if (equals == std::string_view::npos || (key != "address" && key != "server" && key != "local")) {
      sink.OnError(MakeError(number, "not an address=, server= or local= line", line));
      return;
    }
    rest = Trim(rest.substr(equals + 1));
    const size_t last = rest.rfind('/');
    if (!rest.starts_with('/') || last == 0) {
      sink.OnError(MakeError(number, "no name between slashes", line));
      return;
    }
    if (key != "address" && last + 1 != rest.size()) {
      sink.OnError(MakeError(number, "the line forwards the name, it does not block it", line));
      return;
    }
    for (std::string_view names = rest.substr(1, last - 1); !names.empty();) {
      const std::string_view name = names.substr(0, names.find('/'));
      names.remove_prefix(std::min(names.size(), name.size() + 1));
      Indicator indicator;
      indicator.line = number;
      indicator.scope = RuleScope::kSubtree;
      EmitName(name, indicator, sink);
    }
  }
};

}  // namespace

std::unique_ptr<FeedParser> MakeDnsmasqParser() { return std::make_unique<DnsmasqParser>(); }

}  // namespace sekisho::blocklist
