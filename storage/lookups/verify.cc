#include "storage/lookups/verify.h"

#include <algorithm>

#include "proto/base/bytes.h"
#include "storage/lookups/lookup_store.h"

namespace sekisho::lookups {
namespace {

struct Link {
  bool there = false;
  record::Digest digest{};
  std::optional<record::BlockHeader> header;
};

class Walk {
 public:
  Walk(Partition& partition, const Instant* instant, VerifyReport* report)
      : partition_(partition), instant_(instant), report_(report) {}

  void Say(uint64_t block, std::string what) {
    report_->findings.push_back({partition_.id(), block, std::move(what)});
  }

  // The headers 1 … `blocks`, and what stands behind them.
  void ReadLinks(uint64_t blocks) {
    links_.resize(blocks + 1);
    for (uint64_t n = 1; n <= blocks; ++n) {
      std::string bytes;
      if (!partition_.HeaderBytes(static_cast<uint32_t>(n), instant_, &bytes)) {
        Say(n, "is missing or cannot be read");
        continue;
      }
      links_[n] = {true, record::Sha256(AsBytes(bytes)), record::DecodeHeader(AsBytes(bytes))};
      if (!links_[n].header) {
        Say(n, "has a header that cannot be read");
      } else if (links_[n].header->number != n) {
        Say(n, "holds what was block " + std::to_string(links_[n].header->number));
      }
    }
    for (const uint32_t n : partition_.HeaderNumbers(instant_)) {
      if (n == 0 || n > blocks) Say(n, "was put in: no signed head knows it");
    }
  }

  // From the end backwards: `expected` is the digest that the block must have.
  void CheckLinks(const ChainEnd& end) {
    record::Digest expected = end.digest;
    bool known = true;
    for (uint64_t n = end.blocks; n >= 1; --n) {
      const Link& link = links_[n];
      if (!link.there || !link.header) {
        known = false;
        continue;
      }
      if (known && link.digest != expected && link.header->number == n)
        Say(n, "is not the block that was written: its header does not match the chain");
      expected = link.header->previous;
      known = link.header->number == n;
    }
    if (known && end.blocks > 0 && expected != record::Digest{}) Say(1, "is not the first of its chain");
  }

  void CheckSections(uint64_t n) {
    const auto& header = links_[n].header;
    if (!header) return;
    const auto damage = partition_.SectionDamage(static_cast<uint32_t>(n), *header, instant_);
    if (!damage.empty()) Say(n, damage);
    ++report_->blocks;
    report_->rows += header->rows;
    for (const record::SourceRange& s : header->sources) {
      SourceSum& sum = report_->sources[{s.node, s.boot, s.worker}];
      sum.rows += s.count;
      sum.lost += s.lost;
    }
  }

 private:
  Partition& partition_;
  const Instant* instant_;
  VerifyReport* report_;
  std::vector<Link> links_;
};

}  // namespace

void VerifyPartition(Partition& partition, const Instant* instant, const std::vector<ChainEnd>& ends,
                     const std::function<bool()>& stop, VerifyReport* report) {
  ++report->partitions;
  Walk walk(partition, instant, report);
  const std::vector<uint32_t> numbers = partition.HeaderNumbers(instant);
  const uint64_t last = numbers.empty() ? 0 : numbers.back();
  if (ends.empty()) {
    if (last > 0) walk.Say(0, "is not signed");
    return;
  }
  // A day that was being written when the process died is in one of the states; else the newest is meant.
  ChainEnd end = ends.back();
  std::string bytes;
  for (const ChainEnd& e : ends) {
    if (e.blocks != last) continue;
    if (last == 0 || (partition.HeaderBytes(static_cast<uint32_t>(last), instant, &bytes) &&
                      record::Sha256(AsBytes(bytes)) == e.digest)) {
      end = e;
    }
  }
  if (last < end.blocks) {
    walk.Say(0, "ends with block " + std::to_string(last) + ", but block " + std::to_string(end.blocks) +
                    " was signed: cut off, or an old copy");
  }
  walk.ReadLinks(end.blocks);
  walk.CheckLinks(end);
  for (uint64_t n = 1; n <= end.blocks; ++n) {
    if (stop()) {
      report->complete = false;
      return;
    }
    walk.CheckSections(n);
  }
}

VerifyReport LookupStore::Verify(const std::function<bool()>& stop) const {
  VerifyReport report;
  const View view = TakeView(INT64_MIN, INT64_MAX);
  Heads heads;
  {
    std::lock_guard<std::mutex> lock(heads_mutex_);
    heads = heads_->heads();
    report.troubles = troubles_;
  }
  report.counter = heads.counter;
  report.key = record::Hex(heads.key);
  report.gone = heads.gone;
  for (const View::Day& day : view.days) {
    auto ends = heads.days[day.partition->id()];
    VerifyPartition(*day.partition, day.instant.get(), ends, stop, &report);
    heads.days.erase(day.partition->id());
  }
  for (const DamagedPartition& d : view.damaged) {
    report.findings.push_back({d.id, 0, "is fenced: " + d.why});
    std::string error;
    const auto partition = Partition::OpenToRead(options_.dir, d.id, cache_, &error);
    if (partition) {
      VerifyPartition(*partition, nullptr, heads.days[d.id], stop, &report);
    } else {
      report.findings.push_back({d.id, 0, "cannot be opened: " + error});
    }
    heads.days.erase(d.id);
  }
  for (const auto& [id, ends] : heads.days) {
    if (ends.back().blocks > 0) report.findings.push_back({id, 0, "is missing, and no tombstone tells why"});
  }
  return report;
}

}  // namespace sekisho::lookups
