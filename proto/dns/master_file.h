// MasterFile: reads a zone file record by record.
//
//   MasterFile file(text, zone);
//   while (auto record = file.Next()) …
//   if (!file.error().empty()) …file.line() tells where
//
//   entry     := owner? (ttl | class)* type data      over several lines inside parentheses; ";" begins a
//   comment owner     := name | "@" (the origin) | white space (the owner before) directive := "$ORIGIN" name
//   | "$TTL" ttl
//
// Names without a trailing dot are relative to the origin, in data too.
//
// Threads: one. The text must outlive it. Limits: entries of at most kMaxEntry bytes. Standards: RFC 1035
// section 5.1, RFC 2308 section 4 ($TTL), RFC 3597. Limitations: $INCLUDE and $GENERATE are refused; class IN
// alone.
#ifndef SEKISHO_PROTO_DNS_MASTER_FILE_H_
#define SEKISHO_PROTO_DNS_MASTER_FILE_H_

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "proto/dns/name.h"
#include "proto/dns/presentation.h"

namespace sekisho::dns {

class MasterFile {
 public:
  static constexpr size_t kMaxEntry = 100'000;

  MasterFile(std::string_view text, NameView origin) : text_(text), origin_(origin) {}

  // Nothing at the end, and after an error.
  std::optional<TextRecord> Next();
  const std::string& error() const { return error_; }
  // Of the entry read last, counted from 1.
  size_t line() const { return entry_line_; }

 private:
  struct Word {
    std::string_view text;  // as it stands there, quotes included
  };

  bool ReadEntry();
  bool SkipBlank(int* depth);
  bool ReadWord();
  bool Directive();
  std::optional<TextRecord> Record();
  bool ReadOwner(size_t* at);
  std::optional<std::string> Data(RRType type, size_t at);
  std::optional<Name> ToName(std::string_view text);
  bool Fail(std::string what);

  std::string_view text_;
  Name origin_;
  size_t at_ = 0;
  size_t line_ = 1;
  size_t entry_line_ = 0;
  bool same_owner_ = false;
  std::vector<Word> words_;
  std::optional<Name> owner_;
  std::optional<uint32_t> default_ttl_;  // of $TTL
  uint32_t last_ttl_ = 3600;
  std::string error_;
};

}  // namespace sekisho::dns

#endif  // SEKISHO_PROTO_DNS_MASTER_FILE_H_
