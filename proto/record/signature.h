// Signature: Ed25519 keys and signatures, for what the log must be able to prove.
//
//   auto key = SigningKey::LoadOrMake(path, &error);   Hex(key->Sign(text));   Verify(public_key, text,
//   signature)
//
// Threads: a key may be used by any thread. Limits: files of a few hundred bytes. Standards: RFC 8032.
#ifndef SEKISHO_PROTO_RECORD_SIGNATURE_H_
#define SEKISHO_PROTO_RECORD_SIGNATURE_H_

#include <array>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>

namespace sekisho::record {

using PublicKey = std::array<uint8_t, 32>;
using Signature = std::array<uint8_t, 64>;

class SigningKey {
 public:
  // Reads the key, or makes one (mode 0600, made durable) and writes its public half to `path`.pub. Null and
  // *error when the file cannot be used.
  static std::unique_ptr<SigningKey> LoadOrMake(const std::string& path, std::string* error);

  const PublicKey& public_key() const { return public_; }
  // Nothing when the cryptography failed.
  std::optional<Signature> Sign(std::string_view message) const;
  // A key for another purpose, named by `label`.
  std::array<uint8_t, 32> Derive(std::string_view label) const;

 private:
  SigningKey() = default;
  std::array<uint8_t, 32> secret_{};
  PublicKey public_{};
};

bool VerifySignature(const PublicKey& key, std::string_view message, const Signature& signature);
// HMAC-SHA-256.
std::array<uint8_t, 32> KeyedHash(std::span<const uint8_t> key, std::span<const uint8_t> message);

std::string Hex(std::span<const uint8_t> bytes);
// Exactly `out.size()` bytes of lower-case digits.
bool FromHex(std::string_view text, std::span<uint8_t> out);

// Writes the file under another name, makes it durable and gives it its name.
bool ReplaceFile(const std::string& path, std::string_view text, unsigned mode);

}  // namespace sekisho::record

#endif  // SEKISHO_PROTO_RECORD_SIGNATURE_H_
