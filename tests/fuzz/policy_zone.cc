// Policy zones from hostile bytes, and what they then say of names and addresses.
//
//   input := u8 how | bytes
//   how 0: the bytes are a zone file
//   how 1: u8 have | (u16 size | message)*     the messages are a transfer, its records a zone
#include <cstdint>
#include <cstdlib>
#include <span>
#include <string>

#include "proto/base/bytes.h"
#include "proto/dns/message.h"
#include "proto/dns/presentation.h"
#include "resolver/core/rpz/judge.h"
#include "resolver/core/rpz/zone_builder.h"
#include "resolver/transfer/transfer_reader.h"

namespace sekisho::resolver {
namespace {

// A finding, in every build.
void Require(bool good) {
  if (!good) std::abort();
}

const dns::Name& Origin() {
  static const dns::Name kOrigin = *dns::Name::Parse("rpz.test.");
  return kOrigin;
}

void JudgeAll(const std::shared_ptr<const rpz::Zone>& zone) {
  Require(zone != nullptr && zone->rules() <= rpz::kMaxRules);
  const rpz::ZoneList zones = {{zone, std::make_shared<const rpz::ZoneConfig>()}};
  const IpAddress client = *IpAddress::Parse("192.0.2.1");
  rpz::Facts facts;
  facts.addresses = {*IpAddress::Parse("198.51.100.7"), *IpAddress::Parse("2001:db8::7")};
  facts.servers = [] {
    return std::vector<rpz::KnownServer>{
        {*dns::Name::Parse("ns.example."), {*IpAddress::Parse("203.0.113.9")}}};
  };
  for (const char* text : {".", "example.", "a.b.example.", "*.example.", "\\000.\\255.example."}) {
    const dns::Name name = *dns::Name::Parse(text);
    const rpz::Judgement first = Judge(zones, {.client = &client, .name = name, .answer = nullptr});
    const rpz::Judgement whole = Judge(zones, {.client = &client, .name = name, .answer = &facts});
    Require(!whole.waits);
    // What decides without the answer decides with it.
    if (first.rule) Require(whole.rule && whole.rule->trigger == first.rule->trigger);
    if (!first.rule && !first.waits) Require(!whole.rule);
    if (!whole.rule) continue;
    const rpz::Rule& rule = whole.rule->rule;
    Require((rule.told == rpz::Told::kData) == (rule.data != nullptr));
    if (rule.data == nullptr) continue;
    for (const auto& set : *rule.data) {
      Require(set != nullptr && !set->rdata.empty());
      for (const auto rdata : set->rdata) (void)dns::RdataToText(set->type, rdata);
    }
  }
}

void FuzzText(std::string_view text) {
  const rpz::ReadResult read = rpz::ReadZone(text, Origin());
  Require((read.zone == nullptr) == !read.error.empty());
  if (read.left_out > 0) Require(!read.left_out_reason.empty());
  if (read.zone) JudgeAll(read.zone);
}

void FuzzTransfer(std::span<const uint8_t> bytes) {
  ByteReader r(bytes);
  const uint8_t have = r.U8();
  TransferReader reader(Origin(), have % 2 == 0 ? std::nullopt : std::optional<uint32_t>(have));
  rpz::ZoneBuilder builder(Origin());
  reader.OnWhole([&](const dns::TextRecord& record) { builder.Add(record); });
  TransferState state = TransferState::kMore;
  while (state == TransferState::kMore && r.left() > 2) {
    const size_t size = std::min<size_t>(r.U16(), r.left());
    dns::ParsedMessage m;
    if (m.Parse(r.Take(size)) != dns::ParseError::kNone) break;
    state = reader.Take(m);
  }
  Require((state == TransferState::kFailed) == !reader.error().empty());
  if (state == TransferState::kChanges) {
    for (const auto& [key, change] : reader.changes()) {
      Require(TransferReader::KeyOf(change.record) == key);
      if (change.added) builder.Add(change.record);
    }
  }
  if (state == TransferState::kWhole || state == TransferState::kChanges) Require(reader.soa().has_value());
  JudgeAll(builder.Finish());
}

}  // namespace
}  // namespace sekisho::resolver

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace sekisho;  // NOLINT(google-build-using-namespace)
  if (size == 0) return 0;
  const std::span<const uint8_t> rest(data + 1, size - 1);
  if (data[0] % 2 == 0) {
    resolver::FuzzText(AsText(rest));
  } else {
    resolver::FuzzTransfer(rest);
  }
  return 0;
}
