//   section := comment* name ':' NEWLINE (section | setting | list)*      indented by two spaces a level
//   setting := comment* name ':' value
//   list    := comment* name ':' (' []' | NEWLINE ('- ' value)*)          a list of sections shows one as a
//   comment
#include <google/protobuf/descriptor.h>
#include <google/protobuf/descriptor.pb.h>
#include <google/protobuf/message.h>

#include <memory>
#include <string>

#include "proto/config/config.h"
#include "proto/config/config_descriptor.h"
#include "proto/config/quantity.h"

namespace sekisho::config {
namespace {

using google::protobuf::Descriptor;
using google::protobuf::FieldDescriptor;
using google::protobuf::Message;
using google::protobuf::Reflection;

class DefaultsPrinter {
 public:
  DefaultsPrinter() {
    google::protobuf::FileDescriptorSet files;
    files.ParseFromString(std::string(ConfigDescriptor()));
    for (const auto& file : files.file()) commented_.BuildFile(file);
  }

  std::string Print(const Message& message) {
    PrintMessage(message, 0);
    return std::move(out_);
  }

 private:
  void PrintMessage(const Message& message, int level) {
    const Descriptor& type = *message.GetDescriptor();
    for (int i = 0; i < type.field_count(); ++i) {
      if (level == 0 && i > 0) out_ += "\n";
      PrintField(message, *type.field(i), level);
    }
  }

  void PrintField(const Message& message, const FieldDescriptor& field, int level) {
    const std::string indent(static_cast<size_t>(level) * 2, ' ');
    PrintComment(field, indent + "# ");
    const Reflection& reflection = *message.GetReflection();
    const bool section = field.cpp_type() == FieldDescriptor::CPPTYPE_MESSAGE;
    if (field.is_repeated()) {
      PrintList(message, field, level);
    } else if (section) {
      out_ += indent + field.name() + ":\n";
      PrintMessage(reflection.GetMessage(message, &field), level + 1);
    } else if (field.has_presence() && !reflection.HasField(message, &field)) {
      out_ += indent + "# " + field.name() + ":\n";  // its default follows from others
    } else {
      out_ += indent + field.name() + ": " + Value(message, field, -1) + "\n";
    }
  }

  void PrintList(const Message& message, const FieldDescriptor& field, int level) {
    const std::string indent(static_cast<size_t>(level) * 2, ' ');
    const Reflection& reflection = *message.GetReflection();
    const int size = reflection.FieldSize(message, &field);
    out_ += indent + field.name() + (size == 0 ? ": []\n" : ":\n");
    const bool sections = field.cpp_type() == FieldDescriptor::CPPTYPE_MESSAGE;
    for (int i = 0; i < size; ++i) {
      if (!sections) {
        out_ += indent + "  - " + Value(message, field, i) + "\n";
        continue;
      }
      // The first field carries the dash of the list.
      const size_t at = out_.size();
      PrintMessageQuietly(reflection.GetRepeatedMessage(message, &field, i), level + 2);
      out_[at + static_cast<size_t>(level) * 2 + 2] = '-';
    }
    if (sections && size == 0) PrintElement(*field.message_type(), indent + "#   ");
  }

  void PrintMessageQuietly(const Message& message, int level) {
    quiet_ = true;
    PrintMessage(message, level);
    quiet_ = false;
  }

  // What one element of an empty list would look like.
  void PrintElement(const Descriptor& type, const std::string& margin) {
    for (int i = 0; i < type.field_count(); ++i) {
      const FieldDescriptor& field = *type.field(i);
      PrintComment(field, margin + "  # ");
      out_ += margin + (i == 0 ? "- " : "  ") + field.name() + ":\n";
    }
  }

  void PrintComment(const FieldDescriptor& field, const std::string& margin) {
    if (quiet_) return;
    const FieldDescriptor* commented = commented_.FindFieldByName(field.full_name());
    google::protobuf::SourceLocation where;
    if (commented == nullptr || !commented->GetSourceLocation(&where)) return;
    const std::string& text = where.leading_comments;
    for (size_t at = 0; at < text.size();) {
      size_t end = text.find('\n', at);
      if (end == std::string::npos) end = text.size();
      size_t begin = at;
      if (begin < end && text[begin] == ' ') ++begin;
      out_ += margin + text.substr(begin, end - begin) + "\n";
      at = end + 1;
    }
  }

  // index < 0: the field itself, else that element of the list.
  static std::string Value(const Message& message, const FieldDescriptor& field, int index) {
    const Reflection& r = *message.GetReflection();
    switch (field.cpp_type()) {
      case FieldDescriptor::CPPTYPE_BOOL:
        return (index < 0 ? r.GetBool(message, &field) : r.GetRepeatedBool(message, &field, index)) ? "true"
                                                                                                    : "false";
      case FieldDescriptor::CPPTYPE_UINT32:
        return FormatQuantity(
            index < 0 ? r.GetUInt32(message, &field) : r.GetRepeatedUInt32(message, &field, index),
            UnitOf(field.name()));
      case FieldDescriptor::CPPTYPE_UINT64:
        return FormatQuantity(
            index < 0 ? r.GetUInt64(message, &field) : r.GetRepeatedUInt64(message, &field, index),
            UnitOf(field.name()));
      default:
        return "\"" +
               (index < 0 ? r.GetString(message, &field) : r.GetRepeatedString(message, &field, index)) +
               "\"";
    }
  }

  google::protobuf::DescriptorPool commented_;
  std::string out_;
  bool quiet_ = false;
};

}  // namespace

std::string PrintDefaults() {
  return "# Every setting of Sekisho with its default. What is left out of a file keeps its default.\n\n" +
         DefaultsPrinter().Print(DefaultConfig());
}

}  // namespace sekisho::config
