// Passive keys: a record (name, type, data) as bytes, once to be found by its name and once by its data.
//
//   forward  := name key | 0x00 | type | data                                     all under a name is a range
//   backward := 'a' | address, 16 bytes mapped | name key | 0x00 | type           A and AAAA
//             | 'n' | target's name key | 0x00 | name key | 0x00 | type           CNAME, NS, PTR
//             | 'o' | target's name key | 0x00 | name key | 0x00 | type | data    MX, SRV, HTTPS, SVCB
//   data     := '-'                  none: the name was asked for and blocked before it was resolved
//             | 'a' | 16 bytes       | 'n' | name key       | 'o' | wire form
//
// Types are two bytes, big-endian. Labels of a name key have no 0x00, so the first empty one ends a key.
//
// Threads: functions without state. Limits: data of more than kMaxData bytes have no key.
#ifndef SEKISHO_STORAGE_PASSIVE_PASSIVE_KEY_H_
#define SEKISHO_STORAGE_PASSIVE_PASSIVE_KEY_H_

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace sekisho::passive {

inline constexpr size_t kMaxData = 2048;

struct PassiveKey {
  std::string name_key;
  uint16_t type = 0;
  std::string data;  // as in the grammar
  friend auto operator<=>(const PassiveKey&, const PassiveKey&) = default;
};

std::string ForwardKey(std::string_view name_key, uint16_t type, std::string_view data);
// Empty: this data is not looked for.
std::string BackwardKey(std::string_view name_key, uint16_t type, std::string_view data);

std::optional<PassiveKey> ParseForward(std::string_view key);
std::optional<PassiveKey> ParseBackward(std::string_view key);

// The data's wire form; empty for none.
std::string RdataOf(const PassiveKey& key);

}  // namespace sekisho::passive

#endif  // SEKISHO_STORAGE_PASSIVE_PASSIVE_KEY_H_
