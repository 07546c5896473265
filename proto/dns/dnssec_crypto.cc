#include "proto/dns/dnssec_crypto.h"

#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/crypto.h>
#include <openssl/ec.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/param_build.h>
#include <openssl/rand.h>

#include <algorithm>
#include <cstdlib>
#include <cstring>
#include <new>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace sekisho::dns {
namespace {

template <auto Free>
struct Deleter {
  template <typename T>
  void operator()(T* p) const {
    Free(p);
  }
};
using KeyPtr = std::unique_ptr<EVP_PKEY, Deleter<EVP_PKEY_free>>;
using KeyCtxPtr = std::unique_ptr<EVP_PKEY_CTX, Deleter<EVP_PKEY_CTX_free>>;
using MdCtxPtr = std::unique_ptr<EVP_MD_CTX, Deleter<EVP_MD_CTX_free>>;
using MdPtr = std::unique_ptr<EVP_MD, Deleter<EVP_MD_free>>;
using NumberPtr = std::unique_ptr<BIGNUM, Deleter<BN_free>>;
using ParamBuildPtr = std::unique_ptr<OSSL_PARAM_BLD, Deleter<OSSL_PARAM_BLD_free>>;
using ParamsPtr = std::unique_ptr<OSSL_PARAM, Deleter<OSSL_PARAM_free>>;
using Bytes = std::span<const uint8_t>;

enum class Kind : uint8_t { kNone, kRsa, kEcdsa, kEdwards };
enum class Hash : uint8_t { kNone, kSha1, kSha256, kSha384, kSha512 };

// As operator new does. Null only for no bytes at all, or when nobody handles it.
template <typename Try>
void* Insist(size_t size, Try allocate) {
  while (true) {
    void* at = allocate();
    if (at != nullptr || size == 0) return at;
    const std::new_handler handler = std::get_new_handler();
    if (handler == nullptr) return nullptr;
    handler();
  }
}
void* Allocate(size_t size, const char*, int) {
  return Insist(size, [size] { return std::malloc(size); });
}
void* Reallocate(void* old, size_t size, const char*, int) {
  return Insist(size, [old, size] { return std::realloc(old, size); });
}
void Free(void* at, const char*, int) { std::free(at); }

struct Algorithm {
  Kind kind = Kind::kNone;
  Hash hash = Hash::kNone;
  const char* group = nullptr;  // OpenSSL's name of the curve
  size_t key_size = 0;          // exact, of ECDSA and Edwards keys
  size_t signature_size = 0;
};

constexpr Algorithm FindAlgorithm(uint8_t number) {
  switch (number) {
    case 5:  // RSASHA1, RFC 3110
    case 7:  // RSASHA1-NSEC3-SHA1, RFC 5155
      return {Kind::kRsa, Hash::kSha1};
    case 8:
      return {Kind::kRsa, Hash::kSha256};  // RFC 5702
    case 10:
      return {Kind::kRsa, Hash::kSha512};
    case 13:
      return {Kind::kEcdsa, Hash::kSha256, "P-256", 64, 64};  // RFC 6605
    case 14:
      return {Kind::kEcdsa, Hash::kSha384, "P-384", 96, 96};
    case 15:
      return {Kind::kEdwards, Hash::kNone, "ED25519", 32, 64};  // RFC 8080
    case 16:
      return {Kind::kEdwards, Hash::kNone, "ED448", 57, 114};
    default:
      return {};
  }
}

constexpr size_t kDnskeyHeader = 4;

// exponent | modulus of an RSA key, RFC 3110 section 2; empty spans when malformed.
struct RsaParts {
  Bytes exponent, modulus;
};
RsaParts SplitRsaKey(Bytes key) {
  if (key.empty()) return {};
  size_t length = key[0];
  size_t at = 1;
  if (length == 0) {
    if (key.size() < 3) return {};
    length = static_cast<size_t>(key[1]) << 8 | key[2];
    at = 3;
  }
  if (length == 0 || key.size() <= at + length) return {};
  return {key.subspan(at, length), key.subspan(at + length)};
}

int BitLength(Bytes number) {
  while (!number.empty() && number[0] == 0) number = number.subspan(1);
  if (number.empty()) return 0;
  int bits = static_cast<int>(number.size() - 1) * 8;
  for (uint8_t top = number[0]; top != 0; top = static_cast<uint8_t>(top >> 1)) ++bits;
  return bits;
}

KeyPtr KeyFromParams(const char* type, OSSL_PARAM* params) {
  const KeyCtxPtr ctx(EVP_PKEY_CTX_new_from_name(nullptr, type, nullptr));
  EVP_PKEY* key = nullptr;
  if (!ctx || EVP_PKEY_fromdata_init(ctx.get()) != 1) return nullptr;
  if (EVP_PKEY_fromdata(ctx.get(), &key, EVP_PKEY_PUBLIC_KEY, params) != 1) return nullptr;
  return KeyPtr(key);
}

KeyPtr MakeRsaKey(Bytes key, int min_bits) {
  const RsaParts parts = SplitRsaKey(key);
  const int bits = BitLength(parts.modulus);
  const int exponent_bits = BitLength(parts.exponent);
  if (bits < min_bits || bits > DnssecCrypto::kMaxRsaBits) return nullptr;
  if (exponent_bits < 2 || exponent_bits > DnssecCrypto::kMaxExponentBits) return nullptr;
  if ((parts.modulus.back() & 1) == 0 || (parts.exponent.back() & 1) == 0) return nullptr;
  const NumberPtr n(BN_bin2bn(parts.modulus.data(), static_cast<int>(parts.modulus.size()), nullptr));
  const NumberPtr e(BN_bin2bn(parts.exponent.data(), static_cast<int>(parts.exponent.size()), nullptr));
  const ParamBuildPtr build(OSSL_PARAM_BLD_new());
  if (!n || !e || !build || OSSL_PARAM_BLD_push_BN(build.get(), OSSL_PKEY_PARAM_RSA_N, n.get()) != 1 ||
      OSSL_PARAM_BLD_push_BN(build.get(), OSSL_PKEY_PARAM_RSA_E, e.get()) != 1) {
    return nullptr;
  }
  const ParamsPtr params(OSSL_PARAM_BLD_to_param(build.get()));
  return params ? KeyFromParams("RSA", params.get()) : nullptr;
}

// A key on the curve of `model`, which spares OpenSSL looking the curve up: a third of the cost. OpenSSL
// checks that the point is on the curve when it takes it in.
KeyPtr MakeEcKey(EVP_PKEY* model, Bytes key) {
  std::array<uint8_t, 97> point;
  point[0] = POINT_CONVERSION_UNCOMPRESSED;
  std::copy(key.begin(), key.end(), point.begin() + 1);
  KeyPtr made(EVP_PKEY_new());
  if (!made || EVP_PKEY_copy_parameters(made.get(), model) != 1 ||
      EVP_PKEY_set1_encoded_public_key(made.get(), point.data(), key.size() + 1) != 1) {
    return nullptr;
  }
  return made;
}

KeyPtr MakeKey(const Algorithm& algorithm, Bytes key, int min_rsa_bits, const KeyPtr& p256,
               const KeyPtr& p384) {
  if (algorithm.kind == Kind::kRsa) return MakeRsaKey(key, min_rsa_bits);
  if (key.size() != algorithm.key_size) return nullptr;
  if (algorithm.kind == Kind::kEcdsa) {
    return MakeEcKey((algorithm.signature_size == 64 ? p256 : p384).get(), key);
  }
  return KeyPtr(EVP_PKEY_new_raw_public_key_ex(nullptr, algorithm.group, nullptr, key.data(), key.size()));
}

// ECDSA-Sig-Value := 0x30 length INTEGER(r) INTEGER(s)         INTEGER := 0x02 length bytes, positive,
// shortest Lengths stay below 128 for 48-byte numbers, so each takes one byte. Returns the size written.
size_t EcdsaToDer(Bytes signature, std::array<uint8_t, 112>* out) {
  size_t at = 2;
  const size_t half = signature.size() / 2;
  for (Bytes number : {signature.first(half), signature.subspan(half)}) {
    while (number.size() > 1 && number[0] == 0) number = number.subspan(1);
    const bool pad = (number[0] & 0x80) != 0;
    (*out)[at++] = 0x02;
    (*out)[at++] = static_cast<uint8_t>(number.size() + (pad ? 1 : 0));
    if (pad) (*out)[at++] = 0;
    std::copy(number.begin(), number.end(), out->begin() + static_cast<std::ptrdiff_t>(at));
    at += number.size();
  }
  (*out)[0] = 0x30;
  (*out)[1] = static_cast<uint8_t>(at - 2);
  return at;
}

}  // namespace

