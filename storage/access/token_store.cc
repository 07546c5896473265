// File: one line a token, eight fields parted by tabs:
//   id hash role scope agencies(comma) created-us expires-us name
#include "storage/access/token_store.h"

#include <fcntl.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <cstring>
#include <fstream>
#include <iterator>
#include <sstream>

namespace sekisho::access {
namespace {

constexpr std::string_view kMark = "skt_";
constexpr size_t kIdSize = 8;
constexpr size_t kHexSize = 64;
constexpr size_t kFields = 8;
constexpr size_t kMaxNameSize = 200;

std::string Hex(std::span<const uint8_t> bytes) {
  constexpr std::string_view kDigits = "0123456789abcdef";
  std::string out;
  for (const uint8_t b : bytes) {
    out += kDigits[b >> 4];
    out += kDigits[b & 15];
  }
  return out;
}

bool IsHex(std::string_view text, size_t size) {
  return text.size() == size && text.find_first_not_of("0123456789abcdef") == std::string_view::npos;
}

// Text that stands in a field of its own line.
bool IsPlain(std::string_view text) {
  return text.size() <= kMaxNameSize &&
         std::ranges::none_of(text, [](char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7f; });
}

std::vector<std::string> Split(std::string_view text, char at) {
  std::vector<std::string> out;
  for (;;) {
    const size_t end = text.find(at);
    out.emplace_back(text.substr(0, end));
    if (end == std::string_view::npos) return out;
    text.remove_prefix(end + 1);
  }
}

bool ReadNumber(std::string_view text, int64_t* out) {
  const auto r = std::from_chars(text.data(), text.data() + text.size(), *out);
  return r.ec == std::errc() && r.ptr == text.data() + text.size();
}

template <typename E, size_t n>
std::optional<E> ByName(const std::string_view (&names)[n], std::string_view text) {
  const auto* at = std::ranges::find(names, text);
  if (at == std::end(names)) return std::nullopt;
  return static_cast<E>(at - std::begin(names));
}

std::optional<Token> ParseLine(const std::string& line) {
  const std::vector<std::string> f = Split(line, '\t');
  if (f.size() != kFields) return std::nullopt;
  Token t;
  t.id = f[0];
  t.hash = f[1];
  const auto role = ParseRole(f[2]);
  const auto scope = ParseScope(f[3]);
  if (!IsHex(t.id, kIdSize) || !IsHex(t.hash, kHexSize) || !role || !scope) return std::nullopt;
  t.role = *role;
  t.scope = *scope;
  if (!f[4].empty()) t.agencies = Split(f[4], ',');
  if (!ReadNumber(f[5], &t.created_us) || !ReadNumber(f[6], &t.expires_us)) return std::nullopt;
  t.name = f[7];
  if (t.role == Role::kAgency && t.agencies.empty()) return std::nullopt;
  return t;
}

std::string LineOf(const Token& t) {
  std::string agencies;
  for (const std::string& a : t.agencies) agencies += (agencies.empty() ? "" : ",") + a;
  return t.id + "\t" + t.hash + "\t" + std::string(kRoleNames[static_cast<size_t>(t.role)]) + "\t" +
         std::string(kScopeNames[static_cast<size_t>(t.scope)]) + "\t" + agencies + "\t" +
         std::to_string(t.created_us) + "\t" + std::to_string(t.expires_us) + "\t" + t.name + "\n";
}

std::string StampOf(const std::string& path) {
  struct stat s{};
  if (stat(path.c_str(), &s) != 0) return "-";
  return std::to_string(s.st_ino) + "." + std::to_string(s.st_size) + "." + std::to_string(s.st_mtim.tv_sec) +
         "." + std::to_string(s.st_mtim.tv_nsec);
}

}  // namespace

std::optional<Role> ParseRole(std::string_view text) { return ByName<Role>(kRoleNames, text); }
std::optional<Scope> ParseScope(std::string_view text) { return ByName<Scope>(kScopeNames, text); }

std::string Sha256Hex(std::string_view bytes) {
  std::array<uint8_t, 32> out{};
  unsigned int size = 0;
  EVP_Digest(bytes.data(), bytes.size(), out.data(), &size, EVP_sha256(), nullptr);
  return Hex(out);
}

std::string_view IdOfTokenText(std::string_view text) {
  if (text.size() != kMark.size() + kIdSize + 1 + kHexSize || !text.starts_with(kMark)) return {};
  const std::string_view id = text.substr(kMark.size(), kIdSize);
  if (text[kMark.size() + kIdSize] != '_' || !IsHex(id, kIdSize)) return {};
  return id;
}

std::optional<TokenStore> TokenStore::Load(const std::string& path, std::string* error) {
  TokenStore store;
  struct stat s{};
  if (stat(path.c_str(), &s) != 0) {
    if (errno == ENOENT) return store;
    *error = path + ": " + std::strerror(errno);
    return std::nullopt;
  }
  if (static_cast<size_t>(s.st_size) > kMaxTokenFile) {
    *error = path + ": larger than " + std::to_string(kMaxTokenFile) + " bytes";
    return std::nullopt;
  }
  std::ifstream in(path);
  if (!in) {
    *error = path + ": " + std::strerror(errno);
    return std::nullopt;
  }
  std::string line;
  for (size_t number = 1; std::getline(in, line); ++number) {
    auto token = ParseLine(line);
    if (!token || store.tokens_.size() >= kMaxTokens) {
      *error = path + ": line " + std::to_string(number) + (token ? ": too many tokens" : ": not a token");
      return std::nullopt;
    }
    store.tokens_.push_back(std::move(*token));
  }
  return store;
}

bool TokenStore::Add(Token token, Rng& rng, std::string* text, std::string* error) {
  const auto refuse = [error](const char* why) {
    *error = why;
    return false;
  };
  if (tokens_.size() >= kMaxTokens) return refuse("there are too many tokens; remove some");
  if (token.name.empty() || !IsPlain(token.name))
    return refuse("the name must be 1 to 200 characters, without control characters");
  for (const std::string& agency : token.agencies) {
    if (agency.empty() || !IsPlain(agency) || agency.find(',') != std::string::npos)
      return refuse("an agency's name is wrong");
  }
  if (token.role == Role::kAgency && token.agencies.empty())
    return refuse("the role agency needs at least one --agency");
  if (token.role != Role::kAgency && !token.agencies.empty())
    return refuse("--agency goes with the role agency alone");
  if (token.role != Role::kAnalyst && token.scope != Scope::kAll)
    return refuse("--scope goes with the role analyst alone");
  std::array<uint8_t, 4> id{};
  std::array<uint8_t, 32> secret{};
  do {
    rng.Fill(id);
    token.id = Hex(id);
  } while (std::ranges::any_of(tokens_, [&](const Token& t) { return t.id == token.id; }));
  rng.Fill(secret);
  const std::string hex = Hex(secret);
  token.hash = Sha256Hex(hex);
  *text = std::string(kMark) + token.id + "_" + hex;
  tokens_.push_back(std::move(token));
  return true;
}

bool TokenStore::Remove(std::string_view id) {
  return std::erase_if(tokens_, [id](const Token& t) { return t.id == id; }) > 0;
}

bool TokenStore::Save(const std::string& path, std::string* error) const {
  const std::string fresh = path + ".new";
  std::string text;
  for (const Token& t : tokens_) text += LineOf(t);
  const int fd = open(fresh.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0640);
  bool good = fd >= 0;
  for (size_t at = 0; good && at < text.size();) {
    const ssize_t n = write(fd, text.data() + at, text.size() - at);
    good = n > 0;
    if (good) at += static_cast<size_t>(n);
  }
  good = good && fsync(fd) == 0;
  if (!good) *error = fresh + ": " + std::strerror(errno);
  if (fd >= 0) close(fd);
  if (!good) return false;
  if (rename(fresh.c_str(), path.c_str()) == 0) return true;
  *error = path + ": " + std::strerror(errno);
  return false;
}

const Token* TokenStore::Find(std::string_view text) const {
  const std::string_view id = IdOfTokenText(text);
  if (id.empty()) return nullptr;
  const std::string hash = Sha256Hex(text.substr(text.size() - kHexSize));
  for (const Token& t : tokens_) {
    if (t.id == id) return CRYPTO_memcmp(t.hash.data(), hash.data(), kHexSize) == 0 ? &t : nullptr;
  }
  return nullptr;
}

std::shared_ptr<const TokenStore> TokenWatch::Current(std::string* error) {
  const std::lock_guard<std::mutex> lock(mutex_);
  const std::string stamp = StampOf(path_);
  if (stamp != stamp_) {
    error_.clear();
    auto loaded = TokenStore::Load(path_, &error_);
    store_ = loaded ? std::make_shared<const TokenStore>(std::move(*loaded)) : nullptr;
    stamp_ = stamp;
  }
  *error = error_;
  return store_;
}

}  // namespace sekisho::access
