#include "storage/query/executor.h"

#include <algorithm>
#include <memory>

#include "storage/query/block_scan.h"
#include "storage/query/candidates.h"

namespace sekisho::query {
namespace {

struct Hit {
  RowKey key;
  uint32_t row = 0;
  size_t candidate = 0;
};

void Say(std::string* partial, const std::string& what) {
  if (partial->find(what) != std::string::npos) return;
  if (!partial->empty()) *partial += "; ";
  *partial += what;
}

lookups::TimeRange Clip(const LookupFilter& f, const Candidate& c) {
  return {std::max(f.from_us, c.range.from_us), std::min(f.end_us, c.range.end_us)};
}

std::string LeftOut(const Candidate& c, const std::string& why) {
  return c.tail ? "a block of the spool is damaged and left out: " + why
                : "partition " + c.partition->id().FolderName() + " is damaged and left out: " + why;
}

// The best rows so far, kept as a heap with the worst on top.
class Page {
 public:
  Page(const LookupFilter& filter, size_t size) : filter_(filter), size_(size) {}

  bool Before(const RowKey& a, const RowKey& b) const { return filter_.oldest_first ? a < b : b < a; }
  bool full() const { return hits_.size() >= size_; }

  // False: rows of a later time in the order asked for are of no use.
  bool Offer(const Hit& hit) {
    if (filter_.after && !Before(*filter_.after, hit.key)) return true;
    const auto order = [this](const Hit& a, const Hit& b) { return Before(a.key, b.key); };
    if (full()) {
      if (!Before(hit.key, hits_.front().key)) return hit.key.time_us == hits_.front().key.time_us;
      std::pop_heap(hits_.begin(), hits_.end(), order);
      hits_.pop_back();
    }
    hits_.push_back(hit);
    std::push_heap(hits_.begin(), hits_.end(), order);
    return true;
  }

  // No row of this candidate, nor of those that come after it, can be better than the worst kept.
  bool Closed(const Candidate& c) const {
    if (!full() || hits_.empty()) return false;
    const int64_t worst = hits_.front().key.time_us;
    return filter_.oldest_first ? c.first_us > worst : c.last_us < worst;
  }

  // All rows of this candidate come before the page's first.
  bool Past(const Candidate& c) const {
    if (!filter_.after) return false;
    return filter_.oldest_first ? c.last_us < filter_.after->time_us : c.first_us > filter_.after->time_us;
  }

  std::vector<Hit> Sorted() {
    std::sort(hits_.begin(), hits_.end(),
              [this](const Hit& a, const Hit& b) { return Before(a.key, b.key); });
    return std::move(hits_);
  }

 private:
  const LookupFilter& filter_;
  size_t size_;
  std::vector<Hit> hits_;
};

// Blocks opened for the page's rows: consecutive rows are mostly of the same one.
class OpenBlocks {
 public:
  explicit OpenBlocks(const std::vector<Candidate>& candidates) : candidates_(candidates) {}

  record::BlockReader* Get(size_t candidate, std::string* error) {
    for (auto& [which, reader] : open_) {
      if (which == candidate) return reader.get();
    }
    auto reader = candidates_[candidate].Open(error);
    if (!reader) return nullptr;
    if (open_.size() >= kKept) open_.erase(open_.begin());
    open_.emplace_back(candidate, std::move(reader));
    return open_.back().second.get();
  }
  void Keep(size_t candidate, std::unique_ptr<record::BlockReader> reader) {
    if (open_.size() < kKept) open_.emplace_back(candidate, std::move(reader));
  }

 private:
  static constexpr size_t kKept = 128;
  const std::vector<Candidate>& candidates_;
  std::vector<std::pair<size_t, std::unique_ptr<record::BlockReader>>> open_;
};

}  // namespace

Answer Executor::Run(const LookupFilter& filter, const Budget& budget,
                     const std::function<bool(const record::LookupRecord&)>& each) const {
  Answer answer;
  CandidateSet set = FindCandidates(store_, filter, budget.stop);
  answer.lost = set.lost;
  answer.partial = std::move(set.partial);
  const Condition condition = ConditionOf(filter);
  Page page(filter, filter.limit + 1);  // one more tells whether there is a next page
  OpenBlocks open(set.candidates);
  std::string error;
  for (size_t i = 0; i < set.candidates.size(); ++i) {
    const Candidate& c = set.candidates[i];
    if (page.Closed(c)) break;
    if (page.Past(c)) continue;
    if (budget.stop()) {
      Say(&answer.partial, "the time for the query was over");
      break;
    }
    auto reader = c.Open(&error);
    bool any = false;
    const lookups::TimeRange range = Clip(filter, c);
    if (!reader || !ScanBlock(*reader, condition, {range.from_us, range.end_us, filter.oldest_first},
                              [&](const FoundRow& row) {
                                any = true;
                                return page.Offer({row.key, row.row, i});
                              })) {
      Say(&answer.partial, LeftOut(c, reader ? reader->error() : error));
      continue;
    }
    ++answer.blocks_read;
    if (any) open.Keep(i, std::move(reader));
  }
  std::vector<Hit> hits = page.Sorted();
  answer.more = hits.size() > filter.limit;
  if (answer.more) hits.resize(filter.limit);
  record::LookupRecord row;
  for (const Hit& hit : hits) {
    record::BlockReader* reader = open.Get(hit.candidate, &error);
    if (reader == nullptr || !reader->Row(hit.row, &row)) {
      Say(&answer.partial,
          LeftOut(set.candidates[hit.candidate], reader != nullptr ? reader->error() : error));
      continue;
    }
    ++answer.rows;
    answer.last = hit.key;
    if (!each(row)) break;
  }
  return answer;
}

Answer Executor::Count(const LookupFilter& filter, const Budget& budget) const {
  Answer answer;
  const CandidateSet set = FindCandidates(store_, filter, budget.stop);
  const Condition condition = ConditionOf(filter);
  answer.lost = set.lost;
  answer.partial = set.partial;
  std::string error;
  for (const Candidate& c : set.candidates) {
    if (budget.stop()) {
      Say(&answer.partial, "the time for the query was over");
      break;
    }
    const auto reader = c.Open(&error);
    const lookups::TimeRange range = Clip(filter, c);
    if (!reader || !CountBlock(*reader, condition, range.from_us, range.end_us, &answer.rows)) {
      Say(&answer.partial, LeftOut(c, reader ? reader->error() : error));
      continue;
    }
    ++answer.blocks_read;
  }
  return answer;
}

}  // namespace sekisho::query
