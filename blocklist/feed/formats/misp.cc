// MISP events and attribute exports:
//
//   document  := event | [ event* ] | {"response": [ event* ]} | {"response": {"Attribute": [ attribute* ]}}
//              | {"Attribute": [ attribute* ]}
//   event     := {"Event": {"info", "date", "uuid", "Tag": [ tag* ], "Attribute": [ … ], "Object": [
//   {"Attribute": [ … ]} ]}} attribute := {"type", "value", "to_ids", "timestamp", "deleted", "first_seen",
//   "last_seen", "Tag", "Event": {"info"}}
//
// Attributes that are not meant for detection (to_ids false) are passed over, and so are kinds that no
// resolver acts on. Tags give the actor, the malware, the marking and the confidence. Standards: MISP core
// format (draft-dulaunoy-misp-core-format), MISP taxonomies and galaxies.
#include <charconv>
#include <optional>
#include <string>

#include "blocklist/feed/formats/json_reader.h"
#include "blocklist/feed/formats/parsers.h"
#include "blocklist/feed/formats/record.h"
#include "blocklist/feed/formats/timestamp.h"

namespace sekisho::blocklist {
namespace {

// What tags and the event say of every attribute under them.
struct Context {
  std::string malware;
  std::string actor;
  std::string marking;
  std::string info;
  std::string link;
  uint32_t confidence = 0;
  int64_t reported_us = 0;
};

// `misp-galaxy:threat-actor="Name"` → Name.
std::string_view Quoted(std::string_view tag) {
  const size_t begin = tag.find('"');
  const size_t end = tag.rfind('"');
  return begin == std::string_view::npos || end <= begin ? std::string_view()
                                                         : tag.substr(begin + 1, end - begin - 1);
}

uint32_t ConfidenceOf(std::string_view tag) {
  if (tag.starts_with("misp:confidence-level=")) {
    const std::string_view level = Quoted(tag);
    if (level == "completely-confident") return 100;
    if (level == "usually-confident") return 75;
    if (level == "fairly-confident") return 50;
    if (level == "rarely-confident") return 25;
  }
  return 0;
}

void TakeTags(const JsonValue& owner, Context* context) {
  ForEachIn(owner, "Tag", [context](const JsonValue& tag) {
    const std::string_view name = StringMember(tag, "name");
    if (name.starts_with("tlp:") || name.starts_with("TLP:") || name.starts_with("PAP:")) {
      if (context->marking.empty() || !name.starts_with("PAP:")) context->marking = name;
    } else if (name.starts_with("misp-galaxy:threat-actor=") ||
               name.starts_with("misp-galaxy:mitre-intrusion-set=") ||
               name.starts_with("misp-galaxy:microsoft-activity-group=")) {
      context->actor = Quoted(name);
    } else if (name.starts_with("misp-galaxy:malpedia=") || name.starts_with("misp-galaxy:mitre-malware=") ||
               name.starts_with("misp-galaxy:ransomware=") || name.starts_with("misp-galaxy:rat=") ||
               name.starts_with("misp-galaxy:banker=") || name.starts_with("misp-galaxy:stealer=") ||
               name.starts_with("misp-galaxy:botnet=") || name.starts_with("misp-galaxy:tool=")) {
      context->malware = Quoted(name);
    } else if (const uint32_t confidence = ConfidenceOf(name); confidence != 0) {
      context->confidence = confidence;
    }
  });
}

bool IsTrue(const JsonValue& object, std::string_view name, bool otherwise) {
  const auto member = Member(object, name);
  bool flag = otherwise;
  if (!member) return otherwise;
  if (member->get(flag) == simdjson::SUCCESS) return flag;
  std::string storage;
  const std::string_view text = ScalarText(*member, &storage);
  return text == "1" || text == "true";
}

class MispParser final : public FeedParser {
 public:
  void ParseLine(std::string_view, uint64_t, IndicatorSink&) override {}

  void ParseDocument(std::string text, IndicatorSink& sink) override {
    const auto root = document_.Parse(std::move(text));
    if (!root) {
      sink.OnError({.line = 1, .reason = document_.error(), .text = {}});
      return;
    }
    if (!Container(*root, sink))
      sink.OnError({.line = 1, .reason = "no MISP events or attributes in it", .text = {}});
  }

 private:
  bool Container(const JsonValue& value, IndicatorSink& sink) {
    if (const auto response = Member(value, "response")) return Container(*response, sink);
    bool found = false;
    if (value.is<simdjson::dom::array>()) {
      ForEachIn(value, "", [&](const JsonValue& element) { found = Event(element, sink) || found; });
      return found;
    }
    return Event(value, sink);
  }

