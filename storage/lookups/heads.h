// Heads: the signed statement of what the log holds — where the chain of each day ends, which days are gone
// and why — replaced as a whole whenever that changes.
//
//   sekisho log heads 1
//   counter 17 · time µs · key HEX
//   day 20260131-0 3 12345 DIGEST [4 16000 DIGEST]   blocks, rows, digest of the last; several while a write
//   is
//                                                    on its way: the day is in one of these states
//   gone 20251101-0 9 80000 DIGEST µs why            a tombstone: dropped on purpose
//   signature HEX                                    Ed25519 over all lines before
//
// A state is signed before it is written, so that a crash leaves a state that was signed. Whoever keeps
// counter and digest elsewhere can tell an old copy from the newest.
//
// Threads: one thread. Limits: a line for each day ever kept. Standards: RFC 8032.
#ifndef SEKISHO_STORAGE_LOOKUPS_HEADS_H_
#define SEKISHO_STORAGE_LOOKUPS_HEADS_H_

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "proto/base/now.h"
#include "proto/record/signature.h"
#include "storage/lookups/partition.h"

namespace sekisho::lookups {

// Where a partition's chain ends.
struct ChainEnd {
  uint64_t blocks = 0;
  uint64_t rows = 0;
  record::Digest digest{};
  friend bool operator==(const ChainEnd&, const ChainEnd&) = default;
};

struct Tombstone {
  ChainEnd end;
  int64_t time_us = 0;
  std::string why;  // one word or more, printable
};

struct Heads {
  uint64_t counter = 0;
  int64_t time_us = 0;
  record::PublicKey key{};
  std::map<PartitionId, std::vector<ChainEnd>> days;
  std::map<PartitionId, Tombstone> gone;

  std::string Text() const;  // without the signature
};

// Nothing and *error when the text is no statement or its signature does not hold.
std::optional<Heads> ReadHeads(const std::string& text, std::string* error);

// The file of the statement.
class HeadsFile {
 public:
  // Reads the file of the folder; a missing one is an empty statement with missing() true. Null and *error
  // when the key cannot be used.
  static std::unique_ptr<HeadsFile> Open(const std::string& dir, const std::string& key_path,
                                         std::string* error);

  bool missing() const { return missing_; }
  // Not empty: the file that was found does not hold; nothing of it is used.
  const std::string& forged() const { return forged_; }
  Heads& heads() { return heads_; }
  const Heads& heads() const { return heads_; }
  const record::SigningKey& key() const { return *key_; }
  // Signs and writes. False: the disk or the cryptography failed, the old file stands.
  bool Write(WallTime now);

 private:
  std::string path_;
  std::string witness_;
  std::unique_ptr<record::SigningKey> key_;
  Heads heads_;
  bool missing_ = false;
  std::string forged_;
};

}  // namespace sekisho::lookups

#endif  // SEKISHO_STORAGE_LOOKUPS_HEADS_H_
