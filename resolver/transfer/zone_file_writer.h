// ZoneFileWriter: writes a zone as a master file that takes its place whole, by a rename, or not at all.
//
//   ZoneFileWriter writer(path);
//   writer.Add(record) …
//   absl::Status status = writer.Commit();       destroyed without it: nothing has happened
//
// Threads: one. Limits: kMaxBytes; one writer for a path at a time. Standards: RFC 1035 section 5.1, RFC
// 3597.
#ifndef SEKISHO_RESOLVER_TRANSFER_ZONE_FILE_WRITER_H_
#define SEKISHO_RESOLVER_TRANSFER_ZONE_FILE_WRITER_H_

#include <absl/status/status.h>

#include <cstdint>
#include <cstdio>
#include <memory>
#include <string>

#include "proto/dns/presentation.h"

namespace sekisho::resolver {

class ZoneFileWriter {
 public:
  static constexpr uint64_t kMaxBytes = uint64_t{1} << 30;

  explicit ZoneFileWriter(std::string path);
  ~ZoneFileWriter();
  ZoneFileWriter(const ZoneFileWriter&) = delete;
  ZoneFileWriter& operator=(const ZoneFileWriter&) = delete;

  void Add(const dns::TextRecord& record);
  absl::Status Commit();

 private:
  std::string path_;
  std::string temporary_;
  std::unique_ptr<std::FILE, int (*)(std::FILE*)> file_;
  uint64_t bytes_ = 0;
  int error_ = 0;  // errno of what failed first
};

}  // namespace sekisho::resolver

#endif  // SEKISHO_RESOLVER_TRANSFER_ZONE_FILE_WRITER_H_
