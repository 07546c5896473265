// BlockOrders: what the two halves of the builder's writing share: the orders of the dictionaries and how a
// column is filled. Of use to block_builder's files alone.
//
// Threads: values.
#ifndef SEKISHO_PROTO_RECORD_BLOCK_ORDERS_H_
#define SEKISHO_PROTO_RECORD_BLOCK_ORDERS_H_

#include <cstdint>
#include <string>
#include <vector>

#include "proto/record/block_builder.h"

namespace sekisho::record {

// …_order: new id → old; …_id: old id → new. Uses go by new ids.
struct BlockBuilder::Orders {
  std::vector<uint32_t> name_order, name_id;
  std::vector<uint32_t> asker_order, asker_id;
  std::vector<uint32_t> exchange_order, exchange_id;
  std::vector<uint32_t> answers_order, answers_id;
  std::vector<Exchange> exchanges;  // in their new order, with old ids of names and answers
  Uses exchange_uses, asker_uses;
  ExchangePages pages;
};

// What is written of a block so far.
struct BlockBuilder::Sections {
  std::vector<std::string> bytes;
  BlockHeader* header = nullptr;
  void Add(SectionKind kind, uint32_t number, std::string section);
  uint32_t chunks() const { return header->chunks(); }
};

class Deltas {
 public:
  uint64_t operator()(uint64_t v) {
    const uint64_t d = v - last_;
    last_ = v;
    return ZigZag(static_cast<int64_t>(d));
  }

 private:
  uint64_t last_ = 0;
};

template <typename Of>
void Column(ColumnWriter* w, size_t count, std::vector<uint64_t>* scratch, Of of) {
  scratch->resize(count);
  for (size_t i = 0; i < count; ++i) (*scratch)[i] = of(i);
  w->Numbers(*scratch);
}

inline uint64_t BigEndian(const uint8_t* b, int n) {
  uint64_t v = 0;
  for (int i = 0; i < n; ++i) v = v << 8 | b[i];
  return v;
}

// Where an address is listed in the block's pages of addresses.
uint32_t AddressHash(const uint8_t* mapped);

}  // namespace sekisho::record

#endif  // SEKISHO_PROTO_RECORD_BLOCK_ORDERS_H_
