// Response policy zones in master file form, query-name triggers:
//
//   line  := owner [ttl] ["IN"] "CNAME" target | owner … SOA … | owner … NS … | "$TTL" … | "$ORIGIN" name |
//   ";" … owner := name relative to the zone, "*." name for what is under it target := "." (NXDOMAIN) | "*."
//   (NODATA) | "rpz-drop." | "rpz-passthru." (exception) | a name (redirect)
//
// Limitations: "*.name" is taken as name and everything under it; triggers on addresses and name servers
// (…rpz-ip, …rpz-nsdname, …) and the action rpz-tcp-only are reported as line errors.
// Standards: draft-vixie-dnsop-dns-rpz-00.
#include <string>

#include "blocklist/feed/formats/parsers.h"

namespace sekisho::blocklist {
namespace {

bool EndsWithName(std::string_view name, std::string_view suffix) {
  if (suffix.empty() || name.size() <= suffix.size() + 1 || !name.ends_with(suffix)) return false;
  return name[name.size() - suffix.size() - 1] == '.';
}

bool IsOtherTrigger(std::string_view owner) {
  for (const std::string_view label : {"rpz-ip", "rpz-client-ip", "rpz-nsip", "rpz-nsdname"}) {
    if (owner == label || EndsWithName(owner, label)) return true;
  }
  return false;
}

bool IsNumber(std::string_view word) {
  return !word.empty() && word.find_first_not_of("0123456789smhdwSMHDW") == std::string_view::npos &&
         word[0] >= '0' && word[0] <= '9';
}

class RpzParser final : public FeedParser {
 public:
  void ParseLine(std::string_view line, uint64_t number, IndicatorSink& sink) override {
    std::string_view rest = line.substr(0, line.find(';'));
    if (in_parentheses_) {  // the rest of an SOA
      in_parentheses_ = rest.find(')') == std::string_view::npos;
      return;
    }
    const bool same_owner = rest.starts_with(' ') || rest.starts_with('\t');
    std::string_view first = same_owner ? std::string_view(owner_) : TakeWord(rest);
    if (Trim(rest).empty()) return;
    if (first == "$ORIGIN") {
      SetOrigin(TakeWord(rest));
      return;
    }
    if (first.starts_with('$')) return;
    if (!same_owner) owner_.assign(first);
    std::string_view type = TakeWord(rest);
    while (IsNumber(type) || type == "IN" || type == "in") type = TakeWord(rest);
    if (type == "SOA" || type == "soa") {
      if (origin_.empty() && owner_ != "@") SetOrigin(owner_);
      in_parentheses_ = rest.find('(') != std::string_view::npos && rest.find(')') == std::string_view::npos;
      return;
    }
    Record(type, TakeWord(rest), line, number, sink);
  }

 private:
  void SetOrigin(std::string_view name) {
    if (name.ends_with('.')) name.remove_suffix(1);
    origin_.assign(name);
  }

  void Record(std::string_view type, std::string_view target, std::string_view line, uint64_t number,
              IndicatorSink& sink) {
    std::string_view owner = owner_;
    if (owner.ends_with('.')) {  // absolute: the zone's own name is not part of the trigger
      owner.remove_suffix(1);
      if (owner == origin_) return;
      if (EndsWithName(owner, origin_)) owner.remove_suffix(origin_.size() + 1);
    }
    if (owner == "@" || type == "NS" || type == "ns") return;
    if (IsOtherTrigger(owner)) {
      sink.OnError(MakeError(number, "only query-name triggers are taken", line));
      return;
    }
    const bool cname = type == "CNAME" || type == "cname";
    if (target.empty() || (cname && target == "rpz-tcp-only.")) {
      sink.OnError(MakeError(number, target.empty() ? "no record data" : "rpz-tcp-only is not taken", line));
      return;
    }
    Indicator indicator;
    indicator.line = number;
    indicator.scope = RuleScope::kExact;
    indicator.allow = cname && target == "rpz-passthru.";
    EmitName(owner, indicator, sink);
  }

  std::string origin_;
  std::string owner_;
  bool in_parentheses_ = false;
};

}  // namespace

std::unique_ptr<FeedParser> MakeRpzParser() { return std::make_unique<RpzParser>(); }

}  // namespace sekisho::blocklist
