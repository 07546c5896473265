#include "storage/lookups/postings.h"

#include <algorithm>

#include "proto/base/bytes.h"
#include "proto/record/column.h"

namespace sekisho::lookups {

std::string EncodePostings(std::span<const uint32_t> ascending) {
  std::string out;
  uint32_t before = 0;
  for (const uint32_t n : ascending) {
    record::PutVarint(&out, n - before);
    before = n;
  }
  return out;
}

bool DecodePostings(std::string_view bytes, std::vector<uint32_t>* out) {
  auto in = AsBytes(bytes);
  uint64_t at = 0;
  while (!in.empty()) {
    uint64_t delta = 0;
    if (!record::TakeVarint(&in, &delta) || delta > UINT32_MAX - at) return false;
    at += delta;
    out->push_back(static_cast<uint32_t>(at));
  }
  return true;
}

void SortUnique(std::vector<uint32_t>* numbers) {
  if (!std::is_sorted(numbers->begin(), numbers->end())) std::sort(numbers->begin(), numbers->end());
  numbers->erase(std::unique(numbers->begin(), numbers->end()), numbers->end());
}

namespace {

class Operator final : public rocksdb::MergeOperator {
 public:
  const char* Name() const override { return "sekisho.postings.1"; }

  bool FullMergeV2(const MergeOperationInput& in, MergeOperationOutput* out) const override {
    std::vector<uint32_t> numbers;
    if (in.existing_value != nullptr && !DecodePostings(in.existing_value->ToStringView(), &numbers))
      return false;
    for (const rocksdb::Slice& operand : in.operand_list) {
      if (!DecodePostings(operand.ToStringView(), &numbers)) return false;
    }
    SortUnique(&numbers);
    out->new_value = EncodePostings(numbers);
    return true;
  }

  bool PartialMergeMulti(const rocksdb::Slice& /*key*/, const std::deque<rocksdb::Slice>& operands,
                         std::string* value, rocksdb::Logger* /*log*/) const override {
    std::vector<uint32_t> numbers;
    for (const rocksdb::Slice& operand : operands) {
      if (!DecodePostings(operand.ToStringView(), &numbers)) return false;
    }
    SortUnique(&numbers);
    *value = EncodePostings(numbers);
    return true;
  }
};

}  // namespace

std::shared_ptr<rocksdb::MergeOperator> PostingsMerge() { return std::make_shared<Operator>(); }

}  // namespace sekisho::lookups
