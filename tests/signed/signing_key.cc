// RRSIG RDATA := u16 covered | u8 algorithm | u8 labels | u32 original TTL | u32 expiration | u32 inception
//                | u16 key tag | signer | signature
#include "tests/signed/signing_key.h"

#include <openssl/core_names.h>
#include <openssl/ec.h>
#include <openssl/rsa.h>

#include <algorithm>
#include <cstdlib>
#include <vector>

#include "proto/dns/dnssec_crypto.h"

namespace sekisho::signed_test {
namespace {

void U16(uint32_t v, std::string* out) {
  out->push_back(static_cast<char>(v >> 8));
  out->push_back(static_cast<char>(v));
}
void U32(uint32_t v, std::string* out) {
  U16(v >> 16, out);
  U16(v & 0xffff, out);
}

// A test's own set-up failed: nothing after it would mean anything.
void Must(bool ok) {
  if (!ok) std::abort();
}

const EVP_MD* HashOf(uint8_t algorithm) {
  switch (algorithm) {
    case 5:
    case 7:
      return EVP_sha1();
    case 8:
    case 13:
      return EVP_sha256();
    case 14:
      return EVP_sha384();
    case 10:
      return EVP_sha512();
    default:
      return nullptr;
  }
}

EVP_PKEY* Generate(uint8_t algorithm, int rsa_bits) {
  switch (algorithm) {
    case 13:
      return EVP_EC_gen("P-256");
    case 14:
      return EVP_EC_gen("P-384");
    case 15:
      return EVP_PKEY_Q_keygen(nullptr, nullptr, "ED25519");
    case 16:
      return EVP_PKEY_Q_keygen(nullptr, nullptr, "ED448");
    default:
      return EVP_RSA_gen(static_cast<unsigned>(rsa_bits));
  }
}

std::string NumberOf(EVP_PKEY* key, const char* name) {
  BIGNUM* number = nullptr;
  Must(EVP_PKEY_get_bn_param(key, name, &number) == 1);
  std::string bytes(static_cast<size_t>(BN_num_bytes(number)), '\0');
  BN_bn2bin(number, reinterpret_cast<unsigned char*>(bytes.data()));
  BN_free(number);
  return bytes;
}

std::string PublicKey(EVP_PKEY* key, uint8_t algorithm) {
  std::string out;
  if (algorithm == 13 || algorithm == 14) {
    std::vector<unsigned char> point(200);
    size_t size = 0;
    Must(EVP_PKEY_get_octet_string_param(key, OSSL_PKEY_PARAM_PUB_KEY, point.data(), point.size(), &size) ==
         1);
    return std::string(point.begin() + 1, point.begin() + static_cast<std::ptrdiff_t>(size));  // without 0x04
  }
  if (algorithm == 15 || algorithm == 16) {
    size_t size = 57;
    out.resize(size);
    Must(EVP_PKEY_get_raw_public_key(key, reinterpret_cast<unsigned char*>(out.data()), &size) == 1);
    out.resize(size);
    return out;
  }
  const std::string exponent = NumberOf(key, OSSL_PKEY_PARAM_RSA_E);
  out.push_back(static_cast<char>(exponent.size()));
  return out + exponent + NumberOf(key, OSSL_PKEY_PARAM_RSA_N);
}

std::string RawEcdsa(const std::string& der, int half) {
  const auto* at = reinterpret_cast<const unsigned char*>(der.data());
  ECDSA_SIG* sig = d2i_ECDSA_SIG(nullptr, &at, static_cast<long>(der.size()));
  Must(sig != nullptr);
  std::string raw(static_cast<size_t>(2 * half), '\0');
  auto* out = reinterpret_cast<unsigned char*>(raw.data());
  Must(BN_bn2binpad(ECDSA_SIG_get0_r(sig), out, half) == half);
  Must(BN_bn2binpad(ECDSA_SIG_get0_s(sig), out + half, half) == half);
  ECDSA_SIG_free(sig);
  return raw;
}

std::string DnskeyRdata(uint16_t flags, uint8_t algorithm, const std::string& key) {
  std::string out;
  U16(flags, &out);
  out.push_back(3);
  out.push_back(static_cast<char>(algorithm));
  return out + key;
}

}  // namespace

dns::Name N(std::string_view text) {
  const auto name = dns::Name::Parse(text);
  Must(name.has_value());
  return *name;
}

SigningKey::SigningKey(uint8_t algorithm, uint16_t flags, int rsa_bits)
    : algorithm_(algorithm), key_(Generate(algorithm, rsa_bits), EVP_PKEY_free) {
  Must(key_ != nullptr);
  dnskey_ = DnskeyRdata(flags, algorithm, PublicKey(key_.get(), algorithm));
}

SigningKey SigningKey::Revoked() const {
  SigningKey revoked = *this;
  revoked.dnskey_[1] = static_cast<char>(revoked.dnskey_[1] | 0x80);
  return revoked;
}

uint16_t SigningKey::tag() const { return dns::KeyTag(Bytes(dnskey_)); }

std::string SigningKey::Ds(const dns::Name& zone, uint8_t digest_type) const {
  dns::DnssecCrypto crypto;
  std::string out;
  U16(tag(), &out);
  out.push_back(static_cast<char>(algorithm_));
  out.push_back(static_cast<char>(digest_type));
  const auto digest = crypto.DsDigest(digest_type, zone, Bytes(dnskey_));
  return out + (digest ? Text(digest->view()) : std::string(32, 'd'));
}

std::string SigningKey::Sign(const std::string& data) const {
  EVP_MD_CTX* ctx = EVP_MD_CTX_new();
  Must(EVP_DigestSignInit(ctx, nullptr, HashOf(algorithm_), nullptr, key_.get()) == 1);
  size_t size = 1024;
  std::string out(size, '\0');
  Must(EVP_DigestSign(ctx, reinterpret_cast<unsigned char*>(out.data()), &size,
                      reinterpret_cast<const unsigned char*>(data.data()), data.size()) == 1);
  EVP_MD_CTX_free(ctx);
  out.resize(size);
  if (algorithm_ == 13) return RawEcdsa(out, 32);
  if (algorithm_ == 14) return RawEcdsa(out, 48);
  return out;
}

std::string SigningKey::Rrsig(const dns::RRset& rrset, const dns::Name& signer,
                              const SignOptions& options) const {
  const dns::Name owner = options.signed_owner.value_or(rrset.owner);
  const int own_labels = owner.view().LabelCount() - (owner.view().IsWildcard() ? 1 : 0);
  const uint32_t ttl = options.original_ttl.value_or(rrset.ttl);
  std::string rdata;
  U16(static_cast<uint16_t>(rrset.type), &rdata);
  rdata.push_back(static_cast<char>(algorithm_));
  rdata.push_back(static_cast<char>(options.labels.value_or(static_cast<uint8_t>(own_labels))));
  U32(ttl, &rdata);
  U32(static_cast<uint32_t>(options.expiration), &rdata);
  U32(static_cast<uint32_t>(options.inception), &rdata);
  U16(tag(), &rdata);
  rdata += Text(signer.bytes());

  std::vector<std::string> all;
  for (const auto one : rrset.rdata) all.push_back(Text(one));
  std::sort(all.begin(), all.end());
  std::string data = rdata;
  for (const std::string& one : all) {
    data += Text(owner.bytes());
    U16(static_cast<uint16_t>(rrset.type), &data);
    U16(1, &data);
    U32(ttl, &data);
    U16(static_cast<uint32_t>(one.size()), &data);
    data += one;
  }
  return rdata + Sign(data);
}

std::string DnskeyWithTag(uint16_t tag, uint32_t seed) {
  std::string key;
  for (uint32_t i = 0; i < 8; ++i) U32(seed * 2654435761u + i * 40503u, &key);
  for (uint32_t low = 0; low < 0x10000; ++low) {
    key[0] = static_cast<char>(low >> 8);
    key[1] = static_cast<char>(low);
    std::string rdata = DnskeyRdata(256, 15, key);
    if (dns::KeyTag(Bytes(rdata)) == tag) return rdata;
  }
  std::abort();
}

}  // namespace sekisho::signed_test
