// EDNS(0): the OPT pseudo-record, read and written; cookies and extended errors.
//
// Threads: values; option bytes are views into the packet they came from.
// Limits: kMaxParsedOptions options kept, further ones skipped but checked for form.
// Standards: RFC 6891, RFC 7873 and RFC 9018 (cookies), RFC 8914 (EDE), RFC 7830 (padding), RFC 9715 (size
// 1232).
#ifndef SEKISHO_PROTO_DNS_EDNS_H_
#define SEKISHO_PROTO_DNS_EDNS_H_

#include <array>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "proto/base/bytes.h"
#include "proto/dns/types.h"

namespace sekisho::dns {

inline constexpr size_t kMaxParsedOptions = 32;
inline constexpr uint16_t kDefaultUdpSize = 1232;

enum class OptionCode : uint16_t {
  kNsid = 3,
  kClientSubnet = 8,
  kExpire = 9,
  kCookie = 10,
  kTcpKeepalive = 11,
  kPadding = 12,
  kChain = 13,
  kKeyTag = 14,
  kEde = 15,
  kReportChannel = 18,
};

struct EdnsOption {
  OptionCode code{};
  std::span<const uint8_t> data;
};

// What a received OPT said.
struct Edns {
  uint16_t udp_size = 512;  // as sent, values below 512 raised to 512
  uint8_t extended_rcode = 0;
  uint8_t version = 0;
  bool dnssec_ok = false;
  std::array<EdnsOption, kMaxParsedOptions> options{};
  size_t option_count = 0;

  std::span<const EdnsOption> Options() const { return {options.data(), option_count}; }
  // The first option of that code, or null.
  const EdnsOption* Find(OptionCode code) const;
};

// Longer texts of extended errors are cut.
inline constexpr size_t kMaxEdeText = 256;

struct ExtendedError {
  EdeCode code{};
  std::string text;  // UTF-8, no trailing NUL; may be empty

  friend bool operator==(const ExtendedError&, const ExtendedError&) = default;
};
// The EDE options of an OPT, text cut at 256 bytes.
std::vector<ExtendedError> ExtendedErrors(const Edns& edns);

// Reads the options of an OPT into `out`; false when a length lies or a cookie has an impossible size.
bool ParseOptions(std::span<const uint8_t> rdata, Edns* out);

// What to put into an OPT that we send.
struct EdnsOut {
  uint16_t udp_size = kDefaultUdpSize;
  bool dnssec_ok = false;
  std::vector<uint8_t> cookie;  // whole option data (8, or 16–40 bytes); empty: none
  std::vector<ExtendedError> errors;
  bool keepalive = false;           // edns-tcp-keepalive, RFC 7828; TCP only
  uint16_t keepalive_timeout = 0;   // units of 100 ms
  uint16_t pad_to_multiple_of = 0;  // RFC 7830/8467; encrypted transports only; 0: no padding
};

// Bytes of the OPT record without EDE texts and padding: the room records must leave for it.
size_t OptSizeWithoutTexts(const EdnsOut& edns);
// Writes the OPT record at the end of a message of `out.size()` bytes, dropping EDE texts, then errors, then
// every option when there is not room enough. False, with nothing written, when not even the bare record
// fits.
bool WriteOpt(const EdnsOut& edns, Rcode rcode, ByteWriter* out);

}  // namespace sekisho::dns

#endif  // SEKISHO_PROTO_DNS_EDNS_H_
