// axfr := SOA(new) record* SOA(new)
// ixfr := SOA(new) (SOA(from) removed* SOA(to) added*)+ SOA(new) | SOA(new) alone: nothing has changed
#include "resolver/transfer/transfer_reader.h"

#include <utility>

#include "proto/base/bytes.h"
#include "proto/dns/rdata.h"

namespace sekisho::resolver {

using dns::RRType;
using dns::TextRecord;

bool SerialAfter(uint32_t a, uint32_t b) { return a != b && a - b < 0x80000000u; }

std::optional<uint32_t> SerialOf(const TextRecord& soa) {
  const auto view = dns::ReadSoa(AsBytes(soa.rdata));
  if (!view) return std::nullopt;
  return view->serial;
}

std::string TransferReader::KeyOf(const TextRecord& r) {
  std::string key = r.owner.LowercaseBytes();
  key.push_back(static_cast<char>(static_cast<uint16_t>(r.type) >> 8));
  key.push_back(static_cast<char>(r.type));
  return key + r.rdata;
}

TransferState TransferReader::Fail(std::string why) {
  error_ = std::move(why);
  return TransferState::kFailed;
}

TransferState TransferReader::Take(const dns::ParsedMessage& m) {
  for (const dns::Record& r : m.records(dns::Section::kAnswer)) {
    if (step_ == Step::kEnd) return Fail("records behind the end of the zone");
    if (r.rrclass != static_cast<uint16_t>(dns::RRClass::kIN)) return Fail("a record of another class");
    TextRecord record{
        .owner = m.Owner(r), .type = r.type, .rrclass = dns::RRClass::kIN, .ttl = r.ttl, .rdata = ""};
    if (record.ttl > INT32_MAX) record.ttl = 0;
    m.AppendRdata(r, &record.rdata);
    const TransferState state = TakeRecord(std::move(record));
    if (state == TransferState::kFailed) return state;
    if (state != TransferState::kMore) step_ = Step::kEnd;
    if (state != TransferState::kMore && &r == &m.records(dns::Section::kAnswer).back()) return state;
  }
  if (step_ == Step::kEnd) return Fail("records behind the end of the zone");
  if (step_ == Step::kFirst) return Fail("a reply without an SOA");
  // The SOA alone says that nothing has changed, unless it is newer: then more is to come.
  if (step_ == Step::kSecond && have_ && !SerialAfter(newest_, *have_)) return TransferState::kCurrent;
  return TransferState::kMore;
}

TransferState TransferReader::TakeRecord(TextRecord record) {
  if (++count_ > kMaxRecords) return Fail("more than " + std::to_string(kMaxRecords) + " records");
  if (!record.owner.view().IsAtOrBelow(origin_)) return Fail(record.owner.ToString() + " is not in the zone");
  std::optional<uint32_t> serial;
  if (record.type == RRType::kSOA) {
    serial = record.owner == origin_ ? SerialOf(record) : std::nullopt;
    if (!serial) return Fail("an SOA that is none of the zone's");
  }
  switch (step_) {
    case Step::kFirst:
      if (!serial) return Fail("the first record is no SOA");
      newest_ = *serial;
      soa_ = std::move(record);
      step_ = Step::kSecond;
      return TransferState::kMore;
    case Step::kSecond:
      return TakeSecond(std::move(record), serial);
    case Step::kWhole:
      return TakeWhole(record, serial);
    default:
      return TakeChange(std::move(record), serial);
  }
}

TransferState TransferReader::TakeSecond(TextRecord record, std::optional<uint32_t> serial) {
  if (have_ && serial && *serial == *have_ && *serial != newest_) {
    step_ = Step::kRemoved;
    return TransferState::kMore;
  }
  step_ = Step::kWhole;
  if (sink_) sink_(*soa_);
  return TakeWhole(record, serial);
}

TransferState TransferReader::TakeWhole(const TextRecord& record, std::optional<uint32_t> serial) {
  if (serial) return *serial == newest_ ? TransferState::kWhole : Fail("the zone ends with another SOA");
  if (sink_) sink_(record);
  return TransferState::kMore;
}

TransferState TransferReader::TakeChange(TextRecord record, std::optional<uint32_t> serial) {
  if (!serial) {
    if (changes_.size() >= kMaxChanges) return Fail("more than " + std::to_string(kMaxChanges) + " changes");
    std::string key = KeyOf(record);
    changes_.insert_or_assign(std::move(key), Change{step_ == Step::kAdded, std::move(record)});
    return TransferState::kMore;
  }
  if (step_ == Step::kRemoved) {
    reached_ = *serial;
    step_ = Step::kAdded;
    return TransferState::kMore;
  }
  if (*serial != reached_) return Fail("changes that do not follow each other");
  if (reached_ == newest_) return TransferState::kChanges;
  step_ = Step::kRemoved;
  return TransferState::kMore;
}

}  // namespace sekisho::resolver
