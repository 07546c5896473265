// The descriptors of config.proto with their comments, as protoc wrote them: a serialized FileDescriptorSet.
//
// Threads: functions without state.
#ifndef SEKISHO_PROTO_CONFIG_CONFIG_DESCRIPTOR_H_
#define SEKISHO_PROTO_CONFIG_CONFIG_DESCRIPTOR_H_

#include <string_view>

namespace sekisho::config {

std::string_view ConfigDescriptor();

}  // namespace sekisho::config

#endif  // SEKISHO_PROTO_CONFIG_CONFIG_DESCRIPTOR_H_
