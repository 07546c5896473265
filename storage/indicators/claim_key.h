// ClaimKey: under which key a claim stands, so that one feed's claims are one range in the order of names.
//
//   claim  := u32 feed id (big-endian) | entry          local := entry | entry 0xff agency
//   entry  := NameKey | 0x00 | u8 kind                   names
//           | 0x00 0x01 | 16 bytes address | u8 prefix length | 0x00 | u8 kind     addresses, IPv4 mapped
//
// A label begins with a byte over 0x00, so the 0x00 after a name's key sorts it before every name below it,
// and all addresses stand before all names. A prefix stands before what lies in it.
//
// Threads: functions without state. Limits: as NameKey.
#ifndef SEKISHO_STORAGE_INDICATORS_CLAIM_KEY_H_
#define SEKISHO_STORAGE_INDICATORS_CLAIM_KEY_H_

#include <algorithm>
#include <array>
#include <cstdint>
#include <string>
#include <string_view>

#include "proto/base/ip_address.h"

namespace sekisho::indicators {

// What is claimed. Stored; never renumber.
enum class EntryKind : uint8_t {
  kExact = 0,          // the name
  kSubtree = 1,        // the name and all below it
  kUrlHost = 2,        // a URL on this host
  kAddress = 3,        // answers that hold an address of this prefix
  kUrlAddress = 4,     // a URL or a port on this address: evidence
  kNsName = 5,         // zones served by this name (RPZ NSDNAME)
  kNsSubtree = 6,      // zones served by this name or one below it
  kNsAddress = 7,      // zones served from an address of this prefix (RPZ NSIP)
  kClientAddress = 8,  // clients of this prefix (RPZ CLIENT-IP)
};
inline constexpr uint8_t kLastEntryKind = 8;
// Those that speak of query names.
inline constexpr EntryKind kEntryKinds[] = {EntryKind::kExact, EntryKind::kSubtree, EntryKind::kUrlHost};

inline bool IsAddressKind(EntryKind kind) {
  return kind == EntryKind::kAddress || kind == EntryKind::kUrlAddress || kind == EntryKind::kNsAddress ||
         kind == EntryKind::kClientAddress;
}
inline bool IsQueryNameKind(EntryKind kind) { return kind <= EntryKind::kUrlHost; }

inline std::string EntryKey(std::string_view name_key, EntryKind kind) {
  std::string out(name_key);
  out.push_back('\0');
  out.push_back(static_cast<char>(kind));
  return out;
}

inline constexpr std::string_view kAddressEntries{"\0\1", 2};  // what every address entry begins with
inline constexpr std::string_view kAfterAddresses{"\0\2", 2};
inline constexpr size_t kAddressEntrySize = 2 + 16 + 1 + 2;

inline std::string AddressEntryKey(const IpPrefix& prefix, EntryKind kind) {
  std::string out(kAddressEntries);
  const auto& bytes = prefix.address().mapped();
  out.append(reinterpret_cast<const char*>(bytes.data()), bytes.size());
  out.push_back(static_cast<char>(prefix.mapped_length()));
  out.push_back('\0');
  out.push_back(static_cast<char>(kind));
  return out;
}

inline std::string FeedPrefix(uint32_t feed_id) {
  return {static_cast<char>(feed_id >> 24), static_cast<char>(feed_id >> 16), static_cast<char>(feed_id >> 8),
          static_cast<char>(feed_id)};
}

struct EntryParts {
  std::string_view name_key;  // empty for addresses
  IpPrefix prefix;            // for addresses
  EntryKind kind = EntryKind::kExact;
};
// False when the bytes are no entry.
inline bool SplitEntry(std::string_view entry, EntryParts* parts) {
  if (entry.size() < 2 || entry[entry.size() - 2] != '\0' ||
      static_cast<uint8_t>(entry.back()) > kLastEntryKind) {
    return false;
  }
  parts->kind = static_cast<EntryKind>(entry.back());
  const bool address = entry.size() > 2 && entry.starts_with(kAddressEntries);
  if (address != IsAddressKind(parts->kind)) return false;
  if (!address) {
    parts->name_key = entry.substr(0, entry.size() - 2);
    return true;
  }
  if (entry.size() != kAddressEntrySize) return false;
  std::array<uint8_t, 16> bytes{};
  std::copy_n(entry.begin() + 2, bytes.size(), bytes.begin());
  const auto prefix = IpPrefix::FromMapped(IpAddress::V6(bytes), static_cast<uint8_t>(entry[18]));
  if (!prefix) return false;
  parts->name_key = {};
  parts->prefix = *prefix;
  return true;
}

// An entry for one agency stands behind that for all. Agencies' names have no byte over 0x7f, kinds neither.
inline constexpr char kAgencyMark = '\xff';

inline std::string LocalKey(std::string entry, std::string_view agency) {
  if (agency.empty()) return entry;
  return entry.append(1, kAgencyMark).append(agency);
}
// False when the bytes are no local key.
inline bool SplitLocal(std::string_view key, EntryParts* parts, std::string_view* agency = nullptr) {
  std::string_view of;
  if (!key.empty() && static_cast<uint8_t>(key.back()) > kLastEntryKind) {
    const size_t mark = key.rfind(kAgencyMark);
    if (mark == std::string_view::npos) return false;
    of = key.substr(mark + 1);
    key = key.substr(0, mark);
  }
  if (agency != nullptr) *agency = of;
  return SplitEntry(key, parts);
}

}  // namespace sekisho::indicators

#endif  // SEKISHO_STORAGE_INDICATORS_CLAIM_KEY_H_
