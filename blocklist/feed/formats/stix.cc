// STIX 2.1 (and 2.0) bundles and TAXII 2.1 envelopes:
//
//   document  := holder | [ holder* ]            several pages of a collection are one array
//   holder    := {"objects": [ object* ]} | object
//   object    := {"type": "indicator", "id", "pattern", "pattern_type", "valid_from", "valid_until",
//   "confidence", "labels",
//                 "indicator_types", "object_marking_refs", "revoked", "modified", …}
//              | {"type": "relationship", "source_ref", "target_ref", …}
//              | malware, tool, threat-actor, intrusion-set, campaign, marking-definition, …
//
// An indicator speaks through the relationships from it: to malware and tools (the reference), to actors and
// campaigns (the actor), in one step or over the malware. Of several versions of an object the last modified
// counts. Standards: STIX 2.1, TAXII 2.1, TLP marking definitions.
#include <absl/container/flat_hash_map.h>

#include <string>
#include <vector>

#include "blocklist/feed/formats/json_reader.h"
#include "blocklist/feed/formats/parsers.h"
#include "blocklist/feed/formats/stix_pattern.h"
#include "blocklist/feed/formats/timestamp.h"

namespace sekisho::blocklist {
namespace {

constexpr size_t kMaxRelations = 64;  // of one object

struct Actor {
  std::string_view type;
  std::string_view name;
};

// The markings that everybody may refer to without sending them.
std::string_view WellKnownMarking(std::string_view id) {
  if (id == "marking-definition--613f2e26-407d-48c7-9eca-b8e91df99dc9") return "TLP:WHITE";
  if (id == "marking-definition--94868c89-83c2-464b-929b-a1a8aa3c8487") return "TLP:CLEAR";
  if (id == "marking-definition--34098fce-860f-48ae-8e50-ebd3cc5e41da") return "TLP:GREEN";
  if (id == "marking-definition--bab4a63c-aed9-4cf5-a766-dfca5abac2bb") return "TLP:GREEN";
  if (id == "marking-definition--f88d31f6-486f-44da-b317-01333bde0b82") return "TLP:AMBER";
  if (id == "marking-definition--55d920b0-5e8b-4f79-9ee9-91f868d9b421") return "TLP:AMBER";
  if (id == "marking-definition--939a9414-2ddd-4d32-a0cd-375ea402b003") return "TLP:AMBER+STRICT";
  if (id == "marking-definition--5e57c739-391a-4eb3-b6be-7d15ca92d5ed") return "TLP:RED";
  if (id == "marking-definition--e828b379-4e03-4974-9ac4-e53a884c97c1") return "TLP:RED";
  return {};
}

bool IsActor(std::string_view type) {
  return type == "threat-actor" || type == "intrusion-set" || type == "campaign";
}
bool IsMalware(std::string_view type) {
  return type == "malware" || type == "tool" || type == "malware-family";
}

class StixParser final : public FeedParser {
 public:
  void ParseLine(std::string_view, uint64_t, IndicatorSink&) override {}

  void ParseDocument(std::string text, IndicatorSink& sink) override {
    const auto root = document_.Parse(std::move(text));
    if (!root) {
      sink.OnError({.line = 1, .reason = document_.error(), .text = {}});
      return;
    }
    ForEachObject(*root, [this](const JsonValue& object) { Learn(object); });
    ForEachObject(*root, [&](const JsonValue& object) {
      ++number_;
      if (StringMember(object, "type") == "indicator") TakeIndicator(object, sink);
    });
    if (number_ == 0) sink.OnError({.line = 1, .reason = "no STIX objects in it", .text = {}});
  }

 private:
  template <typename Visit>
  void ForEachObject(const JsonValue& value, const Visit& visit) {
    if (value.is<simdjson::dom::array>()) {
      ForEachIn(value, "", [&](const JsonValue& holder) { ForEachInHolder(holder, visit); });
    } else {
      ForEachInHolder(value, visit);
    }
  }
  template <typename Visit>
  static void ForEachInHolder(const JsonValue& holder, const Visit& visit) {
    if (Member(holder, "objects")) {
      ForEachIn(holder, "objects", visit);
    } else if (!StringMember(holder, "type").empty() && StringMember(holder, "type") != "bundle") {
      visit(holder);
    }
  }

