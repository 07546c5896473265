// Opens hostile bytes as a trie file, with the checksum and the size in the header made right, and asks it.
#include <xxhash.h>

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <vector>

#include "blocklist/trie/trie_cursor.h"
#include "blocklist/trie/trie_view.h"
#include "proto/dns/name_key.h"

namespace sekisho::blocklist {
namespace {

// A whole header is too large for a fuzzer to invent: the input is laid over a plausible one, repeated where
// it is short.
std::vector<uint8_t> MakeFile(const uint8_t* data, size_t size) {
  TrieHeader header;
  auto* raw = reinterpret_cast<uint8_t*>(&header);
  const size_t tables = offsetof(TrieHeader, attributes);
  for (size_t i = tables; size > 0 && i < sizeof(header); ++i) raw[i] = data[i % size];
  header.header_size = sizeof(TrieHeader);
  header.rules = 100;
  const auto at = [&](size_t i) -> uint32_t { return i < size ? data[i] : 0; };
  header.seed = at(0);
  header.root_block = at(1);
  header.branch_slots = at(2) % 2 == 0 ? 0 : 1u << (at(2) >> 1) % 6;
  header.map_segment = 1u << at(3) % 4;
  header.map_slots = header.map_segment * (3 + at(4) % 16);
  header.map_value_bits = kCheckBits + 1 + at(5) % 8;
  header.blocks = at(6) % 40;
  header.long_bytes = at(7) * 4;
  header.prefixes4 = {.count = at(8) % 16, .index_bits = at(8) % 16 == 0 ? 0 : at(9) % 4};
  header.prefixes6 = {.count = at(10) % 16, .index_bits = at(10) % 16 == 0 ? 0 : at(11) % 4};
  const TrieSections places(header);
  header.file_size = places.size;
  std::vector<uint8_t> file(places.size);
  for (size_t i = 0; size > 8 && i < file.size(); ++i) file[i] = data[8 + i % (size - 8)];
  std::memcpy(file.data(), &header, sizeof(header));
  const XXH128_hash_t sum = XXH3_128bits(file.data(), file.size());
  std::memcpy(file.data() + offsetof(TrieHeader, checksum), &sum.low64, 8);
  std::memcpy(file.data() + offsetof(TrieHeader, checksum) + 8, &sum.high64, 8);
  return file;
}

void Ask(const TrieView& view, dns::NameView name) {
  TrieHits room;
  for (const TrieHit& hit : view.Find(NameQuery(name), room)) {
    if (hit.labels > name.LabelCount()) __builtin_trap();
    (void)view.source(hit.source);
  }
}

void AskAddress(const TrieView& view, const char* text) {
  AddressHits room;
  const IpAddress address = *IpAddress::Parse(text);
  for (const AddressHit& hit : view.FindAddress(address, room)) {
    if (hit.length > 8 * address.bytes().size()) __builtin_trap();
    (void)view.source(hit.source);
  }
}

}  // namespace
}  // namespace sekisho::blocklist

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace sekisho;  // NOLINT(google-build-using-namespace)
  const auto file = blocklist::MakeFile(data, size);
  (void)blocklist::TrieView::Open({data, size});
  const auto view = blocklist::TrieView::Open(file);
  if (!view.ok()) __builtin_trap();  // the file was made to be accepted
  for (const char* name :
       {".", "com.", "a.com.", "www.example.com.", "\\000.\\255.a.b.c.d.e.f.g.h.example."}) {
    blocklist::Ask(*view, *dns::Name::Parse(name));
  }
  for (const char* address : {"0.0.0.0", "127.255.0.1", "255.255.255.255", "::", "2001:db8::1", "ffff::"})
    blocklist::AskAddress(*view, address);
  dns::Name deep;
  while (auto longer = dns::Name::Prepend(std::string(1, static_cast<char>(size)), deep)) deep = *longer;
  blocklist::Ask(*view, deep);
  blocklist::TrieCursor cursor(*view);
  while (cursor.Next()) blocklist::Ask(*view, dns::NameFromKey(cursor.rule().name_key).value_or(deep));
  return 0;
}