void SendOpenSslToTheNewHandler() { CRYPTO_set_mem_functions(&Allocate, &Reallocate, &Free); }

bool IsSupportedAlgorithm(uint8_t algorithm) { return FindAlgorithm(algorithm).kind != Kind::kNone; }

bool IsSupportedDigest(uint8_t digest_type) {
  return digest_type == 1 || digest_type == 2 || digest_type == 4;
}

uint16_t KeyTag(std::span<const uint8_t> rdata) {
  if (rdata.size() > 6 && rdata[3] == 1) {  // RSA/MD5: two bytes of the modulus, RFC 4034 appendix B.1
    return static_cast<uint16_t>(rdata[rdata.size() - 3] << 8 | rdata[rdata.size() - 2]);
  }
  uint32_t sum = 0;
  for (size_t i = 0; i < rdata.size(); ++i) sum += i % 2 == 0 ? uint32_t{rdata[i]} << 8 : rdata[i];
  return static_cast<uint16_t>(sum + (sum >> 16));
}

struct DnssecCrypto::Impl {
  // The first half of a digest; the second one says where it stands.
  using Proof = std::array<uint8_t, 16>;
  struct Slot {
    std::string rdata;
    KeyPtr key;  // null with non-empty rdata: known to be malformed
  };

  int min_rsa_bits = kMinRsaBits;
  MdPtr sha1{EVP_MD_fetch(nullptr, "SHA1", nullptr)};
  MdPtr sha256{EVP_MD_fetch(nullptr, "SHA256", nullptr)};
  MdPtr sha384{EVP_MD_fetch(nullptr, "SHA384", nullptr)};
  MdPtr sha512{EVP_MD_fetch(nullptr, "SHA512", nullptr)};
  KeyPtr p256{EVP_EC_gen("P-256")};  // of their curves only the parameters are used
  KeyPtr p384{EVP_EC_gen("P-384")};
  MdCtxPtr verify{EVP_MD_CTX_new()};
  MdCtxPtr digest{EVP_MD_CTX_new()};
  std::array<Slot, kKeySlots> slots;
  std::array<uint8_t, 32> secret;
  std::vector<Proof> proofs = std::vector<Proof>(kProofSlots);

