// DayRewrite: a day on its way into a new partition with pseudonyms for client addresses.
//
// The new folder bears the file REWRITE, with the old one's name in it, until the heads are signed that tell
// the old one gone and the new one there; that one write is the moment when the day changes. A crash before
// leaves the old day and a folder that the next start removes; a crash behind it leaves the new day, and an
// old folder that is signed as gone, which the next start removes.
//
// Threads: the ingest's. Limits: one block in memory.
#ifndef SEKISHO_STORAGE_LOOKUPS_DAY_REWRITE_H_
#define SEKISHO_STORAGE_LOOKUPS_DAY_REWRITE_H_

#include <memory>
#include <vector>

#include "storage/lookups/heads.h"
#include "storage/lookups/partition.h"
#include "storage/lookups/pseudonym.h"

namespace sekisho::lookups {

inline constexpr char kRewriteMarker[] = "REWRITE";

struct DayRewrite {
  std::shared_ptr<Partition> from;
  ChainEnd from_end;
  std::vector<BlockInfo> blocks;  // of `from`
  size_t next = 0;                // of these
  std::shared_ptr<Partition> to;
  PseudonymKey key{};
};

}  // namespace sekisho::lookups

#endif  // SEKISHO_STORAGE_LOOKUPS_DAY_REWRITE_H_
