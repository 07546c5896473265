#include "proto/dns/name_scanner.h"

#include <algorithm>

#include "proto/dns/name.h"

namespace sekisho::dns {
namespace {

constexpr size_t kHeaderBytes = 12;

}  // namespace

void NameScanner::Remember(size_t at, size_t size, int hops) {
  if (at == 0 || at > 0x3fff) return;  // no pointer can reach it
  known_[(at ^ at >> 5) % kSlots] = {static_cast<uint16_t>(at), static_cast<uint8_t>(size),
                                     static_cast<uint8_t>(hops)};
}

size_t NameScanner::Scan(size_t at, size_t limit, size_t* end) {
  const size_t first = at;
  size_t run = at;      // start of the present run of labels
  size_t room = limit;  // labels of the first run stay in front of `limit`
  size_t size = 0;
  int hops = 0;
  for (;;) {
    if (at >= room) return 0;
    const uint8_t length = packet_[at];
    if (length == 0) {
      size += 1;
      if (hops == 0) *end = at + 1;
      break;
    }
    if (length <= kMaxLabelSize) {
      size += length + size_t{1};
      at += length + size_t{1};
      if (size >= kMaxNameSize) return 0;
      continue;
    }
    if (length < 0xc0 || at + 2 > room) return 0;
    const size_t target = static_cast<size_t>(length & 0x3f) << 8 | packet_[at + 1];
    if (target >= run || target < kHeaderBytes || ++hops > kMaxHops) return 0;
    if (hops == 1) *end = at + 2;
    if (const Known* known = Find(target)) {
      size += known->size;
      hops += known->hops;
      if (hops > kMaxHops) return 0;
      break;
    }
    at = run = target;
    room = packet_.size();
  }
  if (size > kMaxNameSize) return 0;
  Remember(first, size, hops);
  return size;
}

size_t NameScanner::ScanPlain(size_t at, size_t limit, size_t* end) const {
  const size_t first = at;
  while (at < limit) {
    const uint8_t length = packet_[at];
    if (length > kMaxLabelSize) return 0;
    at += length + size_t{1};
    if (at - first > kMaxNameSize) return 0;
    if (length == 0) {
      *end = at;
      return at - first;
    }
  }
  return 0;
}

}  // namespace sekisho::dns
