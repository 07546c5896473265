#include "blocklist/feed/line_splitter.h"

namespace sekisho::blocklist {
namespace {

constexpr std::string_view kByteOrderMark = "\xEF\xBB\xBF";

}  // namespace

void LineSplitter::Emit(std::string_view line) {
  ++number_;
  if (number_ == 1 && line.starts_with(kByteOrderMark)) line.remove_prefix(kByteOrderMark.size());
  if (line.ends_with('\r')) line.remove_suffix(1);
  if (skipping_ || line.size() > max_line_) {
    skipping_ = false;
    on_too_long_(line.substr(0, max_line_), number_);
    return;
  }
  on_line_(line, number_);
}

void LineSplitter::Push(std::string_view bytes) {
  while (!bytes.empty()) {
    const size_t end = bytes.find('\n');
    const std::string_view piece = bytes.substr(0, end);
    if (end != std::string_view::npos && held_.empty()) {
      Emit(piece);
    } else {
      // One byte more than a line may have: room for the CR.
      const size_t room = max_line_ + 1 - held_.size();
      if (piece.size() > room) skipping_ = true;
      held_.append(piece.substr(0, room));
      if (end != std::string_view::npos) {
        Emit(held_);
        held_.clear();
      }
    }
    if (end == std::string_view::npos) return;
    bytes.remove_prefix(end + 1);
  }
}

void LineSplitter::Finish() {
  if (held_.empty()) return;
  Emit(held_);
  held_.clear();
}

}  // namespace sekisho::blocklist
