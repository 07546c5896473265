#include "resolver/core/rpz/trigger.h"

#include <algorithm>
#include <charconv>
#include <string_view>
#include <utility>
#include <vector>

namespace sekisho::resolver::rpz {
namespace {

// The leftmost `labels` labels of a name.
dns::Name Front(dns::NameView name, int labels) {
  const dns::NameView rest = name.Suffix(name.LabelCount() - labels);
  std::string wire(reinterpret_cast<const char*>(name.data()), name.size() - rest.size());
  wire.push_back('\0');
  return dns::Name(dns::NameView::Trusted(reinterpret_cast<const uint8_t*>(wire.data()), wire.size()));
}

std::string LowercaseLabel(dns::NameView name) {
  std::string label(name.FirstLabel());
  for (char& c : label) c = static_cast<char>(dns::LowercaseByte(static_cast<uint8_t>(c)));
  return label;
}

std::optional<int> Number(std::string_view text) {
  int n = 0;
  const auto r = std::from_chars(text.data(), text.data() + text.size(), n);
  if (r.ec != std::errc() || r.ptr != text.data() + text.size() || text.empty() || n < 0) return std::nullopt;
  return n;
}

std::optional<IpPrefix> ReadPrefix(dns::NameView name) {
  std::vector<std::string> labels;
  for (dns::NameView at = name; !at.IsRoot(); at = at.Parent()) labels.push_back(LowercaseLabel(at));
  if (labels.size() < 2) return std::nullopt;
  const auto length = Number(labels.front());
  const auto zz = std::count(labels.begin(), labels.end(), "zz");
  const bool v4 = labels.size() == 5 && zz == 0;
  if (!length || zz > 1 || (zz == 0 && !v4 && labels.size() != 9)) return std::nullopt;
  std::string text;
  for (size_t i = labels.size(); i-- > 1;) {
    const std::string& label = labels[i];
    const bool first = text.empty();
    if (label == "zz") {
      text += "::";
      continue;
    }
    const size_t most = v4 ? 3 : 4;
    if (label.empty() || label.size() > most || label.find_first_not_of("0123456789abcdef") != label.npos)
      return std::nullopt;
    if (!first && !text.ends_with(':')) text += v4 ? "." : ":";
    if (!first && text.ends_with(':') && !text.ends_with("::") && v4) return std::nullopt;
    text += label;
  }
  const auto address = IpAddress::Parse(text);
  if (!address || address->is_v4() != v4) return std::nullopt;
  return IpPrefix::Make(*address, *length);
}

}  // namespace

std::optional<TriggerName> ReadTrigger(dns::NameView owner, dns::NameView zone, std::string* error) {
  static constexpr std::pair<std::string_view, TriggerKind> kKinds[] = {
      {"rpz-client-ip", TriggerKind::kClient},
      {"rpz-ip", TriggerKind::kAddress},
      {"rpz-nsdname", TriggerKind::kNsName},
      {"rpz-nsip", TriggerKind::kNsAddress}};
  const int below = owner.LabelCount() - zone.LabelCount();
  const std::string last = LowercaseLabel(owner.Suffix(zone.LabelCount() + 1));
  for (const auto& [label, kind] : kKinds) {
    if (last != label) continue;
    if (below < 2) {
      *error = "nothing stands before " + last;
      return std::nullopt;
    }
    dns::Name what = Front(owner, below - 1);
    if (kind == TriggerKind::kNsName) return TriggerName{kind, std::move(what)};
    if (auto prefix = ReadPrefix(what)) return TriggerName{kind, *prefix};
    *error = "'" + what.ToString() + "' is not a prefix such as 24.0.2.0.192 or 48.zz.1.db8.2001";
    return std::nullopt;
  }
  return TriggerName{TriggerKind::kQname, Front(owner, below)};
}

}  // namespace sekisho::resolver::rpz
