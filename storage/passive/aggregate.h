// Aggregate: passive DNS of many lookups, summed up in memory before it is written.
//
//   Aggregate sums;
//   sums.AddLookups(builder);            // whatever the block in the making holds
//   store.Write(sums, day, positions, &error);
//
// An answer's records are kept without their owners; they are found again by following the aliases from the
// name asked for.
//
// Threads: one thread. Limits: memory grows with the distinct records; data of more than kMaxData bytes and
// classes but IN are left out. Questions that got no data are left out, too, but those that were blocked.
#ifndef SEKISHO_STORAGE_PASSIVE_AGGREGATE_H_
#define SEKISHO_STORAGE_PASSIVE_AGGREGATE_H_

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "proto/record/block_builder.h"
#include "proto/record/dictionary.h"
#include "storage/passive/sum.h"

namespace sekisho::passive {

class Aggregate {
 public:
  explicit Aggregate(uint64_t seed = 0);

  void AddLookups(const record::BlockBuilder& rows);
  // `data` as in passive_key.h.
  void Add(std::string_view name_key, uint16_t type, std::string_view data, const Sum& sum);

  bool empty() const { return sums_.empty(); }
  size_t size() const { return sums_.size(); }
  // Whether BackwardOrder has anything to tell.
  bool has_targets() const;
  // Each record once, in the order of its forward (backward) key.
  using Each = std::function<bool(std::string_view key, const Sum& sum)>;
  bool ForwardOrder(const Each& each) const;
  bool BackwardOrder(const Each& each) const;

 private:
  struct Entry {
    uint32_t name;
    uint32_t data;
    uint32_t type;
  };
  static_assert(sizeof(Entry) == 12);
  struct Lookups;

  void AddAnswers(const record::BlockBuilder& rows, std::string_view set, uint32_t owner, const Sum& sum,
                  Lookups* ids);
  void AddEntry(Entry entry, const Sum& sum);
  Entry EntryAt(uint32_t i) const;
  std::string BackwardKeyOf(const Entry& entry) const;
  // The places of names and of data in the order of their bytes.
  struct Ranks {
    std::vector<uint32_t> names;
    std::vector<uint32_t> data;
  };
  const Ranks& RanksNow() const;

  record::Dictionary names_;
  record::Dictionary data_;
  record::Dictionary entries_;
  std::vector<Sum> sums_;  // per entry
  mutable Ranks ranks_;    // as of the last time they were wanted
};

}  // namespace sekisho::passive

#endif  // SEKISHO_STORAGE_PASSIVE_AGGREGATE_H_
