#include "storage/query/candidates.h"

#include <algorithm>
#include <array>
#include <iterator>
#include <optional>

#include "proto/base/bytes.h"

namespace sekisho::query {
namespace {

void Say(std::string* partial, const std::string& what) {
  if (!partial->empty()) *partial += "; ";
  *partial += what;
}

}  // namespace

std::unique_ptr<record::BlockReader> Candidate::Open(std::string* error) const {
  if (tail) return record::BlockReader::Open(AsBytes(tail->bytes), error);
  auto reader = partition->OpenBlock(block, instant.get());
  if (!reader) *error = partition->error();
  return reader;
}

CandidateSet FindCandidates(const lookups::LookupStore& store, const LookupFilter& f,
                            const std::function<bool()>& stop) {
  CandidateSet out;
  const lookups::View view = store.TakeView(f.from_us, f.end_us);
  const auto in_time = [&f](int64_t first, int64_t last) { return first < f.end_us && last >= f.from_us; };
  for (const lookups::DamagedPartition& d : view.damaged) {
    Say(&out.partial, "partition " + d.id.FolderName() + " is damaged and left out");
  }
  for (const lookups::View::Day& day : view.days) {
    if (stop()) {
      Say(&out.partial, "the time for the query was over");
      break;
    }
    for (const lookups::BlockInfo& b : *day.blocks) {
      if (in_time(b.first_us, b.last_us)) out.lost += b.lost;
    }
    for (const lookups::BlockInfo& b : *day.blocks) {
      if (!in_time(b.first_us, b.last_us)) continue;
      out.candidates.push_back({.first_us = b.first_us,
                                .last_us = b.last_us,
                                .range = {INT64_MIN, INT64_MAX},
                                .partition = day.partition,
                                .instant = day.instant,
                                .block = b.block});
    }
  }
  for (const auto& tail : view.tail) {
    bool losses = false;
    for (const lookups::TimeRange& r : tail->ranges) {
      losses = losses || (tail->header.first_us >= r.from_us && tail->header.first_us < r.end_us);
      out.candidates.push_back(
          {.first_us = tail->header.first_us, .last_us = tail->header.last_us, .range = r, .tail = tail});
    }
    if (losses) out.lost += tail->header.lost();
  }
  std::sort(out.candidates.begin(), out.candidates.end(), [&f](const Candidate& a, const Candidate& b) {
    return f.oldest_first ? a.first_us < b.first_us : a.last_us > b.last_us;
  });
  return out;
}

}  // namespace sekisho::query