  // An event, or attributes without one.
  bool Event(const JsonValue& value, IndicatorSink& sink) {
    const JsonValue event = Member(value, "Event").value_or(value);
    if (!Member(event, "Attribute") && !Member(event, "Object")) return false;
    Context context;
    context.info = StringMember(event, "info");
    context.reported_us = ParseTimestamp(StringMember(event, "date"), 0);
    if (const std::string_view uuid = StringMember(event, "uuid"); !uuid.empty())
      context.link = "misp:" + std::string(uuid);
    TakeTags(event, &context);
    ForEachIn(event, "Attribute", [&](const JsonValue& attribute) { Attribute(attribute, context, sink); });
    ForEachIn(event, "Object", [&](const JsonValue& object) {
      if (IsTrue(object, "deleted", false)) return;
      ForEachIn(object, "Attribute",
                [&](const JsonValue& attribute) { Attribute(attribute, context, sink); });
    });
    return true;
  }

  void Attribute(const JsonValue& attribute, Context context, IndicatorSink& sink) {
    ++number_;
    const std::string_view type = StringMember(attribute, "type");
    const std::string_view value = StringMember(attribute, "value");
    if (type.empty() || value.empty()) {
      sink.OnError({.line = number_, .reason = "an attribute without type or value", .text = {}});
      return;
    }
    if (IsTrue(attribute, "deleted", false)) return;
    if (!IsTrue(attribute, "to_ids", true)) {
      sink.OnPassedOver(MakeError(number_, "not meant for detection (to_ids)", value));
      return;
    }
    if (const auto event = Member(attribute, "Event")) {
      if (context.info.empty()) context.info = StringMember(*event, "info");
    }
    TakeTags(attribute, &context);
    std::string storage;
    Indicator indicator;
    indicator.line = number_;
    indicator.reference = !context.malware.empty() ? context.malware : context.info;
    indicator.actor = context.actor;
    indicator.marking = context.marking;
    indicator.link = context.link;
    indicator.confidence = context.confidence;
    if (const auto stamp = Member(attribute, "first_seen"); stamp && !stamp->is_null()) {
      indicator.reported_us = ParseTimestamp(ScalarText(*stamp, &storage), 0);
    } else if (const auto written = Member(attribute, "timestamp")) {
      indicator.reported_us = ParseTimestamp(ScalarText(*written, &storage), 0);
    }
    if (indicator.reported_us == 0) indicator.reported_us = context.reported_us;
    Emit(type, value, indicator, sink);
  }

  static void Emit(std::string_view type, std::string_view value, Indicator indicator, IndicatorSink& sink) {
    const size_t bar = value.find('|');
    const std::string_view first = value.substr(0, bar);
    const std::string_view second =
        bar == std::string_view::npos ? std::string_view() : value.substr(bar + 1);
    if (type == "domain" || type == "hostname" || type == "hostname|port" || type == "domain|ip") {
      indicator.scope = type.starts_with("domain") ? RuleScope::kSubtree : RuleScope::kExact;
      EmitName(first, indicator, sink);
      if (type != "domain|ip" || second.empty()) return;
      indicator.kind = IndicatorKind::kAddress;
      indicator.scope.reset();
      indicator.text = second;
      sink.OnIndicator(indicator);
    } else if (type == "url" || type == "uri" || type == "link") {
      indicator.kind = IndicatorKind::kUrl;
      indicator.text = value;
      sink.OnIndicator(indicator);
    } else if (type == "ip-dst" || type == "ip-src") {
      indicator.kind = IndicatorKind::kAddress;
      indicator.text = value;
      sink.OnIndicator(indicator);
    } else if (type == "ip-dst|port" || type == "ip-src|port") {
      const bool v6 = first.find(':') != std::string_view::npos;
      const std::string text =
          (v6 ? "[" + std::string(first) + "]" : std::string(first)) + ":" + std::string(second);
      indicator.kind = IndicatorKind::kAddress;
      indicator.text = text;
      sink.OnIndicator(indicator);
    } else {
      sink.OnPassedOver(MakeError(indicator.line, "no name, URL or address", value));
    }
  }

  JsonDocument document_;
  uint64_t number_ = 0;
};

}  // namespace

std::unique_ptr<FeedParser> MakeMispParser() { return std::make_unique<MispParser>(); }

}  // namespace sekisho::blocklist
