// Raw records: a lookup as a compact run of bytes in a worker's ring, on its way to the writer of blocks.
//
//   core: EncodeRaw(event, ring)                    false: the ring was full, count the loss
//   writer thread: DecodeRaw(ring.Front(), &scratch) → LookupEvent whose views point into the ring
//
// Threads: EncodeRaw in the ring's producer, DecodeRaw in its consumer. Neither allocates.
// Limits: kMaxRawSize bytes; answer items that do not fit are counted in answers_cut; agency, feeds and
// category are cut at kMaxRawText bytes. Raw records never leave the process: numbers are in the machine's
// order.
#ifndef SEKISHO_PROTO_RECORD_RAW_RECORD_H_
#define SEKISHO_PROTO_RECORD_RAW_RECORD_H_

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>

#include "proto/base/bounded_ring.h"
#include "proto/record/lookup_event.h"

namespace sekisho::record {

inline constexpr size_t kMaxRawText = 1024;
inline constexpr size_t kMaxRawRdata = 8192;  // of all answer items together
inline constexpr size_t kMaxRawSize = 16384;

bool EncodeRaw(const LookupEvent& event, BoundedRing& ring);

using AnswerScratch = std::array<AnswerView, kMaxAnswerItems>;

// The event's views point into `bytes` and `scratch`. Nothing when the bytes are not a whole raw record.
std::optional<LookupEvent> DecodeRaw(std::span<const uint8_t> bytes, AnswerScratch* scratch);

}  // namespace sekisho::record

#endif  // SEKISHO_PROTO_RECORD_RAW_RECORD_H_
