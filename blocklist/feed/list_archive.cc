// Bytes written:
//
//   plain := text of a gzip stream | (FS name LF content [LF])* of a tar
#include "blocklist/feed/list_archive.h"

#include <zlib.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <memory>
#include <vector>

#include "blocklist/feed/list_file.h"

namespace sekisho::blocklist {
namespace {

constexpr size_t kBlock = 512;
constexpr uint64_t kMaxRatio = 100;
constexpr uint64_t kRatioFrom = uint64_t{8} << 20;
constexpr size_t kMaxName = 256;

using File = std::unique_ptr<FILE, int (*)(FILE*)>;
using GzFile = std::unique_ptr<gzFile_s, int (*)(gzFile)>;

// Reads a file, plain or gzip, and watches how much comes out of how little.
class Source {
 public:
  explicit Source(const std::string& path) : file_(gzopen(path.c_str(), "rbe"), &gzclose) {}
  bool ok() const { return file_ != nullptr; }
  bool compressed() { return gzdirect(file_.get()) == 0; }

  // False at the end or when something is wrong; `got` may be short only at the end.
  bool Read(char* out, size_t size, size_t* got) {
    *got = 0;
    while (*got < size) {
      const int n = gzread(file_.get(), out + *got, static_cast<unsigned>(size - *got));
      if (n < 0) return Fail("the compressed data is damaged");
      if (n == 0) break;
      *got += static_cast<size_t>(n);
    }
    total_ += *got;
    const auto read = static_cast<uint64_t>(std::max<z_off_t>(gzoffset(file_.get()), 1));
    if (total_ > kRatioFrom && total_ / read > kMaxRatio)
      return Fail("unpacks to more than 100 times its size");
    int code = Z_OK;
    gzerror(file_.get(), &code);
    if (*got < size && code == Z_BUF_ERROR) return Fail("the compressed data ends early");
    return *got > 0;
  }
  const std::string& error() const { return error_; }

 private:
  bool Fail(const char* why) {
    if (error_.empty()) error_ = why;
    return false;
  }

  GzFile file_;
  uint64_t total_ = 0;
  std::string error_;
};

struct TarHeader {
  std::string name;
  uint64_t size = 0;
  char type = '0';
};

// Octal, ended by NUL or blank.
bool ParseOctal(std::string_view text, uint64_t* value) {
  *value = 0;
  bool digits = false;
  for (const char c : text) {
    if (c == ' ' && !digits) continue;
    if (c == '\0' || c == ' ') break;
    if (c < '0' || c > '7' || *value > uint64_t{1} << 50) return false;
    *value = *value * 8 + static_cast<uint64_t>(c - '0');
    digits = true;
  }
  return digits;
}

std::string_view Field(std::string_view block, size_t at, size_t size) {
  const std::string_view field = block.substr(at, size);
  return field.substr(0, field.find('\0'));
}

bool ParseTarHeader(std::string_view block, TarHeader* header) {
  uint64_t sum = 0;
  if (block.size() < kBlock || block.substr(257, 5) != "ustar" || !ParseOctal(block.substr(148, 8), &sum))
    return false;
  uint64_t real = 0;
  for (size_t i = 0; i < kBlock; ++i) real += i >= 148 && i < 156 ? ' ' : static_cast<uint8_t>(block[i]);
  if (real != sum || !ParseOctal(block.substr(124, 12), &header->size)) return false;
  header->name = Field(block, 0, 100);
  if (block.substr(257, 6) == std::string_view("ustar\0", 6) && !Field(block, 345, 155).empty()) {
    header->name = std::string(Field(block, 345, 155)) + "/" + header->name;
  }
  header->type = block[156];
  return true;
}

// A name as one line of text.
std::string CleanName(std::string name) {
  name.resize(std::min(name.size(), kMaxName));
  std::replace_if(name.begin(), name.end(), [](char c) { return static_cast<uint8_t>(c) < 0x20; }, '_');
  return name;
}

class Unpacker {
 public:
  Unpacker(Source& source, ListFile& out) : source_(source), out_(out), buffer_(size_t{64} << 10) {}

