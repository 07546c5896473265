#include "storage/passive/sum.h"

#include <rocksdb/compaction_filter.h>
#include <rocksdb/merge_operator.h>

#include <algorithm>

namespace sekisho::passive {
namespace {

void PutNumber(uint64_t v, std::string* out) {
  for (; v >= 0x80; v >>= 7) out->push_back(static_cast<char>(v | 0x80));
  out->push_back(static_cast<char>(v));
}

bool TakeNumber(std::string_view* bytes, uint64_t* v) {
  *v = 0;
  for (unsigned shift = 0; shift < 64 && !bytes->empty(); shift += 7) {
    const auto byte = static_cast<uint8_t>(bytes->front());
    bytes->remove_prefix(1);
    *v |= uint64_t{byte & 0x7fu} << shift;
    if (byte < 0x80) return true;
  }
  return false;
}

class SumJoin final : public rocksdb::AssociativeMergeOperator {
 public:
  bool Merge(const rocksdb::Slice& /*key*/, const rocksdb::Slice* existing, const rocksdb::Slice& value,
             std::string* out, rocksdb::Logger* /*logger*/) const override {
    auto sum = DecodeSum(value.ToStringView());
    if (!sum) return false;
    if (existing != nullptr) {
      const auto other = DecodeSum(existing->ToStringView());
      if (!other) return false;
      sum->Join(*other);
    }
    out->clear();
    EncodeSum(*sum, out);
    return true;
  }
  const char* Name() const override { return "sekisho.passive.sum"; }
};

class Retention final : public rocksdb::CompactionFilter {
 public:
  explicit Retention(uint64_t cutoff_s) : cutoff_s_(cutoff_s) {}
  // Operands not yet joined stay: a later one may say that it was seen again.
  Decision FilterV2(int /*level*/, const rocksdb::Slice& /*key*/, ValueType type, const rocksdb::Slice& value,
                    std::string* /*new_value*/, std::string* /*skip_until*/) const override {
    if (type != ValueType::kValue) return Decision::kKeep;
    const auto sum = DecodeSum(value.ToStringView());
    return sum && sum->last_s < cutoff_s_ ? Decision::kRemove : Decision::kKeep;
  }
  const char* Name() const override { return "sekisho.passive.retention"; }

 private:
  uint64_t cutoff_s_;
};

class RetentionFactory final : public rocksdb::CompactionFilterFactory {
 public:
  explicit RetentionFactory(std::shared_ptr<const std::atomic<uint64_t>> cutoff_s)
      : cutoff_s_(std::move(cutoff_s)) {}
  std::unique_ptr<rocksdb::CompactionFilter> CreateCompactionFilter(
      const rocksdb::CompactionFilter::Context& /*context*/) override {
    return std::make_unique<Retention>(cutoff_s_->load());
  }
  const char* Name() const override { return "sekisho.passive.retention"; }

 private:
  std::shared_ptr<const std::atomic<uint64_t>> cutoff_s_;
};

}  // namespace

void Sum::Join(const Sum& other) {
  first_s = std::min(first_s, other.first_s);
  last_s = std::max(last_s, other.last_s);
  answered += other.answered;
  blocked += other.blocked;
  collected += other.collected;
}

void EncodeSum(const Sum& sum, std::string* out) {
  PutNumber(sum.first_s, out);
  PutNumber(sum.last_s - sum.first_s, out);
  PutNumber(sum.answered, out);
  PutNumber(sum.blocked, out);
  PutNumber(sum.collected, out);
}

std::optional<Sum> DecodeSum(std::string_view bytes) {
  Sum sum;
  uint64_t span = 0;
  if (!TakeNumber(&bytes, &sum.first_s) || !TakeNumber(&bytes, &span) || !TakeNumber(&bytes, &sum.answered) ||
      !TakeNumber(&bytes, &sum.blocked) || !TakeNumber(&bytes, &sum.collected) || !bytes.empty())
    return std::nullopt;
  sum.last_s = sum.first_s + span;
  return sum;
}

std::shared_ptr<rocksdb::MergeOperator> MakeSumJoin() { return std::make_shared<SumJoin>(); }

std::shared_ptr<rocksdb::CompactionFilterFactory> MakeRetention(
    std::shared_ptr<const std::atomic<uint64_t>> cutoff_s) {
  return std::make_shared<RetentionFactory>(std::move(cutoff_s));
}

}  // namespace sekisho::passive
