#include "storage/query/executor.h"

#include <algorithm>
#include <memory>

#include "storage/query/block_scan.h"
#include "storage/query/candidates.h"

namespace sekisho::query {
namespace {

struct Hit {
  RowKey key;
  std::unique_ptr<record::LookupRecord> row;
};

void Say(std::string* partial, const std::string& what) {
  if (partial->find(what) != std::string::npos) return;
  if (!partial->empty()) *partial += "; ";
  *partial += what;
}

// The part of the candidate's time that can hold rows of the answer.
lookups::TimeRange Clip(const LookupFilter& f, const Candidate& c) {
  lookups::TimeRange range{std::max(f.from_us, c.range.from_us), std::min(f.end_us, c.range.end_us)};
  if (!f.after) return range;
  if (f.oldest_first) {
    range.from_us = std::max(range.from_us, f.after->time_us);
  } else if (f.after->time_us < INT64_MAX) {
    range.end_us = std::min(range.end_us, f.after->time_us + 1);
  }
  return range;
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

  // Whether a row with that key belongs to the page, as far as is known.
  bool Wants(const RowKey& key) const {
    if (filter_.after && !Before(*filter_.after, key)) return false;
    return !full() || Before(key, hits_.front().key);
  }
  // Rows of a later time in the order asked for are of no use.
  bool Beyond(const RowKey& key) const {
    return full() && Before(hits_.front().key, key) && key.time_us != hits_.front().key.time_us;
  }

  void Take(Hit hit) {
    const auto order = [this](const Hit& a, const Hit& b) { return Before(a.key, b.key); };
    if (full()) {
      std::pop_heap(hits_.begin(), hits_.end(), order);
      hits_.pop_back();
    }
    hits_.push_back(std::move(hit));
    std::push_heap(hits_.begin(), hits_.end(), order);
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

// Adds the candidate's rows to the page. Rows are put together as they are found, while their columns are at
// hand.
bool ReadCandidate(const Candidate& c, const LookupFilter& filter, const Condition& condition, Page* page,
                   std::string* error) {
  const auto reader = c.Open(error);
  if (!reader) return false;
  const lookups::TimeRange range = Clip(filter, c);
  const bool good = ScanBlock(*reader, condition, {range.from_us, range.end_us, filter.oldest_first},
                              [&](const FoundRow& row) {
                                if (!page->Wants(row.key)) return !page->Beyond(row.key);
                                Hit hit{row.key, std::make_unique<record::LookupRecord>()};
                                if (!reader->Row(row.row, hit.row.get())) return false;
                                page->Take(std::move(hit));
                                return true;
                              });
  *error = reader->error();
  return good && reader->error().empty();
}

}  // namespace

Answer Executor::Run(const LookupFilter& filter, const Budget& budget,
                     const std::function<bool(const record::LookupRecord&)>& each) const {
  Answer answer;
  CandidateSet set = FindCandidates(store_, filter, budget.stop);
  answer.lost = set.lost;
  answer.partial = std::move(set.partial);
  const Condition condition = ConditionOf(filter);
  Page page(filter, filter.limit + 1);  // one more tells whether there is a next page
  for (const Candidate& c : set.candidates) {
    if (page.Closed(c)) break;
    if (page.Past(c)) continue;
    if (budget.stop()) {
      Say(&answer.partial, "the time for the query was over");
      break;
    }
    std::string error;
    if (!ReadCandidate(c, filter, condition, &page, &error)) {
      Say(&answer.partial, LeftOut(c, error));
      continue;
    }
    ++answer.blocks_read;
  }
  std::vector<Hit> hits = page.Sorted();
  answer.more = hits.size() > filter.limit;
  if (answer.more) hits.resize(filter.limit);
  for (const Hit& hit : hits) {
    ++answer.rows;
    answer.last = hit.key;
    if (!each(*hit.row)) break;
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
