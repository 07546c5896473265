// SigningKey: a DNSSEC key pair made for a test, and signatures by it, right ones and wrong ones.
//
//   SigningKey key(13);
//   zone_rrset.signatures.Add(Bytes(key.Rrsig(rrset, zone, {.inception = …})));
//
// The bytes that are signed are put together here and not by the code under test. Data must be in lower case.
//
// Threads: values; the OpenSSL key is shared. Standards: RFC 4034 section 3, RFC 3110, RFC 6605, RFC 8080.
#ifndef SEKISHO_TESTS_SIGNED_SIGNING_KEY_H_
#define SEKISHO_TESTS_SIGNED_SIGNING_KEY_H_

#include <openssl/evp.h>

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>

#include "proto/base/bytes.h"
#include "proto/dns/name.h"
#include "proto/dns/rrset.h"

namespace sekisho::signed_test {

inline constexpr int64_t kTestTime = 1'800'000'000;  // Unix seconds; the wall clock of all tests
inline constexpr int64_t kDay = 86400;

inline std::span<const uint8_t> Bytes(const std::string& s) { return AsBytes(s); }
inline std::string Text(std::span<const uint8_t> bytes) { return std::string(AsText(bytes)); }
// A name from text that is one.
dns::Name N(std::string_view text);

// What differs from an honest signature.
struct SignOptions {
  int64_t inception = kTestTime - 10 * kDay;
  int64_t expiration = kTestTime + 20 * kDay;
  std::optional<uint8_t> labels = {};          // honest: those of the owner without "*"
  std::optional<uint32_t> original_ttl = {};   // honest: the RRset's
  std::optional<dns::Name> signed_owner = {};  // honest: the owner; the wildcard for a forged expansion
};

class SigningKey {
 public:
  // 5, 7, 8, 10, 13, 14, 15 or 16.
  explicit SigningKey(uint8_t algorithm, uint16_t flags = 257, int rsa_bits = 1024);

  uint8_t algorithm() const { return algorithm_; }
  uint16_t tag() const;
  // The same key with the REVOKE bit (RFC 5011), and so with another tag.
  SigningKey Revoked() const;
  // DNSKEY RDATA.
  const std::string& dnskey() const { return dnskey_; }
  std::string Ds(const dns::Name& zone, uint8_t digest_type = 2) const;
  std::string Rrsig(const dns::RRset& rrset, const dns::Name& signer, const SignOptions& options = {}) const;

 private:
  std::string Sign(const std::string& data) const;

  uint8_t algorithm_;
  std::shared_ptr<EVP_PKEY> key_;
  std::string dnskey_;
};

// DNSKEY RDATA of algorithm 15 whose key tag is `tag`, made from `seed`: a key nobody has the other half of.
std::string DnskeyWithTag(uint16_t tag, uint32_t seed);

}  // namespace sekisho::signed_test

#endif  // SEKISHO_TESTS_SIGNED_SIGNING_KEY_H_
