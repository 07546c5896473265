// Verify: holds every block against the chain and the chain against its signed end, and names what does not
// fit.
//
// The end is signed, each header names the one before and the digests of its own sections: so from the signed
// end backwards it is certain which block is not what was written — flipped, gone, put in, swapped, or of an
// old copy.
//
// Threads: any. Limits: reads everything; `stop` is asked between blocks.
#ifndef SEKISHO_STORAGE_LOOKUPS_VERIFY_H_
#define SEKISHO_STORAGE_LOOKUPS_VERIFY_H_

#include <compare>
#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <vector>

#include "storage/lookups/heads.h"
#include "storage/lookups/partition.h"

namespace sekisho::lookups {

struct Finding {
  PartitionId partition;
  uint64_t block = 0;  // 0: the partition as a whole
  std::string what;
};

// One worker of one run of a node.
struct SourceId {
  uint32_t node = 0;
  uint64_t boot = 0;
  uint16_t worker = 0;
  friend auto operator<=>(const SourceId&, const SourceId&) = default;
};
struct SourceSum {
  uint64_t rows = 0;
  uint64_t lost = 0;  // sequence numbers without a lookup
};

struct VerifyReport {
  uint64_t partitions = 0;
  uint64_t blocks = 0;
  uint64_t rows = 0;
  uint64_t counter = 0;  // of the signed heads
  std::string key;       // hexadecimal
  bool complete = true;  // false: stopped
  std::vector<Finding> findings;
  std::vector<std::string> troubles;  // not about one partition
  std::map<SourceId, SourceSum> sources;
  std::map<PartitionId, Tombstone> gone;
};

// Checks one partition against the states that were signed for it (empty: none was).
void VerifyPartition(Partition& partition, const Instant* instant, const std::vector<ChainEnd>& ends,
                     const std::function<bool()>& stop, VerifyReport* report);

}  // namespace sekisho::lookups

#endif  // SEKISHO_STORAGE_LOOKUPS_VERIFY_H_
