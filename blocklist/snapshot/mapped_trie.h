// MappedTrie: a trie file in memory, checked whole before anybody may use it.
//
// Threads: immutable; any thread. Limits: files of up to kMaxSize bytes.
#ifndef SEKISHO_BLOCKLIST_SNAPSHOT_MAPPED_TRIE_H_
#define SEKISHO_BLOCKLIST_SNAPSHOT_MAPPED_TRIE_H_

#include <cstddef>
#include <memory>
#include <string>

#include "absl/status/statusor.h"
#include "blocklist/trie/trie_view.h"

namespace sekisho::blocklist {

// How the bytes come into memory.
enum class TrieResidence {
  kMapped,  // the file's own pages, shared by all processes and dropped by the kernel when memory is short
  kCopied,  // private memory in huge pages where the kernel gives them: faster to match, safe from a failing
            // disk
};

class MappedTrie {
 public:
  static constexpr size_t kMaxSize = size_t{1} << 33;

  // The error names the file and says whether it is missing, short, of another version or changed.
  static absl::StatusOr<std::shared_ptr<const MappedTrie>> Open(const std::string& path,
                                                                TrieResidence residence);
  ~MappedTrie();
  MappedTrie(const MappedTrie&) = delete;
  MappedTrie& operator=(const MappedTrie&) = delete;

  const TrieView& view() const { return *view_; }

 private:
  MappedTrie(void* data, size_t size) : data_(data), size_(size) {}

  void* data_;
  size_t size_;
  std::optional<TrieView> view_;
};

}  // namespace sekisho::blocklist

#endif  // SEKISHO_BLOCKLIST_SNAPSHOT_MAPPED_TRIE_H_
