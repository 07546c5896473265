// Backlog: what an export has not delivered yet, on disk — hard links to the spool's segments, and how far
// the receiver has taken them.
//
//   Backlog backlog(spool_dir, dir);  backlog.Open(&error);
//   backlog.Collect();                        // links what is new in the spool
//   backlog.Next(&block, &damage)             // in order, from the last position
//   backlog.Taken(position, rows)             // the receiver has all up to there
//
// A link costs no bytes as long as the log keeps the segment too, and keeps it when the log is done with it.
//
//   <dir>/STATE := "sekisho export 1" LF "delivered" N LF "lost" N LF "gap" N LF
//                  ("position" node boot segment offset LF)*
//
// Threads: Keep from any thread; the rest from one. Limits: bytes() is for the caller to bound. Standards:
// row S30 of the reliability table.
#ifndef SEKISHO_STORAGE_EXPORT_BACKLOG_H_
#define SEKISHO_STORAGE_EXPORT_BACKLOG_H_

#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <set>
#include <string>
#include <utility>

#include "proto/record/spool.h"

namespace sekisho::exports {

class Backlog {
 public:
  Backlog(std::string spool_dir, std::string dir) : spool_dir_(std::move(spool_dir)), dir_(std::move(dir)) {}

  // Makes the folder, reads STATE, links what is in the spool. A STATE that cannot be read begins anew with
  // what is there, and says so in *error with true. False: the folder cannot be used.
  bool Open(std::string* error);
  // Links the spool's segments that are new. False and *error: one could not be linked.
  bool Collect(std::string* error);
  // The spool's segment is about to be removed.
  void Keep(const record::SegmentId& id);

  // As SpoolReader. Blocks of an origin come in order, from behind the last position taken or returned to.
  record::SpoolReader::Outcome Next(record::SpoolReader::Block* block, record::SpoolReader::Damage* damage);
  // Reading goes back to what was taken.
  void GoBack();
  // Those up to there need not be read again.
  void Taken(const record::SpoolPosition& position, uint64_t delivered);
  // Likewise, but they were left out: counted, and told with the next delivery.
  void LeftOut(const record::SpoolPosition& position, uint64_t rows);
  // The receiver was told of so many that were left out.
  void GapTold(uint64_t rows);
  // Removes the segments that are done, and writes STATE when it has changed. False: *error.
  bool Settle(std::string* error);

  // What was not taken yet; the disk has up to one segment of each resolver more.
  uint64_t bytes() const;
  uint64_t delivered() const { return delivered_; }
  uint64_t lost() const { return lost_; }
  uint64_t gap() const { return gap_; }  // of lost(), not told yet

 private:
  bool ReadState();
  bool Link(const record::SegmentId& id, std::string* error);

  std::string spool_dir_;
  std::string dir_;
  std::unique_ptr<record::SpoolReader> reader_;
  using Origin = std::pair<uint32_t, uint64_t>;
  std::map<Origin, record::SpoolPosition> taken_;
  uint64_t delivered_ = 0;
  uint64_t lost_ = 0;
  uint64_t gap_ = 0;
  bool changed_ = false;
  mutable std::mutex mutex_;            // for the two below
  std::set<record::SegmentId> linked_;  // in the folder
  std::map<Origin, uint32_t> done_;     // segments up to this number need no link
};

}  // namespace sekisho::exports

#endif  // SEKISHO_STORAGE_EXPORT_BACKLOG_H_
