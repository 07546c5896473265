// ExternalSorter: sorts more entries than memory should hold: sorted runs go to a folder, reading merges
// them.
//
//   ExternalSorter sorter({.folder = dir});
//   sorter.Add(key, value) …;   auto cursor = sorter.Read();
//   for (; cursor->Valid(); cursor->Next()) use(cursor->key(), cursor->value());
//
// Entries with equal keys come out in the order they went in. Read may be called again for another pass; Add
// ends with the first Read.
//
// Threads: one. Limits: about `memory` bytes held; run files are unlinked at once, so a crash leaves none
// behind.
#ifndef SEKISHO_STORAGE_INDICATORS_EXTERNAL_SORTER_H_
#define SEKISHO_STORAGE_INDICATORS_EXTERNAL_SORTER_H_

#include <absl/status/status.h>
#include <absl/status/statusor.h>

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace sekisho::indicators {

class ExternalSorter {
 public:
  struct Options {
    std::string folder;
    size_t memory = size_t{64} << 20;
  };
  class Cursor {
   public:
    virtual ~Cursor() = default;
    virtual bool Valid() const = 0;
    virtual void Next() = 0;
    virtual std::string_view key() const = 0;  // until Next
    virtual std::string_view value() const = 0;
    virtual absl::Status status() const = 0;
  };

  explicit ExternalSorter(Options options);
  ~ExternalSorter();
  ExternalSorter(const ExternalSorter&) = delete;
  ExternalSorter& operator=(const ExternalSorter&) = delete;

  absl::Status Add(std::string_view key, std::string_view value);
  absl::StatusOr<std::unique_ptr<Cursor>> Read();
  uint64_t size() const { return size_; }

 private:
  struct Entry {
    uint64_t at;  // in arena_
    uint32_t key_size;
    uint32_t value_size;
  };
  class MemoryCursor;
  class RunCursor;
  class MergeCursor;

  void Sort();
  absl::Status Spill();

  Options options_;
  std::string arena_;
  std::vector<Entry> entries_;
  std::vector<int> runs_;  // descriptors of unlinked files
  uint64_t size_ = 0;
};

}  // namespace sekisho::indicators

#endif  // SEKISHO_STORAGE_INDICATORS_EXTERNAL_SORTER_H_
