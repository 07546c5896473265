// RRset: the records of one owner name, type and class, and the signatures that cover them.
//
// RDATA are kept uncompressed, one after another in one buffer:
//
//   packed := (u16 length, host order | bytes)*
//
// Threads: values; shared as shared_ptr<const RRset> between caches and answers.
// Limits: see resolver/core/limits.h for how many records are accepted. Standards: RFC 2181 section 5.
#ifndef SEKISHO_PROTO_DNS_RRSET_H_
#define SEKISHO_PROTO_DNS_RRSET_H_

#include <cstdint>
#include <cstring>
#include <iterator>
#include <memory>
#include <span>
#include <string>

#include "proto/dns/name.h"
#include "proto/dns/types.h"

namespace sekisho::dns {

// A list of RDATA in one allocation, in the order added.
class RdataList {
 public:
  class Iterator {
   public:
    using value_type = std::span<const uint8_t>;
    using difference_type = std::ptrdiff_t;
    using iterator_category = std::input_iterator_tag;
    using pointer = const value_type*;
    using reference = value_type;
    explicit Iterator(const char* at) : at_(at) {}
    value_type operator*() const { return {reinterpret_cast<const uint8_t*>(at_) + 2, Length()}; }
    Iterator& operator++() {
      at_ += 2 + Length();
      return *this;
    }
    friend bool operator==(const Iterator&, const Iterator&) = default;

   private:
    uint16_t Length() const {
      uint16_t n = 0;
      std::memcpy(&n, at_, 2);
      return n;
    }
    const char* at_;
  };

  void Add(std::span<const uint8_t> rdata) {
    const uint16_t n = static_cast<uint16_t>(rdata.size());
    packed_.append(reinterpret_cast<const char*>(&n), 2);
    packed_.append(reinterpret_cast<const char*>(rdata.data()), rdata.size());
    ++count_;
  }
  bool Contains(std::span<const uint8_t> rdata) const;
  size_t size() const { return count_; }
  bool empty() const { return count_ == 0; }
  size_t packed_size() const { return packed_.size(); }
  Iterator begin() const { return Iterator(packed_.data()); }
  Iterator end() const { return Iterator(packed_.data() + packed_.size()); }
  std::span<const uint8_t> front() const { return *begin(); }
  void clear() {
    packed_.clear();
    count_ = 0;
  }
  friend bool operator==(const RdataList&, const RdataList&) = default;

 private:
  std::string packed_;
  uint32_t count_ = 0;
};

struct RRset {
  Name owner{};
  RRType type = RRType::kNone;
  RRClass rrclass = RRClass::kIN;
  uint32_t ttl = 0;      // the smallest TTL among the records, seconds
  RdataList rdata{};       // never empty in a useful RRset; duplicates removed
  RdataList signatures{};  // RDATA of the RRSIG records that cover this RRset
};

using RRsetPtr = std::shared_ptr<const RRset>;

}  // namespace sekisho::dns

#endif  // SEKISHO_PROTO_DNS_RRSET_H_
