#include "proto/dns/ldns_bridge.h"

#include <ldns/ldns.h>

#include <algorithm>
#include <cstdlib>
#include <memory>

#include "proto/base/bytes.h"
#include "proto/dns/name_scanner.h"

namespace sekisho::dns::ldns_bridge {
namespace {

struct RrFree {
  void operator()(ldns_rr* rr) const { ldns_rr_free(rr); }
};
struct RdfFree {
  void operator()(ldns_rdf* rdf) const { ldns_rdf_deep_free(rdf); }
};
struct PacketFree {
  void operator()(ldns_pkt* p) const { ldns_pkt_free(p); }
};
struct BufferFree {
  void operator()(ldns_buffer* b) const { ldns_buffer_free(b); }
};
struct CFree {
  void operator()(void* p) const {
    std::free(p);
  }  // NOLINT(cppcoreguidelines-no-malloc): ldns allocates with malloc
};
using RrPtr = std::unique_ptr<ldns_rr, RrFree>;

constexpr size_t kRecordHeader = 10;

// Reads one uncompressed record written by ldns.
std::optional<WireRecord> SplitRecord(std::span<const uint8_t> wire) {
  const NameScanner scanner(wire);
  size_t end = 0;
  const size_t owner = scanner.ScanPlain(0, wire.size(), &end);
  if (owner == 0 || wire.size() - end < kRecordHeader) return std::nullopt;
  ByteReader r(wire.subspan(end));
  WireRecord out;
  out.owner = AsText(wire.first(owner));
  out.type = static_cast<RRType>(r.U16());
  out.rrclass = static_cast<RRClass>(r.U16());
  out.ttl = r.U32();
  const uint16_t size = r.U16();
  out.rdata = AsText(r.Take(size));
  if (!r.ok() || r.left() != 0) return std::nullopt;
  return out;
}

std::optional<WireRecord> ToWire(const ldns_rr* rr) {
  const std::unique_ptr<ldns_buffer, BufferFree> buffer(ldns_buffer_new(LDNS_MAX_PACKETLEN));
  if (!buffer || ldns_rr2buffer_wire(buffer.get(), rr, LDNS_SECTION_ANSWER) != LDNS_STATUS_OK)
    return std::nullopt;
  return SplitRecord({ldns_buffer_begin(buffer.get()), ldns_buffer_position(buffer.get())});
}

bool IsPrintable(std::string_view text) {
  return std::ranges::all_of(text, [](char c) { return c >= 0x20 && c <= 0x7e; });
}

}  // namespace

std::optional<std::string> RdataText(RRType type, std::span<const uint8_t> rdata) {
  if (rdata.size() > UINT16_MAX) return std::nullopt;
  std::vector<uint8_t> wire(1 + kRecordHeader + rdata.size());
  ByteWriter w(wire);
  w.U8(0);
  w.U16(static_cast<uint16_t>(type));
  w.U16(static_cast<uint16_t>(RRClass::kIN));
  w.U32(0);
  w.U16(static_cast<uint16_t>(rdata.size()));
  w.Bytes(rdata);
  ldns_rr* raw = nullptr;
  size_t at = 0;
  const ldns_status status = ldns_wire2rr(&raw, wire.data(), wire.size(), &at, LDNS_SECTION_ANSWER);
  if (status != LDNS_STATUS_OK) return std::nullopt;
  const RrPtr rr(raw);
  std::string out;
  for (size_t i = 0; i < ldns_rr_rd_count(rr.get()); ++i) {
    const std::unique_ptr<char, CFree> field(ldns_rdf2str(ldns_rr_rdf(rr.get(), i)));
    if (!field) return std::nullopt;
    if (i > 0) out += ' ';
    out += field.get();
  }
  while (!out.empty() && out.back() == ' ') out.pop_back();
  if (out.empty() || !IsPrintable(out)) return std::nullopt;
  return out;
}

std::optional<WireRecord> RecordFromText(const std::string& line, std::string* error, NameView origin) {
  const std::unique_ptr<ldns_rdf, RdfFree> below(
      ldns_rdf_new_frm_data(LDNS_RDF_TYPE_DNAME, origin.size(), origin.data()));
  ldns_rr* raw = nullptr;
  const ldns_status status = ldns_rr_new_frm_str(&raw, line.c_str(), 0, below.get(), nullptr);
  if (status != LDNS_STATUS_OK) {
    *error = ldns_get_errorstr_by_id(status);
    return std::nullopt;
  }
  const RrPtr rr(raw);
  auto out = ToWire(rr.get());
  if (!out) *error = "the record cannot be written in wire form";
  return out;
}

std::optional<OracleMessage> OracleParse(std::span<const uint8_t> packet) {
  ldns_pkt* raw = nullptr;
  if (ldns_wire2pkt(&raw, packet.data(), packet.size()) != LDNS_STATUS_OK) return std::nullopt;
  const std::unique_ptr<ldns_pkt, PacketFree> owned(raw);
  OracleMessage out;
  for (const ldns_rr_list* list : {ldns_pkt_answer(raw), ldns_pkt_authority(raw), ldns_pkt_additional(raw)}) {
    for (size_t i = 0; i < ldns_rr_list_rr_count(list); ++i) {
      auto record = ToWire(ldns_rr_list_rr(list, i));
      if (!record) return std::nullopt;
      out.records.push_back(std::move(*record));
    }
  }
  return out;
}

}  // namespace sekisho::dns::ldns_bridge
