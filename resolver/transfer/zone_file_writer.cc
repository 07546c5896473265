// file := (owner " " ttl " " type " " data "\n")*       every name absolute, the SOA first
#include "resolver/transfer/zone_file_writer.h"

#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <utility>

#include "proto/base/bytes.h"

namespace sekisho::resolver {

ZoneFileWriter::ZoneFileWriter(std::string path)
    : path_(std::move(path)),
      temporary_(path_ + ".new"),
      file_(std::fopen(temporary_.c_str(), "we"), &std::fclose) {
  if (!file_) error_ = errno;
}

ZoneFileWriter::~ZoneFileWriter() {
  if (!file_) return;
  file_.reset();
  ::unlink(temporary_.c_str());
}

void ZoneFileWriter::Add(const dns::TextRecord& r) {
  if (error_ != 0) return;
  const std::string line = r.owner.ToString() + " " + std::to_string(r.ttl) + " " + dns::ToString(r.type) +
                           " " + dns::RdataToText(r.type, AsBytes(r.rdata)) + "\n";
  bytes_ += line.size();
  if (bytes_ > kMaxBytes) {
    error_ = EFBIG;
  } else if (std::fwrite(line.data(), 1, line.size(), file_.get()) != line.size()) {
    error_ = errno != 0 ? errno : EIO;
  }
}

absl::Status ZoneFileWriter::Commit() {
  if (error_ == 0 && (std::fflush(file_.get()) != 0 || ::fsync(::fileno(file_.get())) != 0)) error_ = errno;
  if (error_ == 0 && ::rename(temporary_.c_str(), path_.c_str()) != 0) error_ = errno;
  if (error_ != 0) return absl::InternalError(path_ + ": cannot write: " + std::strerror(error_));
  std::FILE* file = file_.release();
  std::fclose(file);
  return absl::OkStatus();
}

}  // namespace sekisho::resolver
