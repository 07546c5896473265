#include "blocklist/feed/fetcher.h"

#include <curl/curl.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <memory>
#include <mutex>
#include <string_view>

#include "blocklist/feed/list_file.h"

namespace sekisho::blocklist {
namespace {

constexpr long kMaxRedirects = 5;
constexpr long kConnectSeconds = 15;
constexpr long kStallBytesPerSecond = 1000;
constexpr long kStallSeconds = 30;
constexpr uint64_t kMaxRatio = 100;
// Below this a high ratio is only a very regular small file.
constexpr uint64_t kRatioFrom = uint64_t{8} << 20;
constexpr size_t kMaxHeader = 512;
constexpr size_t kMaxCredentials = 16 << 10;

struct Transfer {
  CURL* curl;
  ListFile* file;
  const std::atomic<bool>* stopping;
  FetchResult* result;
};

size_t OnBody(char* data, size_t, size_t size, void* user) {
  auto* transfer = static_cast<Transfer*>(user);
  if (!transfer->file->Append({data, size})) return 0;
  curl_off_t received = 0;
  curl_easy_getinfo(transfer->curl, CURLINFO_SIZE_DOWNLOAD_T, &received);
  const uint64_t bytes = transfer->file->bytes();
  if (bytes > kRatioFrom && received > 0 && bytes / static_cast<uint64_t>(received) > kMaxRatio) {
    transfer->result->error = "decompresses to more than 100 times its size";
    return 0;
  }
  return size;
}

size_t OnHeader(char* data, size_t, size_t size, void* user) {
  auto* result = static_cast<Transfer*>(user)->result;
  const std::string_view line(data, size);
  if (line.starts_with("HTTP/")) {  // a redirect's headers do not count
    result->etag.clear();
    result->last_modified.clear();
    return size;
  }
  const size_t colon = line.find(':');
  if (colon == std::string_view::npos || size > kMaxHeader) return size;
  std::string_view value = line.substr(colon + 1);
  while (!value.empty() && (value.front() == ' ' || value.front() == '\t')) value.remove_prefix(1);
  while (!value.empty() && (value.back() == '\r' || value.back() == '\n' || value.back() == ' '))
    value.remove_suffix(1);
  const auto is = [&](const char* name) {
    return colon == std::strlen(name) && ::strncasecmp(data, name, colon) == 0;
  };
  if (is("etag")) result->etag = value;
  if (is("last-modified")) result->last_modified = value;
  return size;
}

int OnProgress(void* user, curl_off_t, curl_off_t, curl_off_t, curl_off_t) {
  return static_cast<Transfer*>(user)->stopping->load() ? 1 : 0;
}

struct ListFreer {
  void operator()(curl_slist* list) const { curl_slist_free_all(list); }
};

void SetOptions(CURL* curl, const FetchRequest& request, Transfer* transfer, curl_slist* headers) {
  const bool secure = request.url.starts_with("https://");
  curl_easy_setopt(curl, CURLOPT_URL, request.url.c_str());
  curl_easy_setopt(curl, CURLOPT_PROTOCOLS_STR, "http,https");
  curl_easy_setopt(curl, CURLOPT_REDIR_PROTOCOLS_STR, secure ? "https" : "http,https");
  curl_easy_setopt(curl, CURLOPT_FOLLOWLOCATION, request.credentials_file.empty() ? 1L : 0L);
  // Never from the environment: what is not configured does not hold.
  curl_easy_setopt(curl, CURLOPT_PROXY, request.proxy.c_str());
  curl_easy_setopt(curl, CURLOPT_MAXREDIRS, kMaxRedirects);
  curl_easy_setopt(curl, CURLOPT_ACCEPT_ENCODING, "");
  curl_easy_setopt(curl, CURLOPT_HTTPHEADER, headers);
  curl_easy_setopt(curl, CURLOPT_USERAGENT, "sekisho-feedd/" SEKISHO_VERSION);
  curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L);
  curl_easy_setopt(curl, CURLOPT_CONNECTTIMEOUT, kConnectSeconds);
  curl_easy_setopt(curl, CURLOPT_TIMEOUT, static_cast<long>(request.max_seconds));
  curl_easy_setopt(curl, CURLOPT_LOW_SPEED_LIMIT, kStallBytesPerSecond);
  curl_easy_setopt(curl, CURLOPT_LOW_SPEED_TIME, kStallSeconds);
  curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, &OnBody);
  curl_easy_setopt(curl, CURLOPT_WRITEDATA, transfer);
  curl_easy_setopt(curl, CURLOPT_HEADERFUNCTION, &OnHeader);
  curl_easy_setopt(curl, CURLOPT_HEADERDATA, transfer);
  curl_easy_setopt(curl, CURLOPT_XFERINFOFUNCTION, &OnProgress);
  curl_easy_setopt(curl, CURLOPT_XFERINFODATA, transfer);
  curl_easy_setopt(curl, CURLOPT_NOPROGRESS, 0L);
}

FetchResult Failed(std::string error) {
  FetchResult result;
  result.error = std::move(error);
  return result;
}

