// LookupEvent: a lookup as the resolver hands it to its record sink — the same facts as LookupRecord, as
// views.
//
// The sink copies what it needs before it returns; nothing here is kept. Node and boot are the process's and
// are added by the writer of blocks.
//
// Threads: values; views are valid for one call. Limits: see raw_record.h.
#ifndef SEKISHO_PROTO_RECORD_LOOKUP_EVENT_H_
#define SEKISHO_PROTO_RECORD_LOOKUP_EVENT_H_

#include <cstdint>
#include <span>
#include <string_view>

#include "proto/record/lookup_record.h"

namespace sekisho::record {

struct AnswerView {
  dns::RRType type = dns::RRType::kNone;
  std::span<const uint8_t> rdata;  // wire form, names uncompressed
};

struct LookupEvent {
  uint16_t worker = 0;
  // Counts every lookup of the worker from 1, recorded or lost: a hole is a loss.
  uint64_t sequence = 0;

  WallTime time{};
  uint32_t latency_us = 0;
  std::string_view agency;
  Endpoint client;
  Transport transport = Transport::kUdp;
  dns::NameView qname;
  dns::RRType qtype = dns::RRType::kNone;
  dns::RRClass qclass = dns::RRClass::kIN;
  uint16_t flags = 0;  // of Flag
  dns::Rcode rcode = dns::Rcode::kNoError;
  uint16_t ede = 0xffff;
  uint16_t response_size = 0;
  Origin origin = Origin::kCache;
  Security security = Security::kUnchecked;

  std::span<const AnswerView> answers;  // those beyond kMaxAnswerItems are cut and counted
  uint16_t answers_cut = 0;

  Action action = Action::kNone;
  Trigger trigger = Trigger::kNone;
  dns::NameView trigger_name;
  uint8_t rule_labels = 0;
  bool rule_subtree = false;
  std::string_view feeds;
  std::string_view category;
  uint64_t generation = 0;
};

}  // namespace sekisho::record

#endif  // SEKISHO_PROTO_RECORD_LOOKUP_EVENT_H_
