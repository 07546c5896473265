#include "resolver/core/validator/nsec3.h"

#include <algorithm>

#include "resolver/core/limits.h"

namespace sekisho::resolver::dnssec {

using dns::NameView;
using dns::Nsec3HashValue;
using dns::RRType;

namespace {

constexpr uint8_t kSha1 = 1;
constexpr size_t kHashLabelSize = 32;
// So many SHA-1 blocks count as one hash of the budget.
constexpr size_t kBlocksPerUnit = 25;
constexpr size_t kSha1Block = 64;
constexpr size_t kSha1Padding = 9;

// A hash with iterations or a long salt takes more of the budget than a plain one.
int HashPrice(const dns::Nsec3View& parameters) {
  const size_t blocks = (sizeof(Nsec3HashValue) + parameters.salt.size() + kSha1Padding - 1) / kSha1Block + 1;
  return static_cast<int>(1 + parameters.iterations * blocks / kBlocksPerUnit);
}

int Base32HexDigit(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  const char lower = static_cast<char>(dns::LowercaseByte(static_cast<uint8_t>(c)));
  if (lower >= 'a' && lower <= 'v') return lower - 'a' + 10;
  return -1;
}

std::span<const uint8_t> HashBytes(const Nsec3HashValue& hash) { return {hash.data(), hash.size()}; }

bool Less(std::span<const uint8_t> a, std::span<const uint8_t> b) {
  return std::lexicographical_compare(a.begin(), a.end(), b.begin(), b.end());
}

bool Covers(const Nsec3Record& record, const Nsec3HashValue& hash) {
  const auto owner = HashBytes(record.owner_hash);
  const auto next = record.data.next_hash;
  const auto at = HashBytes(hash);
  if (Less(owner, next)) return Less(owner, at) && Less(at, next);
  return Less(owner, at) ||
         Less(at, next);  // the last one closes the circle; alone, it covers all but itself
}

// A record at a delegation or a DNAME cannot be the closest encloser of a name below (RFC 5155 section 8.3).
bool MayEnclose(const Nsec3Record& record) { return DeniesBelow(record.data.types); }

}  // namespace

std::optional<Nsec3HashValue> Nsec3OwnerHash(NameView owner) {
  const std::string_view label = owner.FirstLabel();
  if (label.size() != kHashLabelSize) return std::nullopt;
  Nsec3HashValue hash{};
  uint32_t bits = 0;
  int count = 0;
  size_t at = 0;
  for (const char c : label) {
    const int digit = Base32HexDigit(c);
    if (digit < 0) return std::nullopt;
    bits = (bits << 5) | static_cast<uint32_t>(digit);
    count += 5;
    if (count < 8) continue;
    count -= 8;
    hash[at++] = static_cast<uint8_t>(bits >> count);
    bits &= (1u << count) - 1;
  }
  return hash;
}

bool IsUsableNsec3(const dns::Nsec3View& data) {
  return data.hash_algorithm == kSha1 && (data.flags & ~1) == 0 &&
         data.next_hash.size() == Nsec3HashValue{}.size();
}

bool SameParameters(const dns::Nsec3View& a, const dns::Nsec3View& b) {
  return a.hash_algorithm == b.hash_algorithm && a.iterations == b.iterations &&
         std::equal(a.salt.begin(), a.salt.end(), b.salt.begin(), b.salt.end());
}

bool Nsec3Prover::TooManyIterations() const {
  return !records_.empty() && records_.front().data.iterations > max_iterations_;
}

const Nsec3HashValue* Nsec3Prover::Hash(NameView name) {
  if (hashed_name_ && hashed_name_->view() == name) return &hashed_;
  const auto& parameters = records_.front().data;
  if (!budget_.TakeNsec3Hashes(HashPrice(parameters))) {
    over_budget_ = true;
    return nullptr;
  }
  hashed_name_.emplace(name);
  hashed_ = crypto_.Nsec3Hash(name, parameters.salt, parameters.iterations);
  return &hashed_;
}

const Nsec3Record* Nsec3Prover::Matching(NameView name) {
  const Nsec3HashValue* hash = records_.empty() ? nullptr : Hash(name);
  if (hash == nullptr) return nullptr;
  for (const Nsec3Record& record : records_) {
    if (record.owner_hash == *hash) return &record;
  }
  return nullptr;
}

const Nsec3Record* Nsec3Prover::Covering(NameView name) {
  const Nsec3HashValue* hash = records_.empty() ? nullptr : Hash(name);
  if (hash == nullptr) return nullptr;
  for (const Nsec3Record& record : records_) {
    if (Covers(record, *hash)) return &record;
  }
  return nullptr;
}

std::optional<Nsec3Prover::Encloser> Nsec3Prover::FindEncloser(NameView qname) {
  const int zone_labels = zone_.LabelCount();
  for (int labels = qname.LabelCount() - 1; labels >= zone_labels; --labels) {
    const Nsec3Record* match = Matching(qname.Suffix(labels));
    if (over_budget_) return std::nullopt;
    if (match == nullptr) continue;
    if (!MayEnclose(*match)) return std::nullopt;
    const Nsec3Record* next = Covering(qname.Suffix(labels + 1));
    if (next == nullptr) return std::nullopt;
    return Encloser{labels, next};
  }
  return std::nullopt;
}

Proof Nsec3Prover::NameError(NameView qname) {
  if (TooManyIterations()) return Proof::kTooManyIterations;
  const auto encloser = FindEncloser(qname);
  if (!encloser) return Failed();
  const auto wildcard = dns::Name::Prepend("*", qname.Suffix(encloser->labels));
  if (wildcard && Covering(*wildcard) == nullptr) return Failed();
  return encloser->next->data.opt_out() ? Proof::kOptOut : Proof::kProven;
}

Proof Nsec3Prover::Nodata(NameView qname, RRType type, bool* delegation) {
  *delegation = false;
  if (TooManyIterations()) return Proof::kTooManyIterations;
  if (const Nsec3Record* at = Matching(qname)) {
    return BitmapDenies(at->data.types, type, qname.IsRoot(), delegation) ? Proof::kProven
                                                                          : Proof::kNotProven;
  }
  const auto encloser = FindEncloser(qname);
  if (!encloser) return Failed();
  const bool opt_out = encloser->next->data.opt_out();
  if (opt_out && type == RRType::kDS) {
    *delegation = true;  // or nothing at all: either way nothing secure is there
    return Proof::kOptOut;
  }
  const auto wildcard = dns::Name::Prepend("*", qname.Suffix(encloser->labels));
  const Nsec3Record* at = wildcard ? Matching(*wildcard) : nullptr;
  if (at != nullptr) {
    bool wildcard_delegation = false;
    const bool denied =
        BitmapDenies(at->data.types, type, false, &wildcard_delegation) && !wildcard_delegation;
    if (!denied) return Proof::kNotProven;
    return opt_out ? Proof::kOptOut : Proof::kProven;
  }
  if (over_budget_) return Proof::kOverBudget;
  // An empty non-terminal above insecure delegations alone needs no record in an opt-out zone (RFC 5155
  // section 7.1).
  return opt_out ? Proof::kOptOut : Proof::kNotProven;
}

Proof Nsec3Prover::WildcardAnswer(NameView qname, int encloser_labels) {
  if (TooManyIterations()) return Proof::kTooManyIterations;
  const Nsec3Record* next = Covering(qname.Suffix(encloser_labels + 1));
  if (next == nullptr) return Failed();
  return next->data.opt_out() ? Proof::kOptOut : Proof::kProven;
}

}  // namespace sekisho::resolver::dnssec