  const EVP_MD* Md(Hash hash) const {
    switch (hash) {
      case Hash::kSha1:
        return sha1.get();
      case Hash::kSha256:
        return sha256.get();
      case Hash::kSha384:
        return sha384.get();
      case Hash::kSha512:
        return sha512.get();
      case Hash::kNone:
        break;
    }
    return nullptr;
  }

  // The key of a DNSKEY RDATA, made once; null when malformed. One slot a place: a key that collides is made
  // anew.
  EVP_PKEY* Key(const Algorithm& algorithm, Bytes rdata) {
    const std::string_view text(reinterpret_cast<const char*>(rdata.data()), rdata.size());
    Slot& slot = slots[std::hash<std::string_view>()(text) % kKeySlots];
    if (slot.rdata != text) {
      slot.key = MakeKey(algorithm, rdata.subspan(kDnskeyHeader), min_rsa_bits, p256, p384);
      slot.rdata = text;
    }
    return slot.key.get();
  }

  // Over all that a verification depends on. The secret keeps anybody from looking for two verifications that
  // share one.
  DigestValue DigestOf(uint8_t algorithm, Bytes key, Bytes data, Bytes signature) {
    const std::array<uint32_t, 3> sizes = {algorithm, static_cast<uint32_t>(key.size()),
                                           static_cast<uint32_t>(data.size())};
    EVP_MD_CTX* ctx = digest.get();
    DigestValue out;
    if (EVP_DigestInit_ex(ctx, sha256.get(), nullptr) != 1 ||
        EVP_DigestUpdate(ctx, secret.data(), secret.size()) != 1 ||
        EVP_DigestUpdate(ctx, sizes.data(), sizeof(sizes)) != 1 ||
        EVP_DigestUpdate(ctx, key.data(), key.size()) != 1 ||
        EVP_DigestUpdate(ctx, data.data(), data.size()) != 1 ||
        EVP_DigestUpdate(ctx, signature.data(), signature.size()) != 1 ||
        EVP_DigestFinal_ex(ctx, out.bytes.data(), nullptr) != 1) {
      return out;
    }
    out.size = 32;
    return out;
  }

  // Where a verification is remembered when it succeeded; one slot a place, the newest stays.
  Proof& ProofSlot(const DigestValue& of) {
    uint32_t place = 0;
    std::memcpy(&place, of.bytes.data() + sizeof(Proof), sizeof(place));
    return proofs[place % kProofSlots];
  }

  bool Verify(const Algorithm& algorithm, EVP_PKEY* key, Bytes data, Bytes signature) {
    EVP_MD_CTX_reset(verify.get());
    if (EVP_DigestVerifyInit(verify.get(), nullptr, Md(algorithm.hash), nullptr, key) != 1) return false;
    return EVP_DigestVerify(verify.get(), signature.data(), signature.size(), data.data(), data.size()) == 1;
  }
};

DnssecCrypto::DnssecCrypto(int min_rsa_bits) : impl_(std::make_unique<Impl>()) {
  impl_->min_rsa_bits = std::clamp(min_rsa_bits, kMinRsaBits, kMaxRsaBits);
  if (RAND_bytes(impl_->secret.data(), static_cast<int>(impl_->secret.size())) != 1) std::abort();
}

