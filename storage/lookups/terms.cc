// Index terms.

#include "storage/lookups/partition.h"

namespace sekisho::lookups {

std::string NameTerm(std::string_view name_key) { return "n" + std::string(name_key); }

std::string AddressTerm(char kind, const std::array<uint8_t, 16>& mapped) {
  std::string out(1, kind);
  out.append(reinterpret_cast<const char*>(mapped.data()), mapped.size());
  return out;
}

std::string TextTerm(char kind, std::string_view text) { return std::string(1, kind).append(text); }

std::string NumberTerm(char kind, uint16_t number) {
  return {kind, static_cast<char>(number >> 8), static_cast<char>(number & 0xff)};
}

std::string AfterPrefix(std::string prefix) {
  while (!prefix.empty() && static_cast<uint8_t>(prefix.back()) == 0xff) prefix.pop_back();
  if (!prefix.empty()) prefix.back() = static_cast<char>(static_cast<uint8_t>(prefix.back()) + 1);
  return prefix;
}

}  // namespace sekisho::lookups
