#include "storage/query/grouping.h"

#include <algorithm>
#include <iterator>
#include <map>
#include <unordered_map>

#include "storage/query/block_scan.h"
#include "storage/query/candidates.h"
#include "storage/query/query_text.h"
#include "storage/query/row_text.h"
#include "storage/query/value_names.h"

namespace sekisho::query {
namespace {

constexpr uint64_t kRowsBetweenLooks = 4096;

void Say(std::string* partial, const std::string& what) {
  if (partial->find(what) != std::string::npos) return;
  if (!partial->empty()) *partial += "; ";
  *partial += what;
}

// Calls `each(reader, found)` for every row that fits, block after block.
template <typename Each>
void ForEachRow(const lookups::LookupStore& store, const LookupFilter& filter, const Condition& condition,
                const Budget& budget, std::string* partial, Each each) {
  const CandidateSet set = FindCandidates(store, filter, budget.stop);
  if (!set.partial.empty()) Say(partial, set.partial);
  uint64_t seen = 0;
  for (const Candidate& c : set.candidates) {
    bool over = budget.stop();
    std::string error;
    const auto reader = over ? nullptr : c.Open(&error);
    if (reader) {
      const ScanOrder order{std::max(filter.from_us, c.range.from_us),
                            std::min(filter.end_us, c.range.end_us), true};
      const bool good = ScanBlock(*reader, condition, order, [&](const FoundRow& row) {
        over = ++seen % kRowsBetweenLooks == 0 && budget.stop();
        return !over && each(*reader, row);
      });
      if (!good || !reader->error().empty()) error = reader->error().empty() ? "damaged" : reader->error();
    }
    if (over) {
      Say(partial, "the time for the query was over");
      return;
    }
    if (!error.empty()) Say(partial, "a block could not be read and is left out: " + error);
  }
}

bool IsBlocked(record::Action action) {
  std::vector<record::Action> blocked;
  return ActionsOfVerdict("blocked", &blocked) && std::ranges::find(blocked, action) != blocked.end();
}

void ValuesOf(const control::LookupRow& row, GroupField field, std::vector<std::string>* out) {
  const auto answers = [&](auto&& wanted) {
    for (const auto& a : row.answers()) {
      if (wanted(a.type()) && std::ranges::find(*out, a.data()) == out->end()) out->push_back(a.data());
    }
  };
  switch (field) {
    case GroupField::kClient:
      return out->push_back(row.client());
    case GroupField::kName:
      return out->push_back(row.name());
    case GroupField::kAgency:
      return out->push_back(row.agency());
    case GroupField::kAnswer:
      return answers([](const std::string& t) { return t == "A" || t == "AAAA"; });
    case GroupField::kTarget:
      return answers(
          [](const std::string& t) { return t == "CNAME" || t == "DNAME" || t == "NS" || t == "PTR"; });
    case GroupField::kType:
      return out->push_back(row.type());
    case GroupField::kRcode:
      return out->push_back(row.rcode());
    case GroupField::kAction:
      return out->push_back(row.action());
    case GroupField::kFeed:
      if (!row.feeds().empty()) out->push_back(row.feeds());
      return;
    case GroupField::kCategory:
      if (!row.category().empty()) out->push_back(row.category());
      return;
    case GroupField::kRule:
      if (!row.rule().empty()) out->push_back(row.rule());
      return;
  }
}

}  // namespace

std::optional<GroupField> ParseGroupField(std::string_view text) {
  const auto* at = std::ranges::find(kGroupFieldNames, text);
  if (at == std::end(kGroupFieldNames)) return std::nullopt;
  return static_cast<GroupField>(at - std::begin(kGroupFieldNames));
}

Groups GroupBy(const lookups::LookupStore& store, const LookupFilter& filter, GroupField field,
               const Budget& budget) {
  Groups out;
  std::unordered_map<std::string, Group> groups;
  record::LookupRecord record;
  control::LookupRow row;
  std::vector<std::string> values;
  const auto take = [&](record::BlockReader& reader, const FoundRow& found) {
    if (!reader.Row(found.row, &record)) return false;
    row.Clear();
    FillRow(record, &row);
    values.clear();
    ValuesOf(row, field, &values);
    ++out.lookups;
    const bool blocked = IsBlocked(record.action);
    for (const std::string& value : values) {
      auto at = groups.find(value);
      if (at == groups.end()) {
        if (groups.size() >= kMaxGroups) {
          Say(&out.partial, "there are more different values than can be told apart; ask for less time");
          continue;
        }
        at = groups
                 .emplace(value,
                          Group{.value = value, .first_us = found.key.time_us, .last_us = found.key.time_us})
                 .first;
      }
      Group& g = at->second;
      ++g.lookups;
      g.blocked += blocked ? 1 : 0;
      g.answered += !blocked && !record.answers.empty() ? 1 : 0;
      g.first_us = std::min(g.first_us, found.key.time_us);
      g.last_us = std::max(g.last_us, found.key.time_us);
    }
    return true;
  };
  ForEachRow(store, filter, ConditionOf(filter), budget, &out.partial, take);
  out.distinct = groups.size();
  out.groups.reserve(groups.size());
  for (auto& [value, group] : groups) out.groups.push_back(std::move(group));
  std::ranges::sort(out.groups, [](const Group& a, const Group& b) {
    return a.lookups != b.lookups ? a.lookups > b.lookups : a.value < b.value;
  });
  if (filter.limit > 0 && out.groups.size() > filter.limit) out.groups.resize(filter.limit);
  return out;
}

Timeline CountOverTime(const lookups::LookupStore& store, const LookupFilter& filter, int64_t step_us,
                       int64_t offset_us, const Budget& budget) {
  Timeline out;
  std::map<int64_t, Bucket> buckets;
  const auto count = [&](uint64_t Bucket::* what) {
    return [&, what](record::BlockReader&, const FoundRow& found) {
      const int64_t local = found.key.time_us + offset_us;
      const int64_t step = local >= 0 ? local / step_us : -((-local + step_us - 1) / step_us);
      if (buckets.size() >= kMaxBuckets && !buckets.contains(step)) {
        Say(&out.partial, "more steps of time than fit; ask for longer steps or less time");
        return false;
      }
      Bucket& bucket = buckets[step];
      bucket.start_us = step * step_us - offset_us;
      ++(bucket.*what);
      return true;
    };
  };
  const Condition all = ConditionOf(filter);
  ForEachRow(store, filter, all, budget, &out.partial, count(&Bucket::lookups));
  std::string error;
  if (const auto blocked = ParseTest("verdict", "blocked", &error)) {
    ForEachRow(store, filter, Condition::All({all, *blocked}), budget, &out.partial, count(&Bucket::blocked));
  }
  for (const auto& [step, bucket] : buckets) {
    out.lookups += bucket.lookups;
    out.buckets.push_back(bucket);
  }
  return out;
}

}  // namespace sekisho::query
