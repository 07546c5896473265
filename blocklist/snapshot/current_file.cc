// current  := "sekisho-snapshot 1\n" "generation " N "\n" "base " N "\n" "delta " N "\n" "kept" (" " N ":" N
// ":" N)* "\n"
//             "checksum " hex{16} "\n"
#include "blocklist/snapshot/current_file.h"

#include <xxhash.h>

#include <charconv>
#include <cstdio>
#include <optional>

namespace sekisho::blocklist {
namespace {

constexpr std::string_view kFirstLine = "sekisho-snapshot 1\n";
constexpr std::string_view kChecksumWord = "checksum ";

std::string Checksum(std::string_view text) {
  char hex[17];
  std::snprintf(hex, sizeof(hex), "%016llx",
                static_cast<unsigned long long>(XXH3_64bits(text.data(), text.size())));
  return hex;
}

bool Take(std::string_view& text, std::string_view word) {
  if (!text.starts_with(word)) return false;
  text.remove_prefix(word.size());
  return true;
}

bool TakeNumber(std::string_view& text, uint64_t& value) {
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc()) return false;
  text.remove_prefix(static_cast<size_t>(end - text.data()));
  return true;
}

bool TakeKept(std::string_view& text, std::vector<Publish>& kept) {
  while (Take(text, " ")) {
    Publish p;
    if (kept.size() == CurrentFile::kMaxKept || !TakeNumber(text, p.generation) || !Take(text, ":") ||
        !TakeNumber(text, p.base) || !Take(text, ":") || !TakeNumber(text, p.delta)) {
      return false;
    }
    kept.push_back(p);
  }
  return true;
}

}  // namespace

absl::StatusOr<CurrentFile> CurrentFile::Parse(std::string_view text) {
  if (text.size() > kMaxSize) return absl::DataLossError("CURRENT is longer than it may be");
  if (!text.starts_with("sekisho-snapshot "))
    return absl::DataLossError("CURRENT does not begin as a snapshot's");
  const size_t tail = kChecksumWord.size() + 17;  // 16 digits and the line's end
  if (text.size() < kFirstLine.size() + tail || !text.substr(text.size() - tail).starts_with(kChecksumWord)) {
    return absl::DataLossError("CURRENT is cut short: no checksum at its end");
  }
  const std::string_view body = text.substr(0, text.size() - tail);
  if (text.substr(text.size() - 17) != Checksum(body) + "\n")
    return absl::DataLossError("CURRENT has a wrong checksum");
  std::string_view rest = body;
  if (!Take(rest, kFirstLine)) return absl::FailedPreconditionError("CURRENT is of another version than 1");
  CurrentFile file;
  if (!Take(rest, "generation ") || !TakeNumber(rest, file.now.generation) || !Take(rest, "\nbase ") ||
      !TakeNumber(rest, file.now.base) || !Take(rest, "\ndelta ") || !TakeNumber(rest, file.now.delta) ||
      !Take(rest, "\nkept") || !TakeKept(rest, file.kept) || rest != "\n") {
    return absl::DataLossError("CURRENT has the right checksum but not the right lines");
  }
  return file;
}

std::string CurrentFile::Write() const {
  std::string text(kFirstLine);
  text += "generation " + std::to_string(now.generation) + "\nbase " + std::to_string(now.base) + "\ndelta " +
          std::to_string(now.delta) + "\nkept";
  for (const Publish& p : kept) {
    text += " " + std::to_string(p.generation) + ":" + std::to_string(p.base) + ":" + std::to_string(p.delta);
  }
  text += "\n";
  const std::string checksum = Checksum(text);
  text.append(kChecksumWord).append(checksum).append("\n");
  return text;
}

std::string BaseFileName(uint64_t generation) { return "base-" + std::to_string(generation) + ".trie"; }
std::string DeltaFileName(uint64_t generation) { return "delta-" + std::to_string(generation) + ".trie"; }

}  // namespace sekisho::blocklist
