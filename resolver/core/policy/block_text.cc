#include "resolver/core/policy/block_text.h"

#include <array>
#include <string>
#include <utility>

#include "proto/dns/reverse_name.h"
#include "resolver/core/policy/agency_policy.h"

namespace sekisho::resolver {
namespace {

void CutAtCharacter(size_t most, std::string* text) {
  if (text->size() <= most) return;
  while (most > 0 && (static_cast<uint8_t>((*text)[most]) & 0xc0) == 0x80) --most;
  text->resize(most);
}

std::string TriggerText(const Verdict& v) {
  if (v.trigger != Trigger::kAnswerAddress) return v.trigger_name.ToString();
  const auto address = dns::AddressOfReverse(v.trigger_name);
  return address ? address->ToString() : v.trigger_name.ToString();
}

std::string FromPattern(const BlockText& text, const Verdict& v) {
  std::string out;
  std::string_view rest = text.pattern;
  while (!rest.empty()) {
    const size_t open = rest.find('{');
    const size_t close = open == std::string_view::npos ? open : rest.find('}', open);
    if (close == std::string_view::npos) break;
    out += rest.substr(0, open);
    const std::string_view key = rest.substr(open + 1, close - open - 1);
    if (key == "feeds") out += v.feeds;
    if (key == "category") out += v.category;
    if (key == "reference") out += v.reference;
    if (key == "name") out += TriggerText(v);
    rest.remove_prefix(close + 1);
  }
  return out.append(rest);
}

std::string InJapanese(const Verdict& v) {
  std::string text = "遮断：";
  text += v.feeds;
  if (!v.category.empty()) text.append("（").append(v.category).append("）");
  if (v.trigger == Trigger::kCname) text += " 別名 " + TriggerText(v);
  if (v.trigger == Trigger::kAnswerAddress && v.text != nullptr) text += " アドレス " + TriggerText(v);
  if (!v.reference.empty()) text.append(" 参照 ").append(v.reference);
  return text;
}

std::string InEnglish(const Verdict& v) {
  std::string text = "listed by ";
  text += v.feeds;
  if (!v.category.empty()) text.append(" (").append(v.category).append(")");
  if (v.trigger == Trigger::kCname) text += ", alias of " + TriggerText(v);
  if (v.trigger == Trigger::kAnswerAddress && v.text != nullptr) text += ", address " + TriggerText(v);
  if (!v.reference.empty()) text.append(", reference ").append(v.reference);
  return text;
}

std::string TextOf(const Verdict& v) {
  std::string text = v.text != nullptr && !v.text->pattern.empty()   ? FromPattern(*v.text, v)
                     : v.text != nullptr && v.text->language == "ja" ? InJapanese(v)
                                                                     : InEnglish(v);
  if (!v.answer.detail.empty()) text += ", " + v.answer.detail;
  CutAtCharacter(kMaxBlockText, &text);
  return text;
}

void AppendString(std::string_view text, std::string* out) {
  *out += '"';
  for (const char c : text) {
    const auto byte = static_cast<uint8_t>(c);
    if (c == '"' || c == '\\') *out += '\\';
    // Texts of lists have no controls; what is left of them would break the form.
    *out += byte < 0x20 || byte == 0x7f ? ' ' : c;
  }
  *out += '"';
}

// The registered sub-errors; 0: none fits.
int SubError(std::string_view category) {
  // An agency's own list is the policy of its network; what is blocked by hand for all is the resolver's.
  static constexpr std::array<std::pair<std::string_view, int>, 8> kKnown{{{"malware", 1},
                                                                           {"ransomware", 1},
                                                                           {"c2", 1},
                                                                           {"phishing", 2},
                                                                           {"spam", 3},
                                                                           {"spyware", 4},
                                                                           {"agency", 5},
                                                                           {"local", 6}}};
  for (const auto& [name, number] : kKnown) {
    if (category == name) return number;
  }
  return 0;
}

std::string Structured(const BlockText& text, const Verdict& v, const std::string& justification,
                       bool with_organization) {
  std::string json = "{\"c\":[";
  for (size_t i = 0; i < text.contacts.size(); ++i) {
    if (i > 0) json += ',';
    AppendString(text.contacts[i], &json);
  }
  json += "],\"j\":";
  AppendString(justification, &json);
  if (const int number = SubError(v.category); number != 0) json += ",\"s\":" + std::to_string(number);
  if (with_organization && !text.organization.empty()) {
    json += ",\"o\":";
    AppendString(text.organization, &json);
  }
  json += ",\"l\":";
  AppendString(text.language, &json);
  return json + "}";
}

// The form is cut nowhere but in its justification, so that it stays whole; nothing when it is too long even
// so.
std::optional<std::string> FittingStructured(const BlockText& text, const Verdict& v) {
  for (const bool with_organization : {true, false}) {
    std::string justification = TextOf(v);
    while (!justification.empty()) {
      std::string json = Structured(text, v, justification, with_organization);
      if (json.size() <= dns::kMaxEdeText) return json;
      const size_t over = json.size() - dns::kMaxEdeText;
      if (over >= justification.size()) break;
      CutAtCharacter(justification.size() - over, &justification);
    }
  }
  return std::nullopt;
}

bool WantsStructured(const Verdict& v, bool asked) {
  using Form = BlockText::Structured;
  if (v.text == nullptr || v.text->structured == Form::kNever) return false;
  // Without a contact a client has to throw the whole form away; plain text is at least logged.
  if (v.text->contacts.empty()) return false;
  return asked || v.text->structured == Form::kAlways;
}

// The form is defined for filtering alone.
bool IsFiltering(dns::EdeCode code) {
  return code == dns::EdeCode::kBlocked || code == dns::EdeCode::kFiltered;
}

}  // namespace

std::optional<dns::ExtendedError> ExplainBlock(const Verdict& v, bool asked) {
  if (!v.answer.error) return std::nullopt;
  dns::EdeCode code = *v.answer.error;
  const bool wants = WantsStructured(v, asked);
  // Who understands the form is told that it was filtered, not that the answer is forged.
  if (wants && asked && code == dns::EdeCode::kForgedAnswer) code = dns::EdeCode::kBlocked;
  std::optional<std::string> form;
  if (wants && IsFiltering(code)) form = FittingStructured(*v.text, v);
  return dns::ExtendedError{code, form ? *std::move(form) : TextOf(v)};
}

}  // namespace sekisho::resolver
