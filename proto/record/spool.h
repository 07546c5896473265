// The spool: column blocks in append-only segment files, the log's write-ahead log between resolverd and
// logd.
//
//   <dir>/<node, 8 hex>-<boot, 16 hex>-<number, 8 digits>.spool        segment := "SKSPOOL1" block*
//
// A process never appends to a segment of another: each boot has its own names. The writer holds a lock
// (flock) on the segment it appends to and takes it before the name appears, so a segment without a lock is
// complete for good — with a torn tail when its writer died in the middle of a write.
//
// Threads: one thread per object; writer and readers may be different processes. Limits: kMaxBlockSize a
// block.
#ifndef SEKISHO_PROTO_RECORD_SPOOL_H_
#define SEKISHO_PROTO_RECORD_SPOOL_H_

#include <compare>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "proto/base/now.h"
#include "proto/record/block_header.h"

namespace sekisho::record {

struct SegmentId {
  uint32_t node = 0;
  uint64_t boot = 0;
  uint32_t number = 0;  // from 1, without holes

  std::string FileName() const;
  static std::optional<SegmentId> Parse(std::string_view file_name);
  friend auto operator<=>(const SegmentId&, const SegmentId&) = default;
};

// The end of a block in the spool: everything of that boot before it has been read.
struct SpoolPosition {
  SegmentId segment;
  uint64_t offset = 0;
  friend auto operator<=>(const SpoolPosition&, const SpoolPosition&) = default;
};

struct SpoolOptions {
  std::string dir;
  uint32_t node = 0;
  uint64_t boot = 0;
  uint64_t quota_bytes = uint64_t{4} << 30;
  uint64_t segment_bytes = uint64_t{64} << 20;
  Duration segment_age = std::chrono::minutes(10);
  Duration sync_every = std::chrono::seconds(1);
};

class SpoolWriter {
 public:
  explicit SpoolWriter(SpoolOptions options);
  ~SpoolWriter();
  SpoolWriter(const SpoolWriter&) = delete;
  SpoolWriter& operator=(const SpoolWriter&) = delete;

  enum class Outcome : uint8_t {
    kWritten,
    kOverQuota,  // the segments of the folder take all their quota; logd is away or behind
    kFailed,     // the disk is full, broken or the folder missing; error() says it
  };
  // Writes the block whole or not at all. May wait for the disk; never called by a thread that answers.
  Outcome Append(std::string_view block, MonoTime now);
  // Makes what was written durable when sync_every has passed; `force`: at once.
  void Sync(MonoTime now, bool force);

  const std::string& error() const { return error_; }
  uint64_t bytes_written() const { return bytes_written_; }
  uint64_t sync_failures() const { return sync_failures_; }

 private:
  bool OpenSegment(MonoTime now);
  void CloseSegment();
  bool WriteAll(std::string_view bytes);
  bool Fail(const char* what);
  void MeasureOthers(MonoTime now);

  SpoolOptions options_;
  int fd_ = -1;
  uint32_t number_ = 0;
  uint64_t size_ = 0;  // of the open segment
  MonoTime opened_{};
  MonoTime synced_{};
  MonoTime measured_{};
  bool dirty_ = false;
  bool measured_once_ = false;
  uint64_t others_ = 0;  // bytes of all segments but the open one
  uint64_t bytes_written_ = 0;
  uint64_t sync_failures_ = 0;
  std::string error_;
};

class SpoolReader {
 public:
  explicit SpoolReader(std::string dir) : dir_(std::move(dir)) {}
  ~SpoolReader();
  SpoolReader(const SpoolReader&) = delete;
  SpoolReader& operator=(const SpoolReader&) = delete;

  struct Block {
    std::string bytes;  // whole and checked against every digest
    FramedHeader framed;
    SpoolPosition end;
  };
  struct Damage {
    SegmentId segment;
    uint64_t from = 0;
    uint64_t to = 0;
    // The end of a segment whose writer died while writing: expected, and nothing that had been acknowledged.
    bool torn_tail = false;
    std::string why;
  };
  enum class Outcome : uint8_t { kBlock, kDamage, kNothing /* yet */ };
  // The next block of the lowest segment that has one. Damage is told once, and reading goes on behind it.
  Outcome Next(Block* block, Damage* damage);

  // Reading that segment begins behind the block that ends there. Before the first Next.
  void GoOnBehind(const SpoolPosition& position) { segments_[position.segment].offset = position.offset; }

  // Segments that were read to their end and will never grow; ascending.
  std::vector<SegmentId> Finished() const;
  // Deletes a finished segment.
  bool Remove(const SegmentId& segment, std::string* error);
  // Bytes in the folder that were not yet handed out, as seen by the last Next.
  uint64_t backlog_bytes() const;
  const std::string& error() const { return error_; }

 private:
  struct State {
    int fd = -1;
    uint64_t offset = 0;  // of the next block
    uint64_t size = 0;
    bool finished = false;
  };
  void Rescan();
  bool IsDead(const SegmentId& id, const State& state) const;
  Outcome ReadSegment(const SegmentId& id, State* state, Block* block, Damage* damage);
  Outcome ReadTail(const SegmentId& id, State* state, bool dead, Damage* damage);
  Outcome SkipTo(const SegmentId& id, State* state, uint64_t to, bool torn, const char* why, Damage* damage);
  std::optional<uint64_t> FindBlock(const State& state, uint64_t from);

  std::string dir_;
  std::map<SegmentId, State> segments_;
  std::string error_;
};

}  // namespace sekisho::record

#endif  // SEKISHO_PROTO_RECORD_SPOOL_H_
