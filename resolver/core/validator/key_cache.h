// KeyCache: verdicts on names of the tree of zones: secure with these keys, insecure, bogus, or not a zone
// cut.
//
// The least recently used verdict leaves when there are too many or they hold too many bytes.
//
// Threads: one worker. Limits: kMaxEntries, kMaxBytes; no verdict lives longer than its TTL, kMaxTtl or,
// bogus ones, limits::kBogusTtl.
#ifndef SEKISHO_RESOLVER_CORE_VALIDATOR_KEY_CACHE_H_
#define SEKISHO_RESOLVER_CORE_VALIDATOR_KEY_CACHE_H_

#include <cstddef>
#include <list>
#include <memory>
#include <string>
#include <unordered_map>
#include <utility>

#include "proto/base/now.h"
#include "proto/dns/edns.h"
#include "resolver/core/validator/signature.h"

namespace sekisho::resolver::dnssec {

struct ZoneStatus {
  enum class Kind : uint8_t {
    kSecure,    // a zone with the keys in `keys`
    kInsecure,  // proven to be without a chain, with all below; or below no anchor
    kBogus,     // a chain should be there, and is broken
    kNotACut,   // part of the zone above
    kNoName,    // does not exist in the zone above, nor does anything below
  };
  Kind kind = Kind::kBogus;
  ZoneKeys keys;
  dns::ExtendedError why;  // of kBogus; of kInsecure where there is a reason worth telling
  MonoTime expires{};
  bool keep = true;  // false: true of this question alone (a server did not answer, a budget ended)
};
using ZoneStatusPtr = std::shared_ptr<const ZoneStatus>;

class KeyCache {
 public:
  static constexpr size_t kMaxEntries = 10'000;
  static constexpr size_t kMaxBytes = 8 << 20;
  static constexpr uint32_t kMaxTtl = 3600;

  explicit KeyCache(size_t max_entries = kMaxEntries, size_t max_bytes = kMaxBytes)
      : max_entries_(max_entries), max_bytes_(max_bytes) {}

  // `key` is a name's lower-case wire form.
  ZoneStatusPtr Find(const std::string& key, MonoTime now);
  void Insert(const std::string& key, ZoneStatusPtr status);
  size_t size() const { return table_.size(); }
  size_t bytes() const { return bytes_; }

 private:
  using Entry = std::pair<std::string, ZoneStatusPtr>;
  static size_t SizeOf(const Entry& entry);
  void Erase(std::list<Entry>::iterator entry);

  const size_t max_entries_;
  const size_t max_bytes_;
  size_t bytes_ = 0;
  std::list<Entry> order_;  // most recently used first
  std::unordered_map<std::string, std::list<Entry>::iterator> table_;
};

}  // namespace sekisho::resolver::dnssec

#endif  // SEKISHO_RESOLVER_CORE_VALIDATOR_KEY_CACHE_H_
