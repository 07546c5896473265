#include "proto/config/yaml_fields.h"

#include <algorithm>
#include <limits>
#include <optional>
#include <utility>

#include "proto/config/printable.h"
#include "proto/config/quantity.h"

namespace sekisho::config {
namespace {

using google::protobuf::Descriptor;
using google::protobuf::FieldDescriptor;
using google::protobuf::Message;
using google::protobuf::Reflection;

size_t EditDistance(std::string_view a, std::string_view b) {
  std::vector<size_t> row(b.size() + 1);
  for (size_t j = 0; j <= b.size(); ++j) row[j] = j;
  for (size_t i = 1; i <= a.size(); ++i) {
    size_t diagonal = std::exchange(row[0], i);
    for (size_t j = 1; j <= b.size(); ++j) {
      const size_t up = row[j];
      row[j] = std::min({up + 1, row[j - 1] + 1, diagonal + (a[i - 1] == b[j - 1] ? 0 : 1)});
      diagonal = up;
    }
  }
  return row[b.size()];
}

std::string UnknownKey(const std::string& key, const Descriptor& type) {
  std::string nearest;
  size_t best = 3;  // a hint further away than this misleads
  std::string known;
  for (int i = 0; i < type.field_count(); ++i) {
    const std::string& name = type.field(i)->name();
    known += (i == 0 ? "" : ", ") + name;
    const size_t distance = key.size() > 64 ? best : EditDistance(key, name);
    if (distance < best || (nearest.empty() && key.size() >= 4 && name.starts_with(key))) {
      best = std::min(best, distance);
      nearest = name;
    }
  }
  if (!nearest.empty()) return "no such setting; do you mean '" + nearest + "'?";
  return "no such setting; known here: " + known;
}

const char* KindOf(const YAML::Node& node) {
  switch (node.Type()) {
    case YAML::NodeType::Map:
      return "a section";
    case YAML::NodeType::Sequence:
      return "a list";
    case YAML::NodeType::Scalar:
      return "a single value";
    default:
      return "nothing";
  }
}

std::optional<bool> ParseBool(const std::string& text) {
  if (text == "true" || text == "yes" || text == "on") return true;
  if (text == "false" || text == "no" || text == "off") return false;
  return std::nullopt;
}

std::string Expected(const FieldDescriptor& field) {
  switch (field.cpp_type()) {
    case FieldDescriptor::CPPTYPE_BOOL:
      return "true or false";
    case FieldDescriptor::CPPTYPE_STRING:
      return "text";
    case FieldDescriptor::CPPTYPE_MESSAGE:
      return "a section";
    default:
      break;
  }
  switch (UnitOf(field.name())) {
    case Unit::kBytes:
      return "a size such as 64MiB";
    case Unit::kSeconds:
      return "a duration such as 30s or 2h";
    case Unit::kDays:
      return "a number of days such as 90d";
    case Unit::kNone:
      break;
  }
  return "a whole number, zero or more";
}

// Sets or, for a list, appends one value.
template <typename Set, typename Add, typename Value>
void Put(const FieldDescriptor& field, const Reflection& reflection, Message* message, Set set, Add add,
         Value value) {
  if (field.is_repeated()) {
    (reflection.*add)(message, &field, std::move(value));
  } else {
    (reflection.*set)(message, &field, std::move(value));
  }
}

}  // namespace

void YamlFields::Report(const YAML::Mark& mark, std::string path, std::string what) {
  if (problems_.size() < kMaxProblems) problems_.push_back({mark, std::move(path), std::move(what)});
}

bool YamlFields::Admit(const YAML::Node& node, const std::string& path, int depth) {
  if (depth > kMaxConfigDepth) {
    Report(node.Mark(), path, "nested deeper than " + std::to_string(kMaxConfigDepth) + " levels");
    return false;
  }
  if (++nodes_ > kMaxConfigNodes) {
    if (nodes_ == kMaxConfigNodes + 1) Report(node.Mark(), path, "too many values in this file");
    return false;
  }
  places_.emplace(path, node.Mark());
  return true;
}

void YamlFields::Fill(const YAML::Node& node, Message* message) { FillMessage(node, "", 0, message); }

void YamlFields::FillMessage(const YAML::Node& node, const std::string& path, int depth, Message* message) {
  if (!Admit(node, path, depth)) return;
  if (node.IsNull()) return;  // a section whose lines are all comments
  if (!node.IsMap())
    return Report(node.Mark(), path, std::string("expected a section, found ") + KindOf(node));
  const Descriptor& type = *message->GetDescriptor();
  std::map<std::string, int, std::less<>> lines;
  for (const auto& item : node) {
    if (!item.first.IsScalar()) {
      Report(item.first.Mark(), path,
             std::string("expected the name of a setting, found ") + KindOf(item.first));
      continue;
    }
    const std::string& key = item.first.Scalar();
    const std::string key_path = (path.empty() ? "" : path + ".") + Printable(key);
    if (auto [at, fresh] = lines.emplace(key, item.first.Mark().line + 1); !fresh) {
      Report(item.first.Mark(), key_path, "given twice, first at line " + std::to_string(at->second));
      continue;
    }
    const FieldDescriptor* field = type.FindFieldByName(key);
    if (field == nullptr) {
      Report(item.first.Mark(), key_path, UnknownKey(key, type));
      continue;
    }
    FillField(item.second, key_path, depth + 1, *field, message);
  }
}

void YamlFields::FillField(const YAML::Node& node, const std::string& path, int depth, const Field& field,
                           Message* message) {
  if (field.is_repeated()) return FillList(node, path, depth, field, message);
  if (field.cpp_type() == Field::CPPTYPE_MESSAGE) {
    return FillMessage(node, path, depth, message->GetReflection()->MutableMessage(message, &field));
  }
  if (Admit(node, path, depth)) FillScalar(node, path, field, message);
}

void YamlFields::FillList(const YAML::Node& node, const std::string& path, int depth, const Field& field,
                          Message* message) {
  if (!Admit(node, path, depth)) return;
  message->GetReflection()->ClearField(message, &field);
  if (node.IsNull()) return;
  if (!node.IsSequence()) {
    return Report(node.Mark(), path,
                  std::string("expected a list (lines that begin with '- '), found ") + KindOf(node));
  }
  size_t index = 0;
  for (const auto& item : node) {
    const std::string item_path = path + "[" + std::to_string(index++) + "]";
    if (field.cpp_type() == Field::CPPTYPE_MESSAGE) {
      FillMessage(item, item_path, depth + 1, message->GetReflection()->AddMessage(message, &field));
    } else if (Admit(item, item_path, depth + 1)) {
      FillScalar(item, item_path, field, message);
    }
  }
}

void YamlFields::FillScalar(const YAML::Node& node, const std::string& path, const Field& field,
                            Message* message) {
  if (node.IsNull()) return Report(node.Mark(), path, "has no value; expected " + Expected(field));
  if (!node.IsScalar()) {
    return Report(node.Mark(), path, "expected " + Expected(field) + ", found " + KindOf(node));
  }
  const std::string& text = node.Scalar();
  const auto wrong = [&] {
    Report(node.Mark(), path, "expected " + Expected(field) + ", found '" + Printable(text) + "'");
  };
  const Reflection& reflection = *message->GetReflection();
  // Quoted: the writer means text, not a number or a switch.
  const bool quoted = node.Tag() == "!";
  switch (field.cpp_type()) {
    case Field::CPPTYPE_STRING:
      if (text.find('\0') != std::string::npos) return wrong();
      return Put(field, reflection, message, &Reflection::SetString, &Reflection::AddString, text);
    case Field::CPPTYPE_BOOL: {
      const auto value = quoted ? std::nullopt : ParseBool(text);
      if (!value) return wrong();
      return Put(field, reflection, message, &Reflection::SetBool, &Reflection::AddBool, *value);
    }
    case Field::CPPTYPE_UINT64: {
      const auto value = quoted ? std::nullopt : ParseQuantity(text, UnitOf(field.name()));
      if (!value) return wrong();
      return Put(field, reflection, message, &Reflection::SetUInt64, &Reflection::AddUInt64, *value);
    }
    case Field::CPPTYPE_UINT32: {
      const auto value = quoted ? std::nullopt : ParseQuantity(text, UnitOf(field.name()));
      if (!value) return wrong();
      if (*value > std::numeric_limits<uint32_t>::max()) return Report(node.Mark(), path, "too large");
      return Put(field, reflection, message, &Reflection::SetUInt32, &Reflection::AddUInt32,
                 static_cast<uint32_t>(*value));
    }
    default:
      return Report(node.Mark(), path, "this kind of setting cannot be read from a file");
  }
}

YAML::Mark YamlFields::PlaceOf(std::string path) const {
  for (;;) {
    if (auto at = places_.find(path); at != places_.end()) return at->second;
    const size_t cut = path.find_last_of(".[");
    if (cut == std::string::npos) break;
    path.resize(cut);
  }
  auto root = places_.find("");
  return root == places_.end() ? YAML::Mark() : root->second;
}

}  // namespace sekisho::config
