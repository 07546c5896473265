// Response policy zones in master file form:
//
//   line    := owner [ttl] ["IN"] type data | "$TTL" … | "$ORIGIN" name | ";" …      SOA and NS are passed
//   over owner   := name relative to the zone | "*." name for what is under it | trigger trigger := prefix
//   ".rpz-ip" | prefix ".rpz-nsip" | prefix ".rpz-client-ip" | name ".rpz-nsdname" prefix  := length "."
//   address with its parts reversed, "zz" for "::" data    := CNAME "." (NXDOMAIN) | CNAME "*." (NODATA) |
//   CNAME "rpz-drop." | CNAME "rpz-tcp-only."
//            | CNAME "rpz-passthru." (exception) | anything else: what is to be answered
//
// Limitations: "*.name" is taken as name and everything under it. Of records in parentheses only the SOA is
// read. Standards: draft-vixie-dnsop-dns-rpz-00.
#include <algorithm>
#include <array>
#include <string>
#include <vector>

#include "blocklist/feed/formats/parsers.h"
#include "proto/base/ip_address.h"

namespace sekisho::blocklist {
namespace {

bool EndsWithName(std::string_view name, std::string_view suffix) {
  if (suffix.empty() || name.size() <= suffix.size() + 1 || !name.ends_with(suffix)) return false;
  return name[name.size() - suffix.size() - 1] == '.';
}

struct Trigger {
  std::string_view label;
  IndicatorKind kind;
};
constexpr std::array<Trigger, 4> kTriggers{{{"rpz-ip", IndicatorKind::kAddress},
                                            {"rpz-client-ip", IndicatorKind::kClientAddress},
                                            {"rpz-nsip", IndicatorKind::kNsAddress},
                                            {"rpz-nsdname", IndicatorKind::kNsName}}};

// "24.0.2.0.192" → "192.0.2.0/24", "48.zz.2.2001" → "2001:2::/48"; empty when it is no prefix.
std::string PrefixText(std::string_view owner) {
  std::vector<std::string_view> parts;
  while (!owner.empty() && parts.size() < 10) {
    parts.push_back(owner.substr(0, owner.find('.')));
    owner.remove_prefix(std::min(owner.size(), parts.back().size() + 1));
  }
  if (!owner.empty() || parts.size() < 3) return {};
  const bool v4 = parts.size() == 5 && std::find(parts.begin(), parts.end(), "zz") == parts.end();
  std::string out;
  for (size_t i = parts.size() - 1; i > 0; --i) {
    if (parts[i] == "zz") {
      out += out.empty() ? "::" : out.ends_with(':') ? ":" : "::";
    } else {
      if (!out.empty() && !out.ends_with(':')) out += v4 ? "." : ":";
      out += parts[i];
      if (!v4 && i > 1 && parts[i - 1] == "zz") out += ":";
    }
  }
  return out + "/" + std::string(parts[0]);
}

IndicatorAction ActionOf(bool cname, std::string_view target) {
  if (!cname) return IndicatorAction::kLocalData;
  if (target == ".") return IndicatorAction::kNxdomain;
  if (target == "*.") return IndicatorAction::kNodata;
  if (target == "rpz-drop.") return IndicatorAction::kDrop;
  if (target == "rpz-tcp-only.") return IndicatorAction::kTcpOnly;
  if (target == "rpz-passthru.") return IndicatorAction::kPassthru;
  return IndicatorAction::kLocalData;
}

// A signed zone's own records.
bool IsSignature(std::string_view type) {
  return type == "RRSIG" || type == "NSEC" || type == "NSEC3" || type == "NSEC3PARAM" || type == "DNSKEY" ||
         type == "ZONEMD";
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
    Record(type, Trim(rest), line, number, sink);
  }

 private:
  void SetOrigin(std::string_view name) {
    if (name.ends_with('.')) name.remove_suffix(1);
    origin_.assign(name);
  }

  void Record(std::string_view type, std::string_view data, std::string_view line, uint64_t number,
              IndicatorSink& sink) {
    std::string_view owner = owner_;
    if (owner.ends_with('.')) {  // absolute: the zone's own name is not part of the trigger
      owner.remove_suffix(1);
      if (owner == origin_) return;
      if (EndsWithName(owner, origin_)) owner.remove_suffix(origin_.size() + 1);
    }
    if (owner == "@" || type == "NS" || type == "ns" || IsSignature(type)) return;
    if (type.empty() || data.empty()) {
      sink.OnError(MakeError(number, "no record data", line));
      return;
    }
    Indicator indicator;
    indicator.line = number;
    indicator.action = ActionOf(type == "CNAME" || type == "cname", data);
    indicator.allow = indicator.action == IndicatorAction::kPassthru;
    std::string record;
    if (indicator.action == IndicatorAction::kLocalData) {
      record = std::string(type) + " " + std::string(data);
      indicator.action_data = record;
    }
    for (const Trigger& trigger : kTriggers) {
      if (owner == trigger.label || EndsWithName(owner, trigger.label)) {
        owner.remove_suffix(std::min(owner.size(), trigger.label.size() + 1));
        return EmitTrigger(trigger.kind, owner, line, indicator, sink);
      }
    }
    indicator.scope = RuleScope::kExact;
    EmitName(owner, indicator, sink);
  }

  static void EmitTrigger(IndicatorKind kind, std::string_view owner, std::string_view line,
                          Indicator indicator, IndicatorSink& sink) {
    indicator.kind = kind;
    indicator.scope = RuleScope::kExact;
    if (kind == IndicatorKind::kNsName) return EmitName(owner, indicator, sink);
    const std::string prefix = PrefixText(owner);
    if (prefix.empty() || !IpPrefix::Parse(prefix)) {
      sink.OnError(MakeError(indicator.line, "not an address prefix as RPZ writes it", line));
      return;
    }
    indicator.text = prefix;
    sink.OnIndicator(indicator);
  }

  std::string origin_;
  std::string owner_;
  bool in_parentheses_ = false;
};

}  // namespace

std::unique_ptr<FeedParser> MakeRpzParser() { return std::make_unique<RpzParser>(); }

}  // namespace sekisho::blocklist
