// PassiveStore: passive DNS — which names led to which data, when first and last, and how often; for longer
// than lookups are kept and without the clients.
//
//   <dir>/PASSIVE             marker with the format     <dir>/db/    RocksDB     <dir>/incoming/  files
//   being made
//
//   column family   key                        value
//   default         'P' day node boot          number, offset: spool position that the day's counts include
//   forward         passive_key.h              Sum
//   backward        passive_key.h              Sum
//
// Sums and position of one import come in together: many as files of sorted keys, few as a batch. So a lookup
// is counted exactly once however often its block is read: what the position covers is not counted.
//
// Threads: Write on one thread; all else on any. Limits: those of Aggregate; a question ends at its limit.
#ifndef SEKISHO_STORAGE_PASSIVE_PASSIVE_STORE_H_
#define SEKISHO_STORAGE_PASSIVE_PASSIVE_STORE_H_

#include <atomic>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <utility>

#include "proto/base/ip_address.h"
#include "proto/record/spool.h"
#include "storage/passive/aggregate.h"
#include "storage/passive/passive_key.h"
#include "storage/passive/sum.h"

namespace rocksdb {
class Status;
}

namespace sekisho::passive {

struct Question {
  // One of the four.
  std::optional<std::string> name_key = {};    // records of this name
  std::optional<std::string> under_key = {};   // and of all below
  std::optional<IpPrefix> address = {};        // records with such an address
  std::optional<std::string> target_key = {};  // records that lead to this name
  std::optional<uint16_t> type = {};
  uint64_t since_s = 0;           // seen then or later
  uint64_t until_s = UINT64_MAX;  // first seen before then
  bool collected = false;         // only what was found by asking ourselves
  uint64_t limit = 0;
  std::string after = {};  // Answer::last of the page before
};

struct Answer {
  uint64_t records = 0;
  bool more = false;
  std::string last;     // for Question::after
  std::string partial;  // not empty: what is left out, and why
};

struct Status {
  uint64_t records = 0;  // about
  uint64_t disk_bytes = 0;
  std::string trouble;
};

class PassiveStore {
 public:
  using Positions = std::map<std::pair<uint32_t, uint64_t>, record::SpoolPosition>;

  // A database that is damaged is moved aside and a new one begun; *note says so. Null and *error when the
  // folder cannot be used.
  static std::unique_ptr<PassiveStore> Open(const std::string& dir, std::string* note, std::string* error);
  ~PassiveStore();
  PassiveStore(const PassiveStore&) = delete;
  PassiveStore& operator=(const PassiveStore&) = delete;

  // Whether the day's counts include the block that ends there.
  bool Counted(int32_t day, const record::SpoolPosition& end) const;
  // Adds the sums and moves the day's positions on, both or neither. False: nothing was added.
  bool Write(const Aggregate& sums, int32_t day, const Positions& positions, std::string* error);
  // What was last seen before is forgotten: at once for questions, on disk when it is next rewritten.
  void Forget(uint64_t before_s);
  // Makes everything written so far durable.
  bool Sync(std::string* error);
  void Compact();

  // `each` returns false to end.
  Answer Read(const Question& question, const std::function<bool()>& stop,
              const std::function<bool(const PassiveKey&, const Sum&)>& each) const;
  Status GetStatus() const;

 private:
  struct Handles;
  explicit PassiveStore(std::string dir);
  bool OpenDb(std::string* error);
  bool LoadPositions(std::string* error);
  rocksdb::Status WriteBatch(const Aggregate& sums, int32_t day, const Positions& positions);
  rocksdb::Status WriteFiles(const Aggregate& sums, int32_t day, const Positions& positions);
  rocksdb::Status MakeFiles(const Aggregate& sums, int32_t day, const Positions& positions);
  bool ReadRange(const Question& question, const std::string& prefix, const std::function<bool()>& stop,
                 const std::function<bool(const PassiveKey&, const Sum&)>& each, Answer* answer) const;
  std::string Incoming(const char* name) const { return dir_ + "/incoming/" + name + ".sst"; }

  std::string dir_;
  std::shared_ptr<std::atomic<uint64_t>> cutoff_s_;
  std::unique_ptr<Handles> handles_;
  mutable std::mutex mutex_;
  std::map<int32_t, Positions> positions_;
  std::string trouble_;
};

}  // namespace sekisho::passive

#endif  // SEKISHO_STORAGE_PASSIVE_PASSIVE_STORE_H_
