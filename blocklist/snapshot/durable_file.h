// DurableFile: a file that appears under its name whole and on disk, or not at all.
//
//   auto file = DurableFile::Create(folder, "CURRENT");
//   if (file.ok()) file->Append(text);      // errors are kept
//   auto status = file->Commit();           // fsync, rename(2), fsync of the folder
//
// Without Commit the temporary file goes away. Threads: one. Limits: the temporary file is NAME.tmp beside
// NAME, so one writer per folder (SnapshotWriter holds a lock).
#ifndef SEKISHO_BLOCKLIST_SNAPSHOT_DURABLE_FILE_H_
#define SEKISHO_BLOCKLIST_SNAPSHOT_DURABLE_FILE_H_

#include <cstdint>
#include <span>
#include <string>
#include <string_view>

#include "absl/status/status.h"
#include "absl/status/statusor.h"

namespace sekisho::blocklist {

inline constexpr std::string_view kTemporarySuffix = ".tmp";

class DurableFile {
 public:
  static absl::StatusOr<DurableFile> Create(const std::string& folder, const std::string& name);
  DurableFile(DurableFile&& other) noexcept;
  DurableFile& operator=(DurableFile&&) = delete;
  ~DurableFile();

  absl::Status Append(std::span<const uint8_t> bytes);
  // Makes the bytes durable under the temporary name, without giving them their name yet.
  absl::Status Sync();
  absl::Status Commit();
  std::string temporary_path() const;

 private:
  DurableFile(std::string folder, std::string name, int fd)
      : folder_(std::move(folder)), name_(std::move(name)), fd_(fd) {}

  std::string folder_;
  std::string name_;
  int fd_;
};

// "PATH: WHAT: the system's text for the present errno", as an absl::Status of the fitting code.
absl::Status SystemError(std::string_view path, std::string_view what);

}  // namespace sekisho::blocklist

#endif  // SEKISHO_BLOCKLIST_SNAPSHOT_DURABLE_FILE_H_
