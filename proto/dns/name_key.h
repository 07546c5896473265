// NameKey: a name as bytes whose memcmp order is the DNS's canonical order, so that everything under a name
// is one contiguous range. The one key of the trie, of zone cuts and of RocksDB.
//
//   key   := (label 0x00)*          labels from the root down, lower-cased; the root's key is empty
//   label := byte*                  0x00 is written 0x01 0x01, 0x01 is written 0x01 0x02
//
//   NameKey(www.example.test) = "test\0example\0www\0"
//   everything at or below example.test = all keys that start with NameKey(example.test)
//
// Threads: values. Limits: at most 2 × 255 bytes. Standards: RFC 4034 section 6.1.
#ifndef SEKISHO_PROTO_DNS_NAME_KEY_H_
#define SEKISHO_PROTO_DNS_NAME_KEY_H_

#include <optional>
#include <string>
#include <string_view>

#include "proto/dns/name.h"

namespace sekisho::dns {

inline constexpr size_t kMaxNameKeySize = 2 * kMaxNameSize;

std::string NameKey(NameView name);
// Writes the key into `out` (room for kMaxNameKeySize bytes) and returns its size; for paths that must not
// allocate.
size_t WriteNameKey(NameView name, char* out);
// The name of a key, lower-cased; nothing when the bytes are not a key.
std::optional<Name> NameFromKey(std::string_view key);

}  // namespace sekisho::dns

#endif  // SEKISHO_PROTO_DNS_NAME_KEY_H_
