#include "proto/dns/dnssec_crypto.h"
namespace sekisho::dns {
uint16_t KeyTag(std::span<const uint8_t> rdata) {
  if (rdata.size() > 6 && rdata[3] == 1) {  // RSA/MD5: the modulus' bytes, RFC 4034 appendix B.1
    return static_cast<uint16_t>(rdata[rdata.size() - 3] << 8 | rdata[rdata.size() - 2]);
  }
  uint32_t sum = 0;
  for (size_t i = 0; i < rdata.size(); ++i) sum += i % 2 == 0 ? uint32_t{rdata[i]} << 8 : rdata[i];
  return static_cast<uint16_t>(sum + (sum >> 16));
}
}  // namespace sekisho::dns
