// OPT     := 0x00 | u16 41 | u16 udp_size | u8 extended_rcode | u8 version (0) | u16 flags | u16 size |
// option* option  := u16 code | u16 length | data EDE     := u16 info_code | UTF-8 text          keepalive :=
// u16 timeout          padding := zero bytes
#include "proto/dns/edns.h"

#include <algorithm>
#include <string_view>

namespace sekisho::dns {
namespace {

constexpr size_t kBareOpt = 11;
constexpr size_t kOptionHeader = 4;
constexpr uint16_t kDoFlag = 0x8000;

bool IsCookieSize(size_t n) { return n == 8 || (n >= 16 && n <= 40); }

// At most kMaxEdeText bytes, never cutting a UTF-8 sequence in two.
std::string_view CutText(std::string_view text) {
  if (text.size() <= kMaxEdeText) return text;
  size_t n = kMaxEdeText;
  while (n > 0 && (static_cast<uint8_t>(text[n]) & 0xc0) == 0x80) --n;
  return text.substr(0, n);
}

enum class Detail { kTexts, kErrors, kNoErrors };

size_t OptionsSize(const EdnsOut& edns, Detail detail) {
  size_t n = 0;
  if (!edns.cookie.empty()) n += kOptionHeader + edns.cookie.size();
  if (edns.keepalive) n += kOptionHeader + 2;
  if (detail == Detail::kNoErrors) return n;
  for (const ExtendedError& e : edns.errors) {
    n += kOptionHeader + 2 + (detail == Detail::kTexts ? CutText(e.text).size() : 0);
  }
  return n;
}

void WriteOptions(const EdnsOut& edns, Detail detail, ByteWriter* out) {
  if (!edns.cookie.empty()) {
    out->U16(static_cast<uint16_t>(OptionCode::kCookie));
    out->U16(static_cast<uint16_t>(edns.cookie.size()));
    out->Bytes(edns.cookie);
  }
  if (edns.keepalive) {
    out->U16(static_cast<uint16_t>(OptionCode::kTcpKeepalive));
    out->U16(2);
    out->U16(edns.keepalive_timeout);
  }
  if (detail == Detail::kNoErrors) return;
  for (const ExtendedError& e : edns.errors) {
    const std::string_view text = detail == Detail::kTexts ? CutText(e.text) : std::string_view();
    out->U16(static_cast<uint16_t>(OptionCode::kEde));
    out->U16(static_cast<uint16_t>(2 + text.size()));
    out->U16(static_cast<uint16_t>(e.code));
    out->Bytes(AsBytes(text));
  }
}

// Fills the message up to a multiple of the block, or as far as the room goes (RFC 8467 section 4.1).
void WritePadding(size_t block, ByteWriter* out) {
  if (block == 0 || out->room() < kOptionHeader) return;
  const size_t so_far = out->size() + kOptionHeader;
  const size_t padding = std::min((block - so_far % block) % block, out->room() - kOptionHeader);
  out->U16(static_cast<uint16_t>(OptionCode::kPadding));
  out->U16(static_cast<uint16_t>(padding));
  for (size_t i = 0; i < padding; ++i) out->U8(0);
}

}  // namespace

const EdnsOption* Edns::Find(OptionCode code) const {
  const auto all = Options();
  const auto it = std::find_if(all.begin(), all.end(), [&](const EdnsOption& o) { return o.code == code; });
  return it == all.end() ? nullptr : &*it;
}

std::vector<ExtendedError> ExtendedErrors(const Edns& edns) {
  std::vector<ExtendedError> out;
  for (const EdnsOption& o : edns.Options()) {
    if (o.code != OptionCode::kEde || o.data.size() < 2) continue;
    std::string_view text = AsText(o.data.subspan(2));
    while (!text.empty() && text.back() == '\0')
      text.remove_suffix(1);  // RFC 8914 section 2: senders may add NULs
    out.push_back({static_cast<EdeCode>(o.data[0] << 8 | o.data[1]), std::string(CutText(text))});
  }
  return out;
}

bool ParseOptions(std::span<const uint8_t> rdata, Edns* out) {
  out->option_count = 0;
  size_t at = 0;
  while (at < rdata.size()) {
    if (rdata.size() - at < kOptionHeader) return false;
    const auto code = static_cast<OptionCode>(rdata[at] << 8 | rdata[at + 1]);
    const size_t length = static_cast<size_t>(rdata[at + 2]) << 8 | rdata[at + 3];
    at += kOptionHeader;
    if (rdata.size() - at < length) return false;
    if (code == OptionCode::kCookie && !IsCookieSize(length)) return false;
    if (out->option_count < kMaxParsedOptions)
      out->options[out->option_count++] = {code, rdata.subspan(at, length)};
    at += length;
  }
  return true;
}

size_t OptSizeWithoutTexts(const EdnsOut& edns) { return kBareOpt + OptionsSize(edns, Detail::kErrors); }

bool WriteOpt(const EdnsOut& edns, Rcode rcode, ByteWriter* out) {
  if (!out->ok() || out->room() < kBareOpt) return false;
  const size_t for_options = out->room() - kBareOpt;
  out->U8(0);
  out->U16(static_cast<uint16_t>(RRType::kOPT));
  out->U16(edns.udp_size);
  out->U8(static_cast<uint8_t>(static_cast<uint16_t>(rcode) >> 4));
  out->U8(0);
  out->U16(edns.dnssec_ok ? kDoFlag : 0);
  const size_t length_at = out->size();
  out->U16(0);
  for (const Detail detail : {Detail::kTexts, Detail::kErrors, Detail::kNoErrors}) {
    if (OptionsSize(edns, detail) > for_options) continue;
    WriteOptions(edns, detail, out);
    WritePadding(edns.pad_to_multiple_of, out);
    break;
  }
  out->PatchU16(length_at, static_cast<uint16_t>(out->size() - length_at - 2));
  return true;
}

}  // namespace sekisho::dns
