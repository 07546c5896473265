// BlockUnpack: small parts that the reader's files share. Of use to block_reader's files alone.
//
// Threads: functions without state.
#ifndef SEKISHO_PROTO_RECORD_BLOCK_UNPACK_H_
#define SEKISHO_PROTO_RECORD_BLOCK_UNPACK_H_

#include <cstdint>

#include "proto/record/block_header.h"
#include "proto/record/block_layout.h"
#include "proto/record/column.h"

namespace sekisho::record {

inline constexpr uint64_t kAny = UINT64_MAX;

class Undelta {
 public:
  uint64_t operator()(uint64_t v) {
    last_ += static_cast<uint64_t>(UnZigZag(v));
    return last_;
  }

 private:
  uint64_t last_ = 0;
};

inline void PutBigEndian(uint64_t v, uint8_t* to, int n) {
  for (int i = 0; i < n; ++i) to[i] = static_cast<uint8_t>(v >> (8 * (n - 1 - i)));
}

// The uses of `count` entries of a dictionary.
bool TakeUses(ColumnReader& in, size_t count, const BlockHeader& header, Uses* out);

}  // namespace sekisho::record

#endif  // SEKISHO_PROTO_RECORD_BLOCK_UNPACK_H_
