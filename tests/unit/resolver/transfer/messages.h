// Transfer messages from lines of text, for tests.
#ifndef SEKISHO_TESTS_UNIT_RESOLVER_TRANSFER_MESSAGES_H_
#define SEKISHO_TESTS_UNIT_RESOLVER_TRANSFER_MESSAGES_H_

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "proto/base/bytes.h"
#include "proto/dns/builder.h"
#include "proto/dns/presentation.h"

namespace sekisho::resolver {

inline std::string Soa(uint32_t serial) {
  return "rpz.test. 60 IN SOA ns.test. host.test. " + std::to_string(serial) + " 100 50 3600 60";
}

inline dns::TextRecord RecordOf(const std::string& line) {
  std::string error;
  const auto record = dns::ParseRecord(line, &error);
  EXPECT_TRUE(record) << line << ": " << error;
  return record.value_or(dns::TextRecord());
}

// A reply to a question for the zone rpz.test., with these records as its answer.
inline std::vector<uint8_t> ReplyOf(const std::vector<std::string>& lines, dns::RRType type, uint16_t id = 0,
                                    dns::Rcode rcode = dns::Rcode::kNoError) {
  std::vector<uint8_t> message(65535);
  dns::MessageBuilder b(message, message.size());
  dns::Header header;
  header.id = id;
  header.qr = header.aa = true;
  b.Begin(header);
  b.AddQuestion(*dns::Name::Parse("rpz.test."), type, dns::RRClass::kIN);
  for (const auto& line : lines) {
    const dns::TextRecord r = RecordOf(line);
    b.AddRecord(dns::Section::kAnswer, r.owner, r.type, r.rrclass, r.ttl, AsBytes(r.rdata));
  }
  message.resize(b.Finish(rcode, nullptr).size());
  return message;
}

}  // namespace sekisho::resolver

#endif  // SEKISHO_TESTS_UNIT_RESOLVER_TRANSFER_MESSAGES_H_
