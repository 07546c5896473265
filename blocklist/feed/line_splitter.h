// LineSplitter: cuts a stream of bytes into lines for a parser, whatever the pieces it comes in.
//
//   LineSplitter lines([&](std::string_view line, uint64_t number) { … }, [&](uint64_t number) { /* too long
//   */ }); while (read) lines.Push(bytes); lines.Finish();
//
// LF and CRLF end a line; a UTF-8 byte order mark at the start is dropped; the last line needs no end.
//
// Threads: one. Limits: a line over max_line bytes is reported by number and skipped; at most max_line bytes
// are held.
#ifndef SEKISHO_BLOCKLIST_FEED_LINE_SPLITTER_H_
#define SEKISHO_BLOCKLIST_FEED_LINE_SPLITTER_H_

#include <cstddef>
#include <cstdint>
#include <functional>
#include <string>
#include <string_view>

namespace sekisho::blocklist {

inline constexpr size_t kMaxLine = 4096;
inline constexpr size_t kMaxJsonLine = size_t{64} << 10;

class LineSplitter {
 public:
  using OnLine = std::function<void(std::string_view line, uint64_t number)>;
  using OnTooLong = std::function<void(std::string_view start, uint64_t number)>;

  LineSplitter(OnLine on_line, OnTooLong on_too_long, size_t max_line = kMaxLine)
      : on_line_(std::move(on_line)), on_too_long_(std::move(on_too_long)), max_line_(max_line) {}

  void Push(std::string_view bytes);
  void Finish();
  uint64_t lines() const { return number_; }

 private:
  void Emit(std::string_view line);

  OnLine on_line_;
  OnTooLong on_too_long_;
  size_t max_line_;
  std::string held_;  // a line begun in an earlier piece
  bool skipping_ = false;
  uint64_t number_ = 0;
};

}  // namespace sekisho::blocklist

#endif  // SEKISHO_BLOCKLIST_FEED_LINE_SPLITTER_H_
