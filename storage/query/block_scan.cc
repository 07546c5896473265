#include "storage/query/block_scan.h"

#include <algorithm>
#include <optional>

#include "storage/query/block_match.h"

namespace sekisho::query {
namespace {

using record::BlockReader;

RowKey KeyAt(const record::BlockHeader& h, const BlockReader::Rest& rest, uint32_t i) {
  const record::SourceRange& s = h.sources[rest.source[i]];
  return {rest.time_us[i], s.node, s.boot, s.worker, rest.sequence[i]};
}

// The rows of the chunk that fit, as indexes in it. False: damaged.
bool FitsOfChunk(BlockReader& block, BlockMatch& match, uint32_t chunk, std::vector<uint32_t>* rows) {
  rows->clear();
  const record::BlockHeader& h = block.header();
  const uint32_t count = std::min(h.chunk_rows, h.rows - chunk * h.chunk_rows);
  const std::vector<uint32_t>* exchanges = nullptr;
  const std::vector<uint32_t>* askers = nullptr;
  if (!match.any_exchange() || match.mixed()) {
    exchanges = block.ChunkExchangeIds(chunk);
    if (exchanges == nullptr) return false;
    for (uint32_t i = 0; i < count; ++i) {
      if (match.Exchange((*exchanges)[i])) rows->push_back(i);
    }
  } else {
    for (uint32_t i = 0; i < count; ++i) rows->push_back(i);
  }
  if (!rows->empty() && (!match.any_asker() || match.mixed())) {
    askers = block.ChunkAskerIds(chunk);
    if (askers == nullptr) return false;
    std::erase_if(*rows, [&](uint32_t i) { return !match.Asker((*askers)[i]); });
  }
  if (!rows->empty() && (!match.any_manner() || match.mixed())) {
    const auto* rest = block.ChunkRestColumns(chunk);
    if (rest == nullptr) return false;
    std::erase_if(*rows, [&](uint32_t i) {
      return !match.Manner(rest->manner[i]) ||
             (match.mixed() && !match.Mixed((*exchanges)[i], (*askers)[i], rest->manner[i]));
    });
  }
  return block.error().empty();
}

// The chunks worth a look, and in time.
std::vector<bool> ChunksToRead(const BlockReader& block, BlockMatch& match, int64_t from_us, int64_t end_us) {
  std::vector<bool> out = match.Chunks();
  for (uint32_t chunk = 0; chunk < out.size(); ++chunk) {
    if (block.ChunkFirst(chunk) >= end_us || block.ChunkLast(chunk) < from_us) out[chunk] = false;
  }
  return out;
}

// The count when the dictionaries alone can tell it.
std::optional<uint64_t> CountOfUses(BlockReader& block, const BlockMatch& match) {
  if (!match.any_manner() || match.mixed() || (!match.any_exchange() && !match.any_asker()))
    return std::nullopt;
  uint64_t count = 0;
  if (!match.any_exchange()) {
    for (const uint32_t id : match.exchanges()) count += block.ExchangeUse(id).rows;
  } else if (!match.any_asker()) {
    for (const uint32_t id : match.askers()) count += block.AskerUse(id).rows;
  } else {
    count = block.header().rows;
  }
  return count;
}

}  // namespace

bool ScanBlock(BlockReader& block, const Condition& condition, const ScanOrder& order,
               const std::function<bool(const FoundRow&)>& found) {
  BlockMatch match(&block, condition);
  if (!match.Prepare()) return false;
  if (match.none()) return true;
  if (!block.LoadDirectory()) return false;
  const record::BlockHeader& h = block.header();
  const std::vector<bool> wanted = ChunksToRead(block, match, order.from_us, order.end_us);
  std::vector<uint32_t> rows;
  for (uint32_t step = 0; step < h.chunks(); ++step) {
    const uint32_t chunk = order.oldest_first ? step : h.chunks() - 1 - step;
    if (!wanted[chunk]) continue;
    if (!FitsOfChunk(block, match, chunk, &rows)) return false;
    if (rows.empty()) continue;
    const auto* rest = block.ChunkRestColumns(chunk);
    if (rest == nullptr) return false;
    if (!order.oldest_first) std::reverse(rows.begin(), rows.end());
    for (const uint32_t i : rows) {
      if (rest->time_us[i] < order.from_us || rest->time_us[i] >= order.end_us) continue;
      if (!found({chunk * h.chunk_rows + i, KeyAt(h, *rest, i)})) return true;
    }
  }
  return true;
}

bool CountBlock(BlockReader& block, const Condition& condition, int64_t from_us, int64_t end_us,
                uint64_t* count) {
  BlockMatch match(&block, condition);
  if (!match.Prepare()) return false;
  if (match.none()) return true;
  const record::BlockHeader& h = block.header();
  const bool whole = h.first_us >= from_us && h.last_us < end_us;
  if (whole) {
    if (const auto sum = CountOfUses(block, match)) {
      *count += *sum;
      return block.error().empty();
    }
  }
  if (!block.LoadDirectory()) return false;
  const std::vector<bool> wanted = ChunksToRead(block, match, from_us, end_us);
  std::vector<uint32_t> rows;
  for (uint32_t chunk = 0; chunk < h.chunks(); ++chunk) {
    if (!wanted[chunk]) continue;
    if (!FitsOfChunk(block, match, chunk, &rows)) return false;
    if (rows.empty() || (block.ChunkFirst(chunk) >= from_us && block.ChunkLast(chunk) < end_us)) {
      *count += rows.size();
      continue;
    }
    const auto* rest = block.ChunkRestColumns(chunk);
    if (rest == nullptr) return false;
    for (const uint32_t i : rows) {
      if (rest->time_us[i] >= from_us && rest->time_us[i] < end_us) ++*count;
    }
  }
  return true;
}

}  // namespace sekisho::query
