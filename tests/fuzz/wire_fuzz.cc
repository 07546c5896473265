// One fuzz target over the wire parser: the first byte chooses what the rest is taken for.
//
//   input := u8 what (message, name, options, RDATA of a type) | [u16 type] | bytes
#include <cstdint>
#include <cstdlib>
#include <span>
#include <string>

#include "proto/base/bytes.h"
#include "proto/dns/edns.h"
#include "proto/dns/ldns_bridge.h"
#include "proto/dns/message.h"
#include "proto/dns/name_key.h"
#include "proto/dns/presentation.h"
#include "proto/dns/rdata_form.h"

namespace sekisho::dns {
namespace {

// A finding, in every build.
void Require(bool good) {
  if (!good) std::abort();
}

// ldns does not stop at RDLENGTH in types it knows and we hold opaque.
bool HasOpaqueRecords(const ParsedMessage& m) {
  for (const Section s : {Section::kAnswer, Section::kAuthority, Section::kAdditional}) {
    for (const Record& r : m.records(s)) {
      if (r.rrclass != 1 || FindRdataForm(r.type) == nullptr) return true;
    }
  }
  return false;
}

void CompareWithLdns(const ParsedMessage& m) {
  if (HasOpaqueRecords(m)) return;
  const auto oracle = ldns_bridge::OracleParse(m.packet());
  if (!oracle || m.edns()) return;
  size_t at = 0;
  for (const Section s : {Section::kAnswer, Section::kAuthority, Section::kAdditional}) {
    for (const Record& r : m.records(s)) {
      Require(at < oracle->records.size());
      const auto& theirs = oracle->records[at++];
      if (r.type != theirs.type) return;  // ldns treats TSIG apart
      const auto owner = Name::FromWire(AsBytes(theirs.owner));
      Require(owner && m.OwnerIs(r, *owner));
      std::string rdata;
      m.AppendRdata(r, &rdata);
      Require(rdata == theirs.rdata);
    }
  }
}

void FuzzMessage(std::span<const uint8_t> bytes) {
  ParsedMessage m;
  if (m.Parse(bytes) != ParseError::kNone) return;
  for (const Section s : {Section::kAnswer, Section::kAuthority, Section::kAdditional}) {
    for (const RRset& set : CollectRRsets(m, s, RRClass::kIN)) {
      for (const auto r : set.rdata) Require(CheckRdata(set.type, r));
    }
  }
  if (bytes.size() < 1500) CompareWithLdns(m);
}

void FuzzName(std::span<const uint8_t> bytes) {
  if (const auto name = Name::FromWire(bytes)) {
    Require(*NameFromKey(NameKey(*name)) == *name);
    Require(Name::Parse(name->ToString())->view().EqualsWithCase(*name));
  }
  Name::Parse(AsText(bytes));
  NameFromKey(AsText(bytes));
}

void FuzzRdata(std::span<const uint8_t> bytes) {
  ByteReader r(bytes);
  const auto type = static_cast<RRType>(r.U16() % 300);
  const auto rdata = r.Take(r.left());
  if (!CheckRdata(type, rdata)) return;
  Require(CanonicalRdata(type, rdata).size() == rdata.size());
  const std::string text = RdataToText(type, rdata);
  if (text.starts_with("\\#") || IsMetaType(type)) return;
  std::string error;
  const auto back = ParseRecord(". 0 IN " + ToString(type) + " " + text, &error);
  Require(back && back->rdata == AsText(rdata));
}

}  // namespace
}  // namespace sekisho::dns

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace sekisho::dns;
  if (size == 0) return 0;
  const std::span<const uint8_t> rest(data + 1, size - 1);
  Edns edns;
  switch (data[0] % 4) {
    case 0:
      FuzzMessage(rest);
      break;
    case 1:
      FuzzName(rest);
      break;
    case 2:
      if (ParseOptions(rest, &edns)) ExtendedErrors(edns);
      break;
    default:
      FuzzRdata(rest);
  }
  return 0;
}
