// TokenStore: who may ask the log over HTTP — named tokens with a role, kept as hashes in one file.
//
//   sekisho token add --name soc --role analyst   →  skt_1f2e3d4c_<64 hex digits>, shown once
//   tokens line = id TAB sha256-of-secret TAB role TAB scope TAB agencies TAB created TAB expires TAB name LF
//
// The secret is 256 random bits, so a plain hash keeps it: there is no dictionary to try. Of the file only
// the hashes can be stolen. The tool writes it (rename), logd reads it again when it changed.
//
// Threads: a TokenStore is used by one thread at a time; TokenWatch by any number. Limits: kMaxTokens tokens,
// a file of kMaxTokenFile bytes. Standards: RFC 6750 (bearer tokens).
#ifndef SEKISHO_STORAGE_ACCESS_TOKEN_STORE_H_
#define SEKISHO_STORAGE_ACCESS_TOKEN_STORE_H_

#include <cstdint>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "proto/base/rng.h"

namespace sekisho::access {

inline constexpr size_t kMaxTokens = 4096;
inline constexpr size_t kMaxTokenFile = size_t{4} << 20;

enum class Role : uint8_t {
  kAgency,        // rows of its own agencies
  kAnalyst,       // rows of its scope
  kFeedOperator,  // counts without clients and agencies
  kAuditor,       // the record of searches, no lookups
};
inline constexpr std::string_view kRoleNames[] = {"agency", "analyst", "feed-operator", "auditor"};
std::optional<Role> ParseRole(std::string_view text);

// Which agencies an analyst sees: all, or those of one operation centre (agencies[].gsoc).
enum class Scope : uint8_t { kAll, kFirst, kSecond };
inline constexpr std::string_view kScopeNames[] = {"all", "first", "second"};
std::optional<Scope> ParseScope(std::string_view text);

struct Token {
  std::string id = {};    // 8 hex digits; no secret
  std::string hash = {};  // 64 hex digits
  Role role = Role::kAgency;
  Scope scope = Scope::kAll;          // of analysts
  std::vector<std::string> agencies = {};  // of the role agency: at least one
  int64_t created_us = 0;
  int64_t expires_us = 0;  // 0: never
  std::string name = {};        // whose it is
};

std::string Sha256Hex(std::string_view bytes);

class TokenStore {
 public:
  // A file that is not there is no token. Nothing and *error when it cannot be read or a line is wrong.
  static std::optional<TokenStore> Load(const std::string& path, std::string* error);

  // Makes a token of these properties (id and hash are made here); what the user presents is put into *text.
  // False and *error: a property does not hold what it should.
  bool Add(Token token, Rng& rng, std::string* text, std::string* error);
  // By id; false when there is none.
  bool Remove(std::string_view id);
  // Replaces the file whole, readable by its owner and group alone.
  bool Save(const std::string& path, std::string* error) const;

  const std::vector<Token>& tokens() const { return tokens_; }
  // The token that `text` presents, whether it has expired or not; null when there is none such. Takes the
  // same time wherever the secret differs.
  const Token* Find(std::string_view text) const;

 private:
  std::vector<Token> tokens_;
};

// The id in what a user presents, for counting failures; empty when it has not the form of a token.
std::string_view IdOfTokenText(std::string_view text);

// The tokens of a file as it stands now.
class TokenWatch {
 public:
  explicit TokenWatch(std::string path) : path_(std::move(path)) {}
  // Null and *error when the file cannot be read: then nobody is let in.
  std::shared_ptr<const TokenStore> Current(std::string* error);

 private:
  const std::string path_;
  std::mutex mutex_;
  std::string stamp_;  // of the file that `store_` was read from
  std::string error_;
  std::shared_ptr<const TokenStore> store_;
};

}  // namespace sekisho::access

#endif  // SEKISHO_STORAGE_ACCESS_TOKEN_STORE_H_
