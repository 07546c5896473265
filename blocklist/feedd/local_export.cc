// Grammar of the file:
//
//   file  := "# sekisho local rules 1" LF entry* "# end " number-of-entries LF
//   entry := ("block" | "allow") HT ("name" | "subtree" | "address") HT (name | prefix) HT microseconds HT
//   who HT reason LF
//
// Controls in who and reason become blanks.
#include "blocklist/feedd/local_export.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <filesystem>
#include <string_view>
#include <utility>

#include "blocklist/feed/list_file.h"
#include "blocklist/merge/merger.h"
#include "blocklist/merge/name_list.h"
#include "blocklist/merge/normaliser.h"

namespace sekisho::feedd {
namespace {

using indicators::EntryKind;
using indicators::LocalEntry;

constexpr std::string_view kHeader = "# sekisho local rules 1\n";
constexpr std::string_view kEnd = "# end ";
constexpr size_t kMaxFile = size_t{256} << 20;
constexpr size_t kColumns = 6;

std::string OneLine(std::string text) {
  std::replace_if(text.begin(), text.end(), [](char c) { return static_cast<uint8_t>(c) < 0x20; }, ' ');
  return text;
}

std::string LineOf(const LocalEntry& entry) {
  return std::string(entry.record.allow() ? "allow" : "block") + "\t" +
         (entry.IsAddress()                   ? "address"
          : entry.kind == EntryKind::kSubtree ? "subtree"
                                              : "name") +
         "\t" + (entry.IsAddress() ? entry.prefix.ToString() : blocklist::NameTextFromKey(entry.name_key)) +
         "\t" + std::to_string(entry.record.added_us()) + "\t" + OneLine(entry.record.who()) + "\t" +
         OneLine(entry.record.reason()) + "\n";
}

bool ParseSubject(std::string_view kind, std::string_view text, LocalEntry* entry) {
  if (kind == "address") {
    const auto prefix = IpPrefix::Parse(text);
    if (!prefix) return false;
    entry->prefix = *prefix;
    entry->kind = EntryKind::kAddress;
    return true;
  }
  const blocklist::NameOrProblem name = blocklist::NormaliseName(text);
  const auto* good = std::get_if<std::string>(&name);
  if (good == nullptr || (kind != "name" && kind != "subtree")) return false;
  entry->name_key = blocklist::KeyFromNameText(*good);
  entry->kind = kind == "name" ? EntryKind::kExact : EntryKind::kSubtree;
  return true;
}

bool ParseEntry(std::string_view line, LocalEntry* entry) {
  std::array<std::string_view, kColumns> columns;
  for (size_t i = 0; i < kColumns; ++i) {
    const size_t end = i + 1 < kColumns ? line.find('\t') : line.size();
    if (end == std::string_view::npos) return false;
    columns[i] = line.substr(0, end);
    line.remove_prefix(std::min(line.size(), end + 1));
  }
  int64_t added = 0;
  const auto [end, error] = std::from_chars(columns[3].data(), columns[3].data() + columns[3].size(), added);
  if (error != std::errc() || end != columns[3].data() + columns[3].size()) return false;
  if (columns[0] != "allow" && columns[0] != "block") return false;
  if (!ParseSubject(columns[1], columns[2], entry)) return false;
  entry->record.set_allow(columns[0] == "allow");
  entry->record.set_added_us(added);
  entry->record.set_who(std::string(columns[4]));
  entry->record.set_reason(std::string(columns[5]));
  return true;
}

}  // namespace

absl::Status ExportLocals(const indicators::IndicatorStore& store, const std::string& path) {
  const auto locals = store.Locals();
  if (!locals.ok()) return locals.status();
  blocklist::ListFile file(path, kMaxFile);
  bool good = file.Append(kHeader);
  for (const LocalEntry& entry : *locals) good = good && file.Append(LineOf(entry));
  good = good && file.Append(std::string(kEnd) + std::to_string(locals->size()) + "\n") && file.Finish();
  return good ? absl::OkStatus() : absl::UnavailableError(file.error());
}

absl::StatusOr<size_t> ImportLocals(const std::string& path, indicators::IndicatorStore* store) {
  if (!std::filesystem::exists(path)) return 0;
  std::string text;
  std::string error;
  if (!blocklist::ReadWholeFile(path, kMaxFile, &text, &error)) return absl::UnavailableError(error);
  std::string_view rest = text;
  if (!rest.starts_with(kHeader)) return absl::DataLossError(path + ": not an export of local rules");
  rest.remove_prefix(kHeader.size());
  size_t taken = 0;
  for (size_t line = 2; !rest.empty(); ++line) {
    const std::string_view one = rest.substr(0, rest.find('\n'));
    rest.remove_prefix(std::min(rest.size(), one.size() + 1));
    if (one.starts_with(kEnd)) {
      if (one.substr(kEnd.size()) == std::to_string(taken)) return taken;
      break;
    }
    LocalEntry entry;
    if (!ParseEntry(one, &entry)) {
      return absl::DataLossError(path + ":" + std::to_string(line) + ": not a local rule");
    }
    if (absl::Status status = store->PutLocal(entry); !status.ok()) return status;
    ++taken;
  }
  return absl::DataLossError(path + ": it does not end as it should; " + std::to_string(taken) +
                             " local rules were read");
}

}  // namespace sekisho::feedd
