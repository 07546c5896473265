// ListFile: a file being written under a temporary name, with a limit and a digest; it takes its own name
// when complete.
//
//   ListFile file("/…/a.fetched", limit);
//   file.Append(bytes) …;  file.Finish();       // otherwise nothing of it stays
//
// Threads: one. Limits: max_bytes.
#ifndef SEKISHO_BLOCKLIST_FEED_LIST_FILE_H_
#define SEKISHO_BLOCKLIST_FEED_LIST_FILE_H_

#include <xxhash.h>

#include <cstdint>
#include <cstdio>
#include <memory>
#include <string>
#include <string_view>

namespace sekisho::blocklist {

class ListFile {
 public:
  ListFile(std::string path, uint64_t max_bytes);
  ~ListFile();
  ListFile(const ListFile&) = delete;
  ListFile& operator=(const ListFile&) = delete;

  // False when it cannot be written or would grow over the limit; error() says which.
  bool Append(std::string_view bytes);
  // Flushes to disk and gives the file its name.
  bool Finish();

  const std::string& error() const { return error_; }
  uint64_t bytes() const { return bytes_; }
  std::string digest() const;

 private:
  bool Fail(std::string why);

  std::string path_;
  std::string temporary_;
  uint64_t max_bytes_;
  uint64_t bytes_ = 0;
  std::string error_;
  std::FILE* file_;
  std::unique_ptr<XXH3_state_t, XXH_errorcode (*)(XXH3_state_t*)> hash_;
};

}  // namespace sekisho::blocklist

#endif  // SEKISHO_BLOCKLIST_FEED_LIST_FILE_H_