DnssecCrypto::~DnssecCrypto() = default;

SigResult DnssecCrypto::VerifySignature(uint8_t algorithm_number, std::span<const uint8_t> dnskey_rdata,
                                        std::span<const uint8_t> signed_bytes,
                                        std::span<const uint8_t> signature) {
  const Algorithm algorithm = FindAlgorithm(algorithm_number);
  if (algorithm.kind == Kind::kNone) return SigResult::kUnsupported;
  constexpr uint8_t kDnssecProtocol = 3;
  if (dnskey_rdata.size() <= kDnskeyHeader || dnskey_rdata[2] != kDnssecProtocol ||
      dnskey_rdata[3] != algorithm_number) {
    return SigResult::kBadKey;
  }
  const DigestValue digest = impl_->DigestOf(algorithm_number, dnskey_rdata, signed_bytes, signature);
  Impl::Proof& proven = impl_->ProofSlot(digest);
  if (digest.size > 0 && std::equal(proven.begin(), proven.end(), digest.bytes.begin()))
    return SigResult::kValid;
  EVP_PKEY* key = impl_->Key(algorithm, dnskey_rdata);
  if (key == nullptr) {
    ERR_clear_error();
    return SigResult::kBadKey;
  }
  if (algorithm.kind == Kind::kRsa) {
    if (signature.size() != static_cast<size_t>(EVP_PKEY_get_size(key))) return SigResult::kBadSignature;
  } else if (signature.size() != algorithm.signature_size) {
    return SigResult::kBadSignature;
  }
  bool good = false;
  if (algorithm.kind == Kind::kEcdsa) {
    std::array<uint8_t, 112> der;
    const size_t size = EcdsaToDer(signature, &der);
    good = impl_->Verify(algorithm, key, signed_bytes, Bytes(der).first(size));
  } else {
    good = impl_->Verify(algorithm, key, signed_bytes, signature);
  }
  // What a failure leaves in this thread's error queue would be taken for its own by the next TLS call.
  if (!good) ERR_clear_error();
  if (good && digest.size > 0) std::copy_n(digest.bytes.begin(), proven.size(), proven.begin());
  return good ? SigResult::kValid : SigResult::kInvalid;
}

std::optional<DigestValue> DnssecCrypto::DsDigest(uint8_t digest_type, NameView owner,
                                                  std::span<const uint8_t> dnskey_rdata) {
  if (!IsSupportedDigest(digest_type)) return std::nullopt;
  const Hash hash = digest_type == 1 ? Hash::kSha1 : digest_type == 2 ? Hash::kSha256 : Hash::kSha384;
  uint8_t name[kMaxNameSize];
  std::transform(owner.data(), owner.data() + owner.size(), name, LowercaseByte);
  EVP_MD_CTX* ctx = impl_->digest.get();
  DigestValue out;
  unsigned size = 0;
  if (EVP_DigestInit_ex(ctx, impl_->Md(hash), nullptr) != 1 ||
      EVP_DigestUpdate(ctx, name, owner.size()) != 1 ||
      EVP_DigestUpdate(ctx, dnskey_rdata.data(), dnskey_rdata.size()) != 1 ||
      EVP_DigestFinal_ex(ctx, out.bytes.data(), &size) != 1) {
    return std::nullopt;
  }
  out.size = size;
  return out;
}

Nsec3HashValue DnssecCrypto::Nsec3Hash(NameView name, std::span<const uint8_t> salt, uint16_t iterations) {
  // One buffer of what is hashed, then hash | salt again and again: one call of the digest a round.
  std::array<uint8_t, kMaxNameSize + 255> input;
  const size_t salt_size = std::min<size_t>(salt.size(), 255);
  std::transform(name.data(), name.data() + name.size(), input.begin(), LowercaseByte);
  std::copy_n(salt.begin(), salt_size, input.begin() + name.size());
  size_t size = name.size() + salt_size;
  Nsec3HashValue out{};
  EVP_MD_CTX* ctx = impl_->digest.get();
  const EVP_MD* md = impl_->sha1.get();
  for (uint32_t round = 0; round <= iterations; ++round) {
    EVP_DigestInit_ex(ctx, md, nullptr);
    EVP_DigestUpdate(ctx, input.data(), size);
    EVP_DigestFinal_ex(ctx, out.data(), nullptr);
    if (round == 0) std::copy_n(salt.begin(), salt_size, input.begin() + out.size());
    std::copy(out.begin(), out.end(), input.begin());
    size = out.size() + salt_size;
  }
  return out;
}

}  // namespace sekisho::dns
