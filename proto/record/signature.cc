//   key file := "ed25519 " secret, 64 hex digits "\n"          public file := "ed25519 " key, 64 hex digits
//   "\n"
#include "proto/record/signature.h"

#include <fcntl.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <openssl/rand.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <fstream>

#include "proto/base/bytes.h"

namespace sekisho::record {
namespace {

constexpr std::string_view kPrefix = "ed25519 ";

struct FreeKey {
  void operator()(EVP_PKEY* k) const { EVP_PKEY_free(k); }
};
struct FreeContext {
  void operator()(EVP_MD_CTX* c) const { EVP_MD_CTX_free(c); }
};
using Key = std::unique_ptr<EVP_PKEY, FreeKey>;
using Context = std::unique_ptr<EVP_MD_CTX, FreeContext>;

bool WriteWhole(int fd, std::string_view text) {
  while (!text.empty()) {
    const ssize_t n = write(fd, text.data(), text.size());
    if (n <= 0) return false;
    text.remove_prefix(static_cast<size_t>(n));
  }
  return fsync(fd) == 0;
}

}  // namespace

std::string Hex(std::span<const uint8_t> bytes) {
  static constexpr char kDigits[] = "0123456789abcdef";
  std::string out;
  for (const uint8_t b : bytes) out += {kDigits[b >> 4], kDigits[b & 15]};
  return out;
}

bool FromHex(std::string_view text, std::span<uint8_t> out) {
  if (text.size() != 2 * out.size()) return false;
  const auto digit = [](char c) {
    return c >= '0' && c <= '9' ? c - '0' : c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
  };
  for (size_t i = 0; i < out.size(); ++i) {
    const int high = digit(text[2 * i]);
    const int low = digit(text[2 * i + 1]);
    if (high < 0 || low < 0) return false;
    out[i] = static_cast<uint8_t>(high * 16 + low);
  }
  return true;
}

bool ReplaceFile(const std::string& path, std::string_view text, unsigned mode) {
  const std::string hidden = path + ".new";
  const int fd = open(hidden.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, mode);
  if (fd < 0) return false;
  const bool written = WriteWhole(fd, text);
  if (close(fd) != 0 || !written || rename(hidden.c_str(), path.c_str()) != 0) return false;
  const size_t slash = path.rfind('/');
  const std::string folder = slash == std::string::npos ? "." : path.substr(0, slash);
  const int dir = open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (dir < 0) return false;
  const bool durable = fsync(dir) == 0;
  close(dir);
  return durable;
}

std::unique_ptr<SigningKey> SigningKey::LoadOrMake(const std::string& path, std::string* error) {
  std::unique_ptr<SigningKey> key(new SigningKey);
  std::ifstream in(path);
  if (in) {
    std::string line;
    std::getline(in, line);
    if (!line.starts_with(kPrefix) || !FromHex(line.substr(kPrefix.size()), key->secret_)) {
      *error = path + " is not a signing key";
      return nullptr;
    }
  } else if (errno != ENOENT) {
    *error = "cannot read " + path + ": " + std::strerror(errno);
    return nullptr;
  } else {
    if (RAND_priv_bytes(key->secret_.data(), static_cast<int>(key->secret_.size())) != 1 ||
        !ReplaceFile(path, std::string(kPrefix) + Hex(key->secret_) + "\n", 0600)) {
      *error = "cannot write " + path;
      return nullptr;
    }
  }
  const Key raw(
      EVP_PKEY_new_raw_private_key(EVP_PKEY_ED25519, nullptr, key->secret_.data(), key->secret_.size()));
  size_t size = key->public_.size();
  if (!raw || EVP_PKEY_get_raw_public_key(raw.get(), key->public_.data(), &size) != 1) {
    *error = path + " does not hold a usable key";
    return nullptr;
  }
  const std::string text = std::string(kPrefix) + Hex(key->public_) + "\n";
  std::ifstream known(path + ".pub");
  std::string line;
  if ((!std::getline(known, line) || line + "\n" != text) && !ReplaceFile(path + ".pub", text, 0644)) {
    *error = "cannot write " + path + ".pub";
    return nullptr;
  }
  return key;
}

std::optional<Signature> SigningKey::Sign(std::string_view message) const {
  const Key raw(EVP_PKEY_new_raw_private_key(EVP_PKEY_ED25519, nullptr, secret_.data(), secret_.size()));
  const Context context(EVP_MD_CTX_new());
  Signature out{};
  size_t size = out.size();
  const auto bytes = AsBytes(message);
  if (!raw || !context || EVP_DigestSignInit(context.get(), nullptr, nullptr, nullptr, raw.get()) != 1 ||
      EVP_DigestSign(context.get(), out.data(), &size, bytes.data(), bytes.size()) != 1) {
    return std::nullopt;
  }
  return out;
}

std::array<uint8_t, 32> SigningKey::Derive(std::string_view label) const {
  return KeyedHash(secret_, AsBytes(label));
}

bool VerifySignature(const PublicKey& key, std::string_view message, const Signature& signature) {
  const Key raw(EVP_PKEY_new_raw_public_key(EVP_PKEY_ED25519, nullptr, key.data(), key.size()));
  const Context context(EVP_MD_CTX_new());
  const auto bytes = AsBytes(message);
  return raw && context && EVP_DigestVerifyInit(context.get(), nullptr, nullptr, nullptr, raw.get()) == 1 &&
         EVP_DigestVerify(context.get(), signature.data(), signature.size(), bytes.data(), bytes.size()) == 1;
}

std::array<uint8_t, 32> KeyedHash(std::span<const uint8_t> key, std::span<const uint8_t> message) {
  std::array<uint8_t, 32> out{};
  unsigned size = 0;
  HMAC(EVP_sha256(), key.data(), static_cast<int>(key.size()), message.data(), message.size(), out.data(),
       &size);
  return out;
}

}  // namespace sekisho::record