FetchResult FetchFile(const std::string& path, const FetchRequest& request) {
  const int fd = ::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK);
  if (fd < 0) return Failed(path + ": " + std::strerror(errno));
  const std::unique_ptr<FILE, int (*)(FILE*)> source(::fdopen(fd, "rb"), &std::fclose);
  struct stat about{};
  if (::fstat(fd, &about) != 0 || !S_ISREG(about.st_mode)) return Failed(path + ": not a regular file");
  FetchResult result;
  result.etag = std::to_string(about.st_size) + "-" + std::to_string(about.st_mtim.tv_sec) + "." +
                std::to_string(about.st_mtim.tv_nsec) + "-" + std::to_string(about.st_ino);
  if (!request.etag.empty() && request.etag == result.etag) {
    result.outcome = FetchOutcome::kNotModified;
    return result;
  }
  ListFile target(request.target, request.max_bytes);
  char buffer[1 << 16];
  for (size_t n; (n = std::fread(buffer, 1, sizeof(buffer), source.get())) > 0;) {
    if (!target.Append({buffer, n})) return Failed(path + ": " + target.error());
  }
  if (std::ferror(source.get()) != 0) return Failed(path + ": cannot be read");
  if (!target.Finish()) return Failed(target.error());
  result.outcome = FetchOutcome::kFetched;
  result.digest = target.digest();
  result.bytes = target.bytes();
  return result;
}

}  // namespace

bool ReadCredentials(const std::string& path, std::vector<std::string>* headers, std::string* error) {
  const int fd = ::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK);
  if (fd < 0) {
    *error = path + ": " + std::strerror(errno);
    return false;
  }
  const std::unique_ptr<FILE, int (*)(FILE*)> file(::fdopen(fd, "rb"), &std::fclose);
  struct stat about{};
  if (::fstat(fd, &about) != 0 || !S_ISREG(about.st_mode) || (about.st_mode & (S_IRWXG | S_IRWXO)) != 0) {
    *error = path + ": must be a regular file that its owner alone may read";
    return false;
  }
  std::string text(kMaxCredentials, '\0');
  text.resize(std::fread(text.data(), 1, text.size(), file.get()));
  for (std::string_view rest = text; !rest.empty();) {
    std::string_view line = rest.substr(0, rest.find('\n'));
    rest.remove_prefix(std::min(rest.size(), line.size() + 1));
    while (!line.empty() && (line.back() == '\r' || line.back() == ' ')) line.remove_suffix(1);
    if (line.empty() || line.starts_with('#')) continue;
    const size_t colon = line.find(':');
    if (colon == std::string_view::npos || colon == 0 || line.find_first_of(" \t") < colon) {
      *error = path + ": not header lines of the form Name: value";
      return false;
    }
    headers->emplace_back(line);
  }
  return true;
}

bool IsFileUrl(const std::string& url, std::string* path) {
  if (url.starts_with("/")) {
    *path = url;
    return true;
  }
  if (!url.starts_with("file:///")) return false;
  *path = url.substr(std::strlen("file://"));
  return true;
}

Fetcher::Fetcher() {
  static std::once_flag once;  // libcurl's own global state
  std::call_once(once, [] { curl_global_init(CURL_GLOBAL_DEFAULT); });
}

Fetcher::~Fetcher() = default;

FetchResult Fetcher::Fetch(const FetchRequest& request) {
  std::string path;
  if (IsFileUrl(request.url, &path)) return FetchFile(path, request);
  return FetchHttp(request);
}

FetchResult Fetcher::FetchHttp(const FetchRequest& request) {
  const std::unique_ptr<CURL, void (*)(CURL*)> curl(curl_easy_init(), &curl_easy_cleanup);
  if (curl == nullptr) return Failed("the HTTP client cannot start");
  FetchResult result;
  ListFile file(request.target, request.max_bytes);
  Transfer transfer{curl.get(), &file, &stopping_, &result};
  std::unique_ptr<curl_slist, ListFreer> headers;
  const auto add = [&headers](const std::string& header) {
    curl_slist* longer = curl_slist_append(headers.get(), header.c_str());
    if (longer == nullptr) return;
    (void)headers.release();
    headers.reset(longer);
  };
  if (!request.etag.empty()) add("If-None-Match: " + request.etag);
  if (!request.last_modified.empty()) add("If-Modified-Since: " + request.last_modified);
  std::vector<std::string> more = request.headers;
  if (std::string error;
      !request.credentials_file.empty() && !ReadCredentials(request.credentials_file, &more, &error)) {
    return Failed(std::move(error));
  }
  for (const std::string& header : more) add(header);
  SetOptions(curl.get(), request, &transfer, headers.get());

  const CURLcode code = curl_easy_perform(curl.get());
  long status = 0;
  curl_easy_getinfo(curl.get(), CURLINFO_RESPONSE_CODE, &status);
  if (code != CURLE_OK) {
    std::string why = !result.error.empty() ? result.error : !file.error().empty() ? file.error() : "";
    if (why.empty()) why = stopping_ ? "stopped" : curl_easy_strerror(code);
    return Failed(std::move(why));
  }
  if (status == 304) {
    result.outcome = FetchOutcome::kNotModified;
    return result;
  }
  if (status != 200) return Failed("the server answers with status " + std::to_string(status));
  if (!file.Finish()) return Failed(file.error());
  result.outcome = FetchOutcome::kFetched;
  result.digest = file.digest();
  result.bytes = file.bytes();
  return result;
}

}  // namespace sekisho::blocklist
