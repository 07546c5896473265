#include "blocklist/feed/list_file.h"

#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <utility>

namespace sekisho::blocklist {

ListFile::ListFile(std::string path, uint64_t max_bytes)
    : path_(std::move(path)),
      temporary_(path_ + ".tmp"),
      max_bytes_(max_bytes),
      file_(std::fopen(temporary_.c_str(), "wbe")),
      hash_(XXH3_createState(), &XXH3_freeState) {
  if (file_ == nullptr) Fail(temporary_ + ": " + std::strerror(errno));
  XXH3_128bits_reset(hash_.get());
}

ListFile::~ListFile() {
  if (file_ == nullptr) return;
  std::fclose(file_);
  ::unlink(temporary_.c_str());
}

bool ListFile::Fail(std::string why) {
  if (error_.empty()) error_ = std::move(why);
  return false;
}

bool ListFile::Append(std::string_view bytes) {
  if (!error_.empty()) return false;
  if (bytes.size() > max_bytes_ - bytes_) return Fail("larger than " + std::to_string(max_bytes_) + " bytes");
  if (std::fwrite(bytes.data(), 1, bytes.size(), file_) != bytes.size()) {
    return Fail(temporary_ + ": " + std::strerror(errno));
  }
  bytes_ += bytes.size();
  XXH3_128bits_update(hash_.get(), bytes.data(), bytes.size());
  return true;
}

bool ListFile::Finish() {
  if (!error_.empty()) return false;
  const bool written = std::fflush(file_) == 0 && ::fsync(::fileno(file_)) == 0;
  std::fclose(std::exchange(file_, nullptr));
  if (!written || std::rename(temporary_.c_str(), path_.c_str()) != 0) {
    Fail(path_ + ": " + std::strerror(errno));
    ::unlink(temporary_.c_str());
    return false;
  }
  return true;
}

std::string ListFile::digest() const {
  XXH128_canonical_t canonical;
  XXH128_canonicalFromHash(&canonical, XXH3_128bits_digest(hash_.get()));
  return {reinterpret_cast<const char*>(canonical.digest), sizeof(canonical.digest)};
}

}  // namespace sekisho::blocklist
