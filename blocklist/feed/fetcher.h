// Fetcher: brings a list from where it is published into a file, asking only for what is new.
//
//   Fetcher fetcher;
//   FetchResult result = fetcher.Fetch({.url = "https://lists.example/a.txt", .etag = last.etag, .target =
//   "/…/a.fetched"});
//
// http, https and files ("/path", "file:///path"). A file's etag is made of its size, time and inode.
//
// Threads: Fetch blocks, for a worker thread; Stop may be called from any thread and ends a running Fetch
// soon. Limits: size (after decompression), a decompression ratio of 100:1, whole time, stalls (1 kB/s over
// 30 s), five redirects, never from https down to http. The target is complete or does not exist. Standards:
// RFC 9110 (conditional requests), reliability rows S10–S13.
#ifndef SEKISHO_BLOCKLIST_FEED_FETCHER_H_
#define SEKISHO_BLOCKLIST_FEED_FETCHER_H_

#include <atomic>
#include <cstdint>
#include <string>
#include <vector>

namespace sekisho::blocklist {

struct FetchRequest {
  std::string url;
  std::string etag;           // of the last version; empty: fetch anyhow
  std::string last_modified;  // likewise
  std::string target;         // file to write
  uint64_t max_bytes = uint64_t{512} << 20;
  int64_t max_seconds = 600;
  std::vector<std::string> headers{};  // "Name: value"
  std::string credentials_file{};      // headers as lines, kept from redirects and logs
  std::string proxy{};
};

enum class FetchOutcome : uint8_t { kFetched, kNotModified, kFailed };

struct FetchResult {
  FetchOutcome outcome = FetchOutcome::kFailed;
  std::string error;  // when failed: what, without credentials
  std::string etag;
  std::string last_modified;
  std::string digest;  // XXH3-128 of the bytes, 16 bytes
  uint64_t bytes = 0;
};

class Fetcher {
 public:
  Fetcher();
  ~Fetcher();
  Fetcher(const Fetcher&) = delete;
  Fetcher& operator=(const Fetcher&) = delete;

  FetchResult Fetch(const FetchRequest& request);
  void Stop() { stopping_ = true; }

 private:
  FetchResult FetchHttp(const FetchRequest& request);

  std::atomic<bool> stopping_{false};
};

// The headers in a credentials file; false and *error when it cannot be read or others may read it.
bool ReadCredentials(const std::string& path, std::vector<std::string>* headers, std::string* error);

// Whether the URL names a local file; *path is it.
bool IsFileUrl(const std::string& url, std::string* path);

}  // namespace sekisho::blocklist

#endif  // SEKISHO_BLOCKLIST_FEED_FETCHER_H_
