// YamlFields: fills a protobuf message from a YAML tree by reflection and remembers where each field stood.
//
// Threads: one. Limits: those of config.h. The only users of yaml-cpp are yaml_fields.cc and what includes
// this.
#ifndef SEKISHO_PROTO_CONFIG_YAML_FIELDS_H_
#define SEKISHO_PROTO_CONFIG_YAML_FIELDS_H_

#include <google/protobuf/descriptor.h>
#include <google/protobuf/message.h>
#include <yaml-cpp/yaml.h>

#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "proto/config/config.h"

namespace sekisho::config {

class YamlFields {
 public:
  // Overlays `node` on *message; problems are collected, not thrown.
  void Fill(const YAML::Node& node, google::protobuf::Message* message);

  struct Located {
    YAML::Mark mark;
    std::string path;
    std::string what;
  };
  const std::vector<Located>& problems() const { return problems_; }
  // The place of a path, or of the nearest enclosing one that is in the file.
  YAML::Mark PlaceOf(std::string path) const;

 private:
  using Field = google::protobuf::FieldDescriptor;

  void FillMessage(const YAML::Node& node, const std::string& path, int depth,
                   google::protobuf::Message* message);
  void FillField(const YAML::Node& node, const std::string& path, int depth, const Field& field,
                 google::protobuf::Message* message);
  void FillList(const YAML::Node& node, const std::string& path, int depth, const Field& field,
                google::protobuf::Message* message);
  void FillScalar(const YAML::Node& node, const std::string& path, const Field& field,
                  google::protobuf::Message* message);
  // False when there are too many nodes or levels; said once.
  bool Admit(const YAML::Node& node, const std::string& path, int depth);
  void Report(const YAML::Mark& mark, std::string path, std::string what);

  std::map<std::string, YAML::Mark, std::less<>> places_;
  std::vector<Located> problems_;
  size_t nodes_ = 0;
};

}  // namespace sekisho::config

#endif  // SEKISHO_PROTO_CONFIG_YAML_FIELDS_H_
