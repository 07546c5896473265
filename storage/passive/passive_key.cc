#include "storage/passive/passive_key.h"

#include "proto/base/bytes.h"
#include "proto/base/ip_address.h"
#include "proto/dns/name_key.h"
#include "proto/dns/types.h"

namespace sekisho::passive {
namespace {

void PutType(uint16_t type, std::string* out) {
  out->push_back(static_cast<char>(type >> 8));
  out->push_back(static_cast<char>(type));
}

// Takes a name key and the 0x00 behind it.
bool TakeName(std::string_view* bytes, std::string* name_key) {
  size_t at = 0;
  while (at < bytes->size() && (*bytes)[at] != '\0') {
    at = bytes->find('\0', at);
    if (at == std::string_view::npos) return false;
    ++at;
  }
  if (at >= bytes->size()) return false;
  name_key->assign(bytes->substr(0, at));
  bytes->remove_prefix(at + 1);
  return true;
}

bool TakeType(std::string_view* bytes, uint16_t* type) {
  if (bytes->size() < 2) return false;
  *type = ByteReader(AsBytes(*bytes)).U16();
  bytes->remove_prefix(2);
  return true;
}

// Where in the wire form the name begins that the record leads to; 0: it leads to none.
size_t TargetOffset(uint16_t type) {
  switch (static_cast<dns::RRType>(type)) {
    case dns::RRType::kMX:
    case dns::RRType::kHTTPS:
    case dns::RRType::kSVCB:
      return 2;
    case dns::RRType::kSRV:
      return 6;
    default:
      return 0;
  }
}

// The uncompressed name at the front of the bytes.
std::optional<dns::NameView> NameAtFront(std::string_view wire) {
  size_t at = 0;
  while (at < wire.size() && wire[at] != 0) at += 1 + static_cast<uint8_t>(wire[at]);
  if (at >= wire.size()) return std::nullopt;
  return dns::NameView::FromWire(AsBytes(wire.substr(0, at + 1)));
}

}  // namespace

std::string ForwardKey(std::string_view name_key, uint16_t type, std::string_view data) {
  std::string key;
  key.reserve(name_key.size() + 3 + data.size());
  key.append(name_key).push_back('\0');
  PutType(type, &key);
  key.append(data);
  return key;
}

std::string BackwardKey(std::string_view name_key, uint16_t type, std::string_view data) {
  std::string key;
  const std::string_view bytes = data.substr(1);
  const char kind = data[0];
  std::string rest;
  if (kind == 'a') {
    key.append(data);
  } else if (kind == 'n') {
    key.append(data).push_back('\0');
  } else if (const size_t offset = TargetOffset(type); kind == 'o' && offset > 0 && bytes.size() > offset) {
    const auto target = NameAtFront(bytes.substr(offset));
    if (!target || target->IsRoot()) return {};
    key = "o" + dns::NameKey(*target);
    key.push_back('\0');
    rest = data;
  } else {
    return {};
  }
  key.append(name_key).push_back('\0');
  PutType(type, &key);
  key.append(rest);
  return key;
}

std::optional<PassiveKey> ParseForward(std::string_view key) {
  PassiveKey out;
  if (!TakeName(&key, &out.name_key) || !TakeType(&key, &out.type) || key.empty()) return std::nullopt;
  out.data = key;
  return out;
}

std::optional<PassiveKey> ParseBackward(std::string_view key) {
  PassiveKey out;
  if (key.empty()) return std::nullopt;
  const char kind = key[0];
  std::string target;
  if (kind == 'a') {
    if (key.size() < 17) return std::nullopt;
    out.data = key.substr(0, 17);
    key.remove_prefix(17);
  } else {
    key.remove_prefix(1);
    if ((kind != 'n' && kind != 'o') || !TakeName(&key, &target)) return std::nullopt;
    out.data = "n" + target;
  }
  if (!TakeName(&key, &out.name_key) || !TakeType(&key, &out.type)) return std::nullopt;
  if (kind == 'o') out.data = key;
  if (out.data.empty() || (kind != 'o' && !key.empty())) return std::nullopt;
  return out;
}

std::string RdataOf(const PassiveKey& key) {
  const std::string_view bytes = std::string_view(key.data).substr(1);
  switch (key.data[0]) {
    case 'a':
      return std::string(bytes.substr(static_cast<dns::RRType>(key.type) == dns::RRType::kA ? 12 : 0));
    case 'n': {
      const auto name = dns::NameFromKey(bytes);
      return name ? std::string(AsText(name->view().bytes())) : std::string();
    }
    case 'o':
      return std::string(bytes);
    default:
      return {};
  }
}

}  // namespace sekisho::passive
