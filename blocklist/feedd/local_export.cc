// Grammar of the file:
//
//   file  := "# sekisho local rules 1" LF entry* "# end " number-of-entries LF
//   entry := ("block" | "allow") HT ("name" | "subtree" | "address") HT (name | prefix) HT microseconds HT
//   who HT reason (HT agency HT microseconds-of-its-end)? LF
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
constexpr size_t kMostColumns = 8;

std::string OneLine(std::string text) {
  std::replace_if(text.begin(), text.end(), [](char c) { return static_cast<uint8_t>(c) < 0x20; }, ' ');
  return text;
}

std::string TermsOf(const indicators::LocalRecord& record) {
  if (record.agency().empty() && record.until_us() == 0) return "";
  return "\t" + record.agency() + "\t" + std::to_string(record.until_us());
}

std::string LineOf(const LocalEntry& entry) {
  return std::string(entry.record.allow() ? "allow" : "block") + "\t" +
         (entry.IsAddress()                   ? "address"
          : entry.kind == EntryKind::kSubtree ? "subtree"
                                              : "name") +
         "\t" + (entry.IsAddress() ? entry.prefix.ToString() : blocklist::NameTextFromKey(entry.name_key)) +
         "\t" + std::to_string(entry.record.added_us()) + "\t" + OneLine(entry.record.who()) + "\t" +
         OneLine(entry.record.reason()) + TermsOf(entry.record) + "\n";
}

bool ReadNumber(std::string_view text, int64_t* out) {
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), *out);
  return error == std::errc() && end == text.data() + text.size();
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
  std::array<std::string_view, kMostColumns> columns;
  size_t count = 0;
  for (bool more = true; more && count < columns.size(); ++count) {
    const size_t end = line.find('\t');
    more = end != std::string_view::npos;
    columns[count] = line.substr(0, end);
    line.remove_prefix(more ? end + 1 : line.size());
  }
  if ((count != kColumns && count != kMostColumns) || !line.empty()) return false;
  int64_t added = 0;
  int64_t until = 0;
  if (!ReadNumber(columns[3], &added)) return false;
  if (count == kMostColumns && !ReadNumber(columns[7], &until)) return false;
  if (columns[0] != "allow" && columns[0] != "block") return false;
  if (!ParseSubject(columns[1], columns[2], entry)) return false;
  entry->record.set_allow(columns[0] == "allow");
  entry->record.set_added_us(added);
  entry->record.set_who(std::string(columns[4]));
  entry->record.set_reason(std::string(columns[5]));
  entry->record.set_agency(std::string(columns[6]));
  entry->record.set_until_us(until);
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
