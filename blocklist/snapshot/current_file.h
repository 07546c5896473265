// CurrentFile: the text of CURRENT, which says what is in force in a snapshot folder.
//
//   sekisho-snapshot 1
//   generation 42
//   base 40
//   delta 42
//   kept 41:40:0 40:40:0
//   checksum 9c0f…            XXH3-64 of everything before this line, 16 hex digits
//
// Threads: values. Limits: 4 KiB; at most kMaxKept older publishes.
#ifndef SEKISHO_BLOCKLIST_SNAPSHOT_CURRENT_FILE_H_
#define SEKISHO_BLOCKLIST_SNAPSHOT_CURRENT_FILE_H_

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"

namespace sekisho::blocklist {

// One publish: the generations of the files it put in force.
struct Publish {
  uint64_t generation = 0;
  uint64_t base = 0;
  uint64_t delta = 0;  // 0: none

  friend bool operator==(const Publish&, const Publish&) = default;
};

struct CurrentFile {
  static constexpr size_t kMaxSize = 4096;
  static constexpr size_t kMaxKept = 32;

  Publish now;
  std::vector<Publish> kept;  // newest first

  // `text` as Write made it; the error says what is wrong with it.
  static absl::StatusOr<CurrentFile> Parse(std::string_view text);
  std::string Write() const;
};

// The names of the files inside the folder.
inline constexpr char kCurrentName[] = "CURRENT";
std::string BaseFileName(uint64_t generation);
std::string DeltaFileName(uint64_t generation);

}  // namespace sekisho::blocklist

#endif  // SEKISHO_BLOCKLIST_SNAPSHOT_CURRENT_FILE_H_
