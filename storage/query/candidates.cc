#include "storage/query/candidates.h"

#include <algorithm>
#include <array>
#include <iterator>
#include <optional>

#include "proto/base/bytes.h"

namespace sekisho::query {
namespace {

using lookups::Partition;
using Blocks = std::optional<std::vector<uint32_t>>;

Blocks Union(Blocks a, const Blocks& b) {
  if (!a || !b) return std::nullopt;
  std::vector<uint32_t> out;
  std::set_union(a->begin(), a->end(), b->begin(), b->end(), std::back_inserter(out));
  return out;
}

// All addresses of the prefix are one range of terms.
Blocks PrefixBlocks(Partition& partition, char kind, const IpPrefix& prefix,
                    const std::function<bool()>& stop) {
  const std::string first = lookups::AddressTerm(kind, prefix.address().mapped());
  if (prefix.mapped_length() == 128) return partition.TermBlocks(first);
  std::array<uint8_t, 16> last = prefix.address().mapped();
  for (int bit = prefix.mapped_length(); bit < 128; ++bit) {
    last[static_cast<size_t>(bit / 8)] |= static_cast<uint8_t>(0x80 >> (bit % 8));
  }
  return partition.RangeBlocks(first, lookups::AddressTerm(kind, last) + '\0', stop);
}

// Asks each index that the filter names; `narrow` is called with what it says and returns false to end.
bool AskIndexes(Partition& p, const LookupFilter& f, const std::function<bool()>& stop,
                const std::function<bool(Blocks)>& narrow) {
  if (f.name_key && !narrow(p.TermBlocks(lookups::NameTerm(*f.name_key)))) return false;
  if (f.client && !narrow(PrefixBlocks(p, 'c', *f.client, stop))) return false;
  if (f.address && !narrow(PrefixBlocks(p, 'a', *f.address, stop))) return false;
  if (f.agency && !narrow(p.TermBlocks(lookups::TextTerm('g', *f.agency)))) return false;
  if (f.feed && !narrow(p.TermBlocks(lookups::TextTerm('f', *f.feed)))) return false;
  if (f.rcode && !narrow(p.TermBlocks(lookups::NumberTerm('r', static_cast<uint16_t>(*f.rcode)))))
    return false;
  if (f.type && !narrow(p.TermBlocks(lookups::NumberTerm('t', static_cast<uint16_t>(*f.type))))) return false;
  if (!f.actions.empty()) {
    Blocks any = std::vector<uint32_t>();
    for (const record::Action a : f.actions) {
      any = Union(std::move(any), p.TermBlocks(lookups::NumberTerm('v', static_cast<uint16_t>(a))));
    }
    if (!narrow(std::move(any))) return false;
  }
  if (f.under_key && !f.under_key->empty()) {
    const std::string first = lookups::NameTerm(*f.under_key);
    if (!narrow(p.RangeBlocks(first, lookups::AfterPrefix(first), stop))) return false;
  }
  return true;
}

// The partition's blocks that fit by their indexes; nothing when an index could not be read or the time is
// over. `all` is set when no index was asked.
Blocks IndexedBlocks(Partition& p, const LookupFilter& f, const std::function<bool()>& stop, bool* all) {
  Blocks found;
  *all = true;
  bool failed = false;
  AskIndexes(p, f, stop, [&](Blocks more) {
    if (!more) {
      failed = true;
      return false;
    }
    if (*all) {
      found = std::move(more);
    } else {
      std::vector<uint32_t> both;
      std::set_intersection(found->begin(), found->end(), more->begin(), more->end(),
                            std::back_inserter(both));
      found = std::move(both);
    }
    *all = false;
    return !found->empty();
  });
  if (failed) return std::nullopt;
  if (*all) return std::vector<uint32_t>();
  return found;
}

void Say(std::string* partial, const std::string& what) {
  if (!partial->empty()) *partial += "; ";
  *partial += what;
}

}  // namespace

std::unique_ptr<record::BlockReader> Candidate::Open(std::string* error) const {
  if (tail) return record::BlockReader::Open(AsBytes(tail->bytes), error);
  auto reader = partition->OpenBlock(block);
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
    bool all = false;
    const Blocks wanted = IndexedBlocks(*day.partition, f, stop, &all);
    if (!wanted) {
      Say(&out.partial, stop()
                            ? "the time for the query was over"
                            : "partition " + day.partition->id().FolderName() + " is damaged and left out");
      continue;
    }
    auto next = wanted->begin();
    for (const lookups::BlockInfo& b : *day.blocks) {
      if (!all) {
        next = std::lower_bound(next, wanted->end(), b.block);
        if (next == wanted->end()) break;
        if (*next != b.block) continue;
      }
      if (!in_time(b.first_us, b.last_us)) continue;
      out.candidates.push_back(
          {b.first_us, b.last_us, {INT64_MIN, INT64_MAX}, day.partition, b.block, nullptr});
    }
  }
  for (const auto& tail : view.tail) {
    bool losses = false;
    for (const lookups::TimeRange& r : tail->ranges) {
      losses = losses || (tail->header.first_us >= r.from_us && tail->header.first_us < r.end_us);
      out.candidates.push_back({tail->header.first_us, tail->header.last_us, r, nullptr, 0, tail});
    }
    if (losses) out.lost += tail->header.lost();
  }
  std::sort(out.candidates.begin(), out.candidates.end(), [&f](const Candidate& a, const Candidate& b) {
    return f.oldest_first ? a.first_us < b.first_us : a.last_us > b.last_us;
  });
  return out;
}

}  // namespace sekisho::query
