// Tsig: signs one question with a shared key and checks what comes back, over as many messages as it takes.
//
//   TsigSession session(key);
//   session.Sign(&query, now);
//   while (…a message came…) if (session.Check(message, parsed, now) == TsigCheck::kBad) …give up
//   if (!session.settled()) …the last message was not signed: give up
//
// Messages between signed ones may come unsigned; the next signature covers them, too.
//
// Threads: one. Limits: at most kMaxUnsigned messages in a row without a signature.
// Standards: RFC 8945 (sections 4, 5.3 and 5.3.1), with SHA-256, SHA-384 and SHA-512.
#ifndef SEKISHO_PROTO_DNS_TSIG_H_
#define SEKISHO_PROTO_DNS_TSIG_H_

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "proto/base/now.h"
#include "proto/dns/message.h"
#include "proto/dns/name.h"

namespace sekisho::dns {

enum class TsigAlgorithm : uint8_t { kSha256, kSha384, kSha512 };
// "hmac-sha256", "hmac-sha384", "hmac-sha512".
std::optional<TsigAlgorithm> ParseTsigAlgorithm(std::string_view text);

struct TsigKey {
  Name name;
  TsigAlgorithm algorithm = TsigAlgorithm::kSha256;
  std::string secret;
};

// RFC 4648 section 4, blanks around it allowed; nothing when it is none or empty.
std::optional<std::string> ParseBase64(std::string_view text);

enum class TsigCheck : uint8_t {
  kSigned,
  kUnsigned,  // covered by a signature still to come
  kBad,       // error() says why
};

class TsigSession {
 public:
  static constexpr int kMaxUnsigned = 99;

  explicit TsigSession(TsigKey key) : key_(std::move(key)) {}

  // Adds the record to a whole message without one.
  void Sign(std::vector<uint8_t>* query, WallTime now);
  TsigCheck Check(std::span<const uint8_t> message, const ParsedMessage& parsed, WallTime now);
  // Everything so far is covered by a signature.
  bool settled() const { return first_done_ && unsigned_ == 0; }
  const std::string& error() const { return error_; }

 private:
  TsigCheck Bad(std::string why);
  std::string Mac(std::string_view bytes) const;
  // What is signed beside the message: key, time and error (RFC 8945 section 4.3.3).
  std::string Variables(uint64_t time, uint16_t fudge, uint16_t error, std::string_view other) const;

  TsigKey key_;
  std::string mac_;      // the last one
  std::string pending_;  // messages since then
  int unsigned_ = 0;
  bool first_done_ = false;
  std::string error_;
};

}  // namespace sekisho::dns

#endif  // SEKISHO_PROTO_DNS_TSIG_H_
