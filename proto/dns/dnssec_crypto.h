// DnssecCrypto: the cryptographic primitives of DNSSEC: signatures, DS digests, NSEC3 hashes, key tags.
//
//   DnssecCrypto crypto;                                        // one per worker
//   if (crypto.VerifySignature(algorithm, dnskey_rdata, signed_bytes, signature) == SigResult::kValid) …
//
// It judges bytes only: names, times, flags and which key to try are the validator's business. Contexts are
// made once and keys already turned into OpenSSL objects are kept, because making them costs as much as a
// verification. A signature that was found valid is remembered by a digest of all that went into it: the SOA
// and the denials of a zone come back with every name that it does not have, and a digest costs a hundredth
// of a verification.
//
// Threads: one object per thread. Limits: RSA modulus min_rsa_bits–4096, public exponent ≤ 64 bits; the key
// cache holds kKeySlots keys. Malformed keys and signatures are outcomes, never errors of the process.
// Standards: RFC 3110, RFC 5702 (RSA), RFC 6605 (ECDSA), RFC 8080 (EdDSA), RFC 4509 and RFC 6605 (DS), RFC
// 5155 (NSEC3), RFC 4034 appendix B (key tag), RFC 8624 (which must be known).
#ifndef SEKISHO_PROTO_DNS_DNSSEC_CRYPTO_H_
#define SEKISHO_PROTO_DNS_DNSSEC_CRYPTO_H_

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>

#include "proto/dns/name.h"

namespace sekisho::dns {

enum class SigResult : uint8_t {
  kValid,
  kInvalid,       // well formed, but it does not verify
  kBadKey,        // the key does not have the form its algorithm asks for, or is outside the limits
  kBadSignature,  // the signature's length is impossible
  kUnsupported,   // algorithm not known here
};

// 5, 7, 8, 10, 13, 14, 15, 16.
bool IsSupportedAlgorithm(uint8_t algorithm);
// 1, 2, 4.
bool IsSupportedDigest(uint8_t digest_type);

// OpenSSL does not everywhere look whether its allocations succeed, least of all while it sets itself up.
// From now on one that fails goes the way of operator new: to the new-handler. To be called before OpenSSL is
// used.
void SendOpenSslToTheNewHandler();

// RFC 4034 appendix B over whole DNSKEY RDATA (flags on).
uint16_t KeyTag(std::span<const uint8_t> dnskey_rdata);

struct DigestValue {
  std::array<uint8_t, 48> bytes{};
  size_t size = 0;
  std::span<const uint8_t> view() const { return {bytes.data(), size}; }
};

using Nsec3HashValue = std::array<uint8_t, 20>;

class DnssecCrypto {
 public:
  static constexpr int kMinRsaBits = 512;
  static constexpr int kMaxRsaBits = 4096;
  static constexpr int kMaxExponentBits = 64;
  static constexpr size_t kKeySlots = 256;
  static constexpr size_t kProofSlots = 16384;  // of 16 bytes

  // RSA keys below `min_rsa_bits` are refused as kBadKey.
  explicit DnssecCrypto(int min_rsa_bits = kMinRsaBits);
  ~DnssecCrypto();
  DnssecCrypto(const DnssecCrypto&) = delete;
  DnssecCrypto& operator=(const DnssecCrypto&) = delete;

  // `algorithm` is that of the RRSIG; a key of another algorithm is kBadKey. `dnskey_rdata` is the whole
  // RDATA. `signed_bytes`: RRSIG RDATA without the signature, then the canonical RRset (RFC 4034
  // section 3.1.8.1).
  SigResult VerifySignature(uint8_t algorithm, std::span<const uint8_t> dnskey_rdata,
                            std::span<const uint8_t> signed_bytes, std::span<const uint8_t> signature);

  // digest(owner in canonical form | dnskey_rdata); nothing when the digest type is not supported.
  std::optional<DigestValue> DsDigest(uint8_t digest_type, NameView owner,
                                      std::span<const uint8_t> dnskey_rdata);

  // IH(salt, name, iterations) with SHA-1, the only hash there is. Costs iterations + 1 hashes: check the
  // count first.
  Nsec3HashValue Nsec3Hash(NameView name, std::span<const uint8_t> salt, uint16_t iterations);

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace sekisho::dns

#endif  // SEKISHO_PROTO_DNS_DNSSEC_CRYPTO_H_