  void Learn(const JsonValue& object) {
    const std::string_view type = StringMember(object, "type");
    const std::string_view id = StringMember(object, "id");
    if (IsActor(type) || IsMalware(type)) {
      named_[id] = {type, StringMember(object, "name")};
    } else if (type == "marking-definition") {
      const auto tlp = Member(object, "definition.tlp");
      std::string_view level;
      if (tlp && tlp->get(level) == simdjson::SUCCESS) {
        markings_[id] = "TLP:" + std::string(level.substr(0, 20));
      } else {
        markings_[id] = std::string(StringMember(object, "name").substr(0, 40));
      }
    } else if (type == "relationship") {
      auto& targets = relations_[StringMember(object, "source_ref")];
      if (targets.size() < kMaxRelations) targets.push_back(StringMember(object, "target_ref"));
    } else if (type == "indicator") {
      // Times of one form sort as texts do.
      std::string_view& modified = modified_[id];
      modified = std::max(modified, StringMember(object, "modified"));
    }
  }

  // What stands behind an object, over at most one other.
  void Behind(std::string_view id, int steps, Indicator* indicator) const {
    const auto found = relations_.find(id);
    if (found == relations_.end()) return;
    for (const std::string_view target : found->second) {
      const auto named = named_.find(target);
      if (named == named_.end()) continue;
      if (IsMalware(named->second.type) && indicator->reference.empty())
        indicator->reference = named->second.name;
      if (IsActor(named->second.type) && indicator->actor.empty()) indicator->actor = named->second.name;
      if (steps > 0) Behind(target, steps - 1, indicator);
    }
  }

  std::string_view MarkingOf(const JsonValue& object) const {
    std::string_view marking;
    ForEachIn(object, "object_marking_refs", [&](const JsonValue& ref) {
      std::string_view id;
      if (!marking.empty() || ref.get(id) != simdjson::SUCCESS) return;
      marking = WellKnownMarking(id);
      if (const auto found = markings_.find(id); marking.empty() && found != markings_.end())
        marking = found->second;
    });
    return marking;
  }

  void TakeIndicator(const JsonValue& object, IndicatorSink& sink) {
    const std::string_view id = StringMember(object, "id");
    const std::string_view pattern = StringMember(object, "pattern");
    bool revoked = false;
    if (const auto flag = Member(object, "revoked"))
      revoked = flag->get(revoked) == simdjson::SUCCESS && revoked;
    if (revoked || StringMember(object, "modified") != modified_[id]) return;
    const std::string_view language = StringMember(object, "pattern_type");
    if (!language.empty() && language != "stix") {
      sink.OnPassedOver(MakeError(number_, "a pattern that is not STIX", pattern));
      return;
    }
    const StixPattern read = ReadStixPattern(pattern, &values_);
    if (read == StixPattern::kInvalid) {
      sink.OnError(MakeError(number_, "not a STIX pattern", pattern));
      return;
    }
    if (read == StixPattern::kOther) {
      sink.OnPassedOver(MakeError(number_, "a pattern that a resolver cannot match", pattern));
      return;
    }
    std::string confidence;
    Indicator indicator = Describe(object, id, &confidence);
    for (const StixValue& value : values_) {
      Indicator one = indicator;
      one.kind = value.kind;
      one.text = value.text;
      if (value.kind == IndicatorKind::kName) {
        EmitName(value.text, one, sink);
      } else {
        sink.OnIndicator(one);
      }
    }
  }

  Indicator Describe(const JsonValue& object, std::string_view id, std::string* storage) const {
    Indicator indicator;
    indicator.line = number_;
    indicator.link = id;
    indicator.valid_from_us = ParseTimestamp(StringMember(object, "valid_from"), 0);
    indicator.valid_until_us = ParseTimestamp(StringMember(object, "valid_until"), 0);
    indicator.reported_us = ParseTimestamp(StringMember(object, "created"), 0);
    indicator.marking = MarkingOf(object);
    if (const auto confidence = Member(object, "confidence")) {
      uint64_t value = 0;
      if (confidence->get(value) == simdjson::SUCCESS)
        indicator.confidence = static_cast<uint32_t>(std::min<uint64_t>(value, 100));
    }
    for (const char* name : {"indicator_types", "labels"}) {
      const auto labels = Member(object, name);
      if (labels && indicator.category.empty()) indicator.category = ScalarText(*labels, storage);
    }
    Behind(id, 1, &indicator);
    if (indicator.reference.empty()) indicator.reference = StringMember(object, "name");
    return indicator;
  }

  JsonDocument document_;
  // Views into the document.
  absl::flat_hash_map<std::string_view, Actor> named_;
  absl::flat_hash_map<std::string_view, std::string> markings_;
  absl::flat_hash_map<std::string_view, std::vector<std::string_view>> relations_;
  absl::flat_hash_map<std::string_view, std::string_view> modified_;
  std::vector<StixValue> values_;
  uint64_t number_ = 0;
};

}  // namespace

std::unique_ptr<FeedParser> MakeStixParser() { return std::make_unique<StixParser>(); }

}  // namespace sekisho::blocklist
