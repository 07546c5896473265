// tsig   := owner (the key's name) | type 250 | class ANY | ttl 0 | u16 rdlength | rdata
// rdata  := algorithm name | u48 time | u16 fudge | u16 size | mac | u16 original id | u16 error | u16 size |
// other signed := [u16 size | the MAC before] message* (variables | timers) variables := key name | class ANY
// | ttl 0 | algorithm name | u48 time | u16 fudge | u16 error | u16 size | other timers := u48 time | u16
// fudge                       of all messages of a reply but the first
#include "proto/dns/tsig.h"

#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>

#include <algorithm>
#include <array>
#include <utility>

#include "proto/base/bytes.h"

namespace sekisho::dns {
namespace {

constexpr uint16_t kFudge = 300;

constexpr std::array<std::string_view, 3> kNames = {"hmac-sha256", "hmac-sha384", "hmac-sha512"};

const EVP_MD* DigestOf(TsigAlgorithm algorithm) {
  switch (algorithm) {
    case TsigAlgorithm::kSha384:
      return EVP_sha384();
    case TsigAlgorithm::kSha512:
      return EVP_sha512();
    case TsigAlgorithm::kSha256:
      break;
  }
  return EVP_sha256();
}

Name NameOf(TsigAlgorithm algorithm) {
  return Name::Parse(kNames[static_cast<size_t>(algorithm)]).value_or(Name());
}

void PutBig(std::string* out, uint64_t value, int bytes) {
  for (int i = bytes - 1; i >= 0; --i) out->push_back(static_cast<char>(value >> (8 * i)));
}

uint64_t Seconds(WallTime now) { return static_cast<uint64_t>(UnixMicros(now) / 1'000'000); }

struct TsigView {
  std::string algorithm;  // lower-cased wire form
  uint64_t time = 0;
  uint16_t fudge = 0;
  std::span<const uint8_t> mac;
  uint16_t original_id = 0;
  uint16_t error = 0;
  std::span<const uint8_t> other;
};

std::optional<TsigView> ReadTsig(std::span<const uint8_t> rdata) {
  size_t end = 0;
  while (end < rdata.size() && rdata[end] != 0 && rdata[end] < 64) end += rdata[end] + size_t{1};
  if (end >= rdata.size() || rdata[end] != 0) return std::nullopt;
  const auto name = Name::FromWire(rdata.first(end + 1));
  if (!name) return std::nullopt;
  TsigView v;
  v.algorithm = name->LowercaseBytes();
  ByteReader r(rdata.subspan(end + 1));
  v.time = uint64_t{r.U16()} << 32;
  v.time |= r.U32();
  v.fudge = r.U16();
  v.mac = r.Take(r.U16());
  v.original_id = r.U16();
  v.error = r.U16();
  v.other = r.Take(r.U16());
  if (!r.ok() || r.left() != 0) return std::nullopt;
  return v;
}

}  // namespace

std::optional<TsigAlgorithm> ParseTsigAlgorithm(std::string_view text) {
  for (size_t i = 0; i < kNames.size(); ++i) {
    if (kNames[i] == text) return static_cast<TsigAlgorithm>(i);
  }
  return std::nullopt;
}

std::optional<std::string> ParseBase64(std::string_view text) {
  const auto blank = [](char c) { return c == ' ' || c == '\t' || c == '\r' || c == '\n'; };
  while (!text.empty() && blank(text.front())) text.remove_prefix(1);
  while (!text.empty() && blank(text.back())) text.remove_suffix(1);
  if (text.empty() || text.size() % 4 != 0) return std::nullopt;
  std::string out(text.size() / 4 * 3, '\0');
  const int n =
      EVP_DecodeBlock(reinterpret_cast<unsigned char*>(out.data()),
                      reinterpret_cast<const unsigned char*>(text.data()), static_cast<int>(text.size()));
  if (n < 0) return std::nullopt;
  const size_t padding = text.ends_with("==") ? 2 : text.ends_with('=') ? 1 : 0;
  out.resize(static_cast<size_t>(n) - padding);
  return out;
}

std::string TsigSession::Mac(std::string_view bytes) const {
  std::array<unsigned char, EVP_MAX_MD_SIZE> out{};
  unsigned int size = 0;
  HMAC(DigestOf(key_.algorithm), key_.secret.data(), static_cast<int>(key_.secret.size()),
       reinterpret_cast<const unsigned char*>(bytes.data()), bytes.size(), out.data(), &size);
  return {reinterpret_cast<const char*>(out.data()), size};
}

std::string TsigSession::Variables(uint64_t time, uint16_t fudge, uint16_t error,
                                   std::string_view other) const {
  std::string out = key_.name.LowercaseBytes();
  PutBig(&out, static_cast<uint16_t>(RRClass::kANY), 2);
  PutBig(&out, 0, 4);
  out += NameOf(key_.algorithm).LowercaseBytes();
  PutBig(&out, time, 6);
  PutBig(&out, fudge, 2);
  PutBig(&out, error, 2);
  PutBig(&out, other.size(), 2);
  out += other;
  return out;
}

void TsigSession::Sign(std::vector<uint8_t>* query, WallTime now) {
  const uint64_t time = Seconds(now);
  mac_ = Mac(std::string(AsText(*query)) + Variables(time, kFudge, 0, ""));
  std::string rdata = NameOf(key_.algorithm).LowercaseBytes();
  PutBig(&rdata, time, 6);
  PutBig(&rdata, kFudge, 2);
  PutBig(&rdata, mac_.size(), 2);
  rdata += mac_;
  rdata.append(reinterpret_cast<const char*>(query->data()), 2);
  PutBig(&rdata, 0, 4);
  std::string record(AsText(key_.name.bytes()));
  PutBig(&record, static_cast<uint16_t>(RRType::kTSIG), 2);
  PutBig(&record, static_cast<uint16_t>(RRClass::kANY), 2);
  PutBig(&record, 0, 4);
  PutBig(&record, rdata.size(), 2);
  record += rdata;
  query->insert(query->end(), record.begin(), record.end());
  const unsigned count = (*query)[10] * 256u + (*query)[11] + 1;
  (*query)[10] = static_cast<uint8_t>(count >> 8);
  (*query)[11] = static_cast<uint8_t>(count);
}

TsigCheck TsigSession::Bad(std::string why) {
  error_ = std::move(why);
  return TsigCheck::kBad;
}

TsigCheck TsigSession::Check(std::span<const uint8_t> message, const ParsedMessage& parsed, WallTime now) {
  const auto records = parsed.records(Section::kAdditional);
  const Record* tsig = !records.empty() && records.back().type == RRType::kTSIG ? &records.back() : nullptr;
  if (tsig == nullptr) {
    if (!first_done_) return Bad("the reply is not signed");
    if (++unsigned_ > kMaxUnsigned) return Bad("too many messages in a row are not signed");
    pending_ += AsText(message);
    return TsigCheck::kUnsigned;
  }
  const auto v = ReadTsig(parsed.RawRdata(*tsig));
  if (!v || tsig->rrclass != static_cast<uint16_t>(RRClass::kANY) || tsig->ttl != 0)
    return Bad("the signature is malformed");
  if (!parsed.OwnerIs(*tsig, key_.name) || v->algorithm != NameOf(key_.algorithm).LowercaseBytes())
    return Bad("signed with another key");
  if (v->error != 0) return Bad("the server refused our signature, error " + std::to_string(v->error));
  std::string bytes;
  PutBig(&bytes, mac_.size(), 2);
  bytes += mac_;
  bytes += pending_;
  const size_t begin = bytes.size();
  // As it was before the signature was added.
  bytes += AsText(message.first(tsig->owner_at));
  const unsigned count = message[10] * 256u + message[11] - 1;
  bytes[begin] = static_cast<char>(v->original_id >> 8);
  bytes[begin + 1] = static_cast<char>(v->original_id);
  bytes[begin + 10] = static_cast<char>(count >> 8);
  bytes[begin + 11] = static_cast<char>(count);
  if (first_done_) {
    PutBig(&bytes, v->time, 6);
    PutBig(&bytes, v->fudge, 2);
  } else {
    bytes += Variables(v->time, v->fudge, v->error, AsText(v->other));
  }
  const std::string mac = Mac(bytes);
  if (v->mac.size() != mac.size() || CRYPTO_memcmp(mac.data(), v->mac.data(), mac.size()) != 0)
    return Bad("the signature does not verify");
  const uint64_t clock = Seconds(now);
  const uint64_t off = clock > v->time ? clock - v->time : v->time - clock;
  if (off > v->fudge) return Bad("signed at another time than ours, " + std::to_string(off) + " s off");
  mac_ = mac;
  pending_.clear();
  unsigned_ = 0;
  first_done_ = true;
  return TsigCheck::kSigned;
}

}  // namespace sekisho::dns
