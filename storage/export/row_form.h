// RowForm: how a lookup is written into a stream — as dnstap messages or as JSON in the shape of OCSF.
//
//   auto form = MakeForm(FormKind::kOcsf, identity);
//   form->Row(record, &frames);                       // frames: one or more payloads
//   form->Gap(1200, "buffer full", now, &frames);     // lookups that the stream does not have
//
// What strangers chose (names, data) is escaped, so that a payload of text is one line of valid UTF-8.
//
// Threads: one thread. Limits: a payload has at most 64 KiB of DNS message, or kMaxAnswerItems answers.
// Standards: dnstap.proto (CLIENT_QUERY, CLIENT_RESPONSE), OCSF 1.3.0 class dns_activity (4003).
#ifndef SEKISHO_STORAGE_EXPORT_ROW_FORM_H_
#define SEKISHO_STORAGE_EXPORT_ROW_FORM_H_

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "proto/base/now.h"
#include "proto/record/lookup_record.h"

namespace sekisho::exports {

// One payload of a stream.
struct Payload {
  std::string bytes;
  WallTime time{};
  bool notable = false;  // something was blocked or is missing
};

class RowForm {
 public:
  virtual ~RowForm() = default;
  virtual void Row(const record::LookupRecord& record, std::vector<Payload>* out) = 0;
  virtual void Gap(uint64_t lookups, std::string_view why, WallTime now, std::vector<Payload>* out) = 0;
};

struct Identity {
  std::string host;
  std::string version;
};

// Messages are made anew from what the record holds: their ids and TTLs are 0, and records whose owner the
// log does not know (DNAME) are left out. The answer section of what was blocked is empty: the log holds the
// evidence, not what was sent.
std::unique_ptr<RowForm> MakeDnstapForm(const Identity& identity);
std::unique_ptr<RowForm> MakeOcsfForm(const Identity& identity);

// Node, start, worker and number: the same lookup always has the same.
std::string LookupId(const record::LookupRecord& record);

}  // namespace sekisho::exports

#endif  // SEKISHO_STORAGE_EXPORT_ROW_FORM_H_
