// TransferReader: the replies of a zone transfer, message by message, without any I/O.
//
//   TransferReader reader(origin, have);             // the serial in hand; none: the whole zone is wanted
//   reader.OnWhole(…each record of a whole zone…);
//   while (reader.Take(message) == TransferState::kMore) …the next message
//
// A whole zone's records are handed on as they come and not kept; changes are kept until they are complete.
// What is asked for incrementally may come whole.
//
// Threads: one. Limits: kMaxRecords of a whole zone, kMaxChanges of changes.
// Standards: RFC 5936 (AXFR), RFC 1995 (IXFR), RFC 1982 (serials).
#ifndef SEKISHO_RESOLVER_TRANSFER_TRANSFER_READER_H_
#define SEKISHO_RESOLVER_TRANSFER_TRANSFER_READER_H_

#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <string>

#include "proto/dns/message.h"
#include "proto/dns/presentation.h"

namespace sekisho::resolver {

// RFC 1982: `a` comes after `b`.
bool SerialAfter(uint32_t a, uint32_t b);
// Of a record of type SOA.
std::optional<uint32_t> SerialOf(const dns::TextRecord& soa);

enum class TransferState : uint8_t {
  kMore,
  kWhole,
  kChanges,
  kCurrent,  // what is in hand is the newest
  kFailed,   // error() says why
};

class TransferReader {
 public:
  static constexpr size_t kMaxRecords = 20'000'000;
  static constexpr size_t kMaxChanges = 2'000'000;

  // What makes a record the same: owner (in any case), type and data.
  static std::string KeyOf(const dns::TextRecord& record);
  struct Change {
    bool added = false;
    dns::TextRecord record;
  };

  TransferReader(dns::Name origin, std::optional<uint32_t> have) : origin_(std::move(origin)), have_(have) {}

  // Called with each record of a whole zone, the SOA first and once.
  void OnWhole(std::function<void(const dns::TextRecord&)> sink) { sink_ = std::move(sink); }

  TransferState Take(const dns::ParsedMessage& message);
  const std::string& error() const { return error_; }
  // The new SOA, once there is one.
  const std::optional<dns::TextRecord>& soa() const { return soa_; }
  // kChanges: what became of each record that changed, SOA records apart.
  const std::map<std::string, Change>& changes() const { return changes_; }

 private:
  enum class Step : uint8_t { kFirst, kSecond, kWhole, kRemoved, kAdded, kEnd };

  TransferState Fail(std::string why);
  TransferState TakeRecord(dns::TextRecord record);
  TransferState TakeSecond(dns::TextRecord record, std::optional<uint32_t> serial);
  TransferState TakeWhole(const dns::TextRecord& record, std::optional<uint32_t> serial);
  TransferState TakeChange(dns::TextRecord record, std::optional<uint32_t> serial);

  dns::Name origin_;
  std::optional<uint32_t> have_;
  std::function<void(const dns::TextRecord&)> sink_;
  Step step_ = Step::kFirst;
  std::optional<dns::TextRecord> soa_;
  uint32_t newest_ = 0;
  uint32_t reached_ = 0;  // of the changes so far
  size_t count_ = 0;
  std::map<std::string, Change> changes_;
  std::string error_;
};

}  // namespace sekisho::resolver

#endif  // SEKISHO_RESOLVER_TRANSFER_TRANSFER_READER_H_