  bool CopyPlain(std::string_view start) {
    if (!out_.Append(start)) return Fail(out_.error());
    for (size_t got = 0; source_.Read(buffer_.data(), buffer_.size(), &got);) {
      if (!out_.Append({buffer_.data(), got})) return Fail(out_.error());
    }
    return source_.error().empty() || Fail(source_.error());
  }

  bool CopyTar(const std::string& first) {
    std::string block = first;
    std::string long_name;
    for (size_t files = 0;; ++files) {
      if (block.find_first_not_of('\0') == std::string::npos) return true;  // the end of the archive
      TarHeader header;
      if (!ParseTarHeader(block, &header)) return Fail("the archive is damaged");
      if (files >= kMaxArchiveFiles) return Fail("more than " + std::to_string(kMaxArchiveFiles) + " files");
      if (!long_name.empty()) header.name = std::move(long_name);
      long_name.clear();
      const bool regular = header.type == '0' || header.type == '\0';
      if (header.type == 'L' && header.size <= 4096) {
        if (!ReadName(header.size, &long_name)) return false;
      } else if (!CopyFile(header, regular)) {
        return false;
      }
      size_t got = 0;
      block.resize(kBlock);
      if (!source_.Read(block.data(), kBlock, &got) || got < kBlock)
        return Fail(source_.error().empty() ? "the archive ends early" : source_.error());
    }
  }

  const std::string& error() const { return error_; }

 private:
  bool Fail(std::string why) {
    if (error_.empty()) error_ = std::move(why);
    return false;
  }

  bool ReadName(uint64_t size, std::string* name) {
    std::string padded((size + kBlock - 1) / kBlock * kBlock, '\0');
    size_t got = 0;
    if (!source_.Read(padded.data(), padded.size(), &got) || got < padded.size())
      return Fail("the archive ends early");
    *name = padded.substr(0, padded.find('\0'));
    return true;
  }

  bool CopyFile(const TarHeader& header, bool keep) {
    if (keep && !out_.Append(std::string(kFileMark) + CleanName(header.name) + "\n"))
      return Fail(out_.error());
    uint64_t left = header.size;
    uint64_t padding = (kBlock - header.size % kBlock) % kBlock;
    char last = '\n';
    while (left + padding > 0) {
      size_t got = 0;
      const size_t want = std::min<uint64_t>(buffer_.size(), left > 0 ? left : padding);
      if (!source_.Read(buffer_.data(), want, &got) || got < want)
        return Fail(source_.error().empty() ? "the archive ends early" : source_.error());
      if (left == 0) {
        padding -= got;
        continue;
      }
      left -= got;
      last = buffer_[got - 1];
      if (keep && !out_.Append({buffer_.data(), got})) return Fail(out_.error());
    }
    return !keep || last == '\n' || out_.Append("\n") || Fail(out_.error());
  }

  Source& source_;
  ListFile& out_;
  std::vector<char> buffer_;
  std::string error_;
};

}  // namespace

bool UnpackList(const std::string& path, uint64_t max_bytes, std::string* error) {
  Source source(path);
  if (!source.ok()) {
    *error = path + ": " + std::strerror(errno);
    return false;
  }
  std::string start(kBlock, '\0');
  size_t got = 0;
  const bool read = source.Read(start.data(), kBlock, &got);
  start.resize(got);
  TarHeader header;
  const bool tar = ParseTarHeader(start, &header);
  if (!tar && !source.compressed()) return true;
  if (!read) {
    *error = source.error().empty() ? "nothing in it" : source.error();
    return false;
  }
  ListFile out(path, max_bytes);
  Unpacker unpacker(source, out);
  const bool unpacked = tar ? unpacker.CopyTar(start) : unpacker.CopyPlain(start);
  if (unpacked && out.Finish()) return true;
  *error = unpacked ? out.error() : unpacker.error();
  return false;
}

}  // namespace sekisho::blocklist
