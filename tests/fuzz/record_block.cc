// Opens hostile bytes as a column block: once as they are, and once with every digest made right, so that the
// fuzzer reaches the unpacking behind the checks.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <vector>

#include "proto/base/bytes.h"
#include "proto/record/block_builder.h"
#include "proto/record/block_reader.h"

namespace sekisho::record {
namespace {

// input := u8 rows − 1 | u16 size of each section but the last, big-endian | sections
std::string MakeBlock(std::span<const uint8_t> input) {
  constexpr uint32_t kIds[] = {SectionId(SectionKind::kNames),     SectionId(SectionKind::kTexts),
                               SectionId(SectionKind::kAskers),    SectionId(SectionKind::kManners),
                               SectionId(SectionKind::kAnswers),   SectionId(SectionKind::kExchanges),
                               SectionId(SectionKind::kDirectory), SectionId(SectionKind::kTerms),
                               SectionId(SectionKind::kAddresses), SectionId(SectionKind::kRowExchanges),
                               SectionId(SectionKind::kRowAskers), SectionId(SectionKind::kRowRest)};
  ByteReader in(input);
  BlockHeader header;
  header.number = 1;
  header.rows = in.U8() + 1u;
  header.chunk_rows = header.rows;
  header.last_us = 1'000'000;
  header.sources = {{1, 2, 0, 1, header.rows, header.rows, 0}};
  std::vector<size_t> sizes;
  for (size_t i = 0; i + 1 < std::size(kIds); ++i) sizes.push_back(in.U16());
  std::vector<std::string> sections;
  for (size_t i = 0; i < std::size(kIds); ++i) {
    const size_t size = i < sizes.size() ? std::min(sizes[i], in.left()) : in.left();
    sections.emplace_back(AsText(in.Take(size)));
    header.sections.push_back({kIds[i], size, ShortSha256(AsBytes(sections.back()))});
  }
  Digest digest;
  return WriteFrame(header, sections, &digest);
}

void ReadAll(std::span<const uint8_t> bytes) {
  std::string error;
  const auto block = BlockReader::Open(bytes, &error);
  if (!block) return;
  LookupRecord record;
  uint32_t rows = 0;
  while (rows < block->header().rows && block->Row(rows, &record)) ++rows;
  if (!block->Verify()) return;
  if (rows != block->header().rows) std::abort();  // what verifies must also be readable
  BlockBuilder again({.seed = 1, .rows = kMaxBlockRows / 2});
  if (!again.AddBlock(*block, INT64_MIN, INT64_MAX, true) || again.count() != rows) std::abort();
  const FinishedBlock copy = again.Finish(BlockChain(), false);
  const auto reread = BlockReader::Open(AsBytes(copy.bytes), &error);
  if (!reread || !reread->Verify()) std::abort();
}

}  // namespace
}  // namespace sekisho::record

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::span<const uint8_t> input(data, size);
  sekisho::record::ReadAll(input);
  const std::string made = sekisho::record::MakeBlock(input);
  sekisho::record::ReadAll(sekisho::AsBytes(made));
  return 0;
}
