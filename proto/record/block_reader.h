// BlockReader: opens a column block of untrusted bytes and unpacks only what is asked for.
//
//   auto block = BlockReader::Open(bytes, &error);
//   for (uint32_t i = 0; i < block->header().rows; ++i) { LookupRecord r; if (!block->Row(i, &r)) damaged; }
//
// Filters go by dictionaries: find the exchanges and askers that fit, then scan the one column that names
// them, in the chunks where they are. Every section is checked against its digest before it is unpacked.
// Dictionaries are unpacked page by page, as entries are asked for. The first defect is kept in error(); from
// then on calls fail, and entries that cannot be had are empty: look at error() after using them.
//
// Threads: one thread. Limits: those of block_header.h; never more memory than the header's counts allow.
#ifndef SEKISHO_PROTO_RECORD_BLOCK_READER_H_
#define SEKISHO_PROTO_RECORD_BLOCK_READER_H_

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "proto/base/ip_address.h"
#include "proto/record/block_header.h"
#include "proto/record/block_layout.h"
#include "proto/record/column.h"
#include "proto/record/lookup_record.h"

namespace sekisho::record {

class BlockReader {
 public:
  // Fetches one section's bytes; false: it cannot be had.
  using Fetch = std::function<bool(const SectionInfo& section, std::string* bytes)>;

  // A whole block (frame, header, sections); `bytes` must outlive the reader. Null and *error on a defect.
  static std::unique_ptr<BlockReader> Open(std::span<const uint8_t> bytes, std::string* error);
  // A block whose sections are kept elsewhere.
  static std::unique_ptr<BlockReader> Open(BlockHeader header, Fetch fetch);

  const BlockHeader& header() const { return header_; }
  const std::string& error() const { return error_; }
  // Unpacks and checks everything.
  bool Verify();

  // How large the dictionaries are. Called by all that follow; the counts are zero before.
  bool LoadDirectory();
  uint32_t name_count() const { return name_count_; }
  uint32_t exchange_count() const { return exchange_count_; }
  uint32_t answer_sets() const { return first_set_.empty() ? 0 : first_set_.back(); }
  // All pages at once.
  bool LoadNames();
  bool LoadAnswers();
  bool LoadExchanges();
  // Those that have no pages.
  bool LoadTexts();
  bool LoadAskers();
  bool LoadManners();
  const std::vector<std::string>& texts() const { return texts_; }
  const std::vector<Asker>& askers() const { return askers_; }
  const std::vector<Manner>& manners() const { return manners_; }

  // Ids of names are in the order of their keys.
  std::string_view NameKeyAt(uint32_t id);
  // The first id whose key is not below `key`.
  uint32_t NameLowerBound(std::string_view key);
  const Exchange& ExchangeAt(uint32_t id);
  uint16_t BaseSize(uint32_t exchange);
  // The set's items, as block_layout.h describes them in memory.
  std::string_view AnswerSet(uint32_t id);

  // How many rows use the entry, and in which chunks they are (none: it may be in any).
  struct Use {
    uint32_t rows = 0;
    std::span<const uint16_t> chunks;
  };
  Use ExchangeUse(uint32_t id);
  Use AskerUse(uint32_t id) const;

  // Appends the exchanges whose query name has an id in [from, end). False: damaged.
  bool ExchangesOfNames(uint32_t from, uint32_t end, std::vector<uint32_t>* ids);
  // Appends pages of exchanges; only these can have an exchange with that answer address.
  bool PagesOfAddress(const std::array<uint8_t, 16>& mapped, std::vector<uint32_t>* pages);
  const ExchangePages& pages() const { return pages_; }
  struct Term {
    TermKind kind = TermKind::kFeed;
    std::string text;  // feeds as recorded; a rule's name key; numbers big-endian
    uint32_t rows = 0;
    bool listed = false;  // `exchanges` are all; else too many have it
    std::vector<uint32_t> exchanges;
  };
  // Null: damaged.
  const std::vector<Term>* Terms();

  // Columns of a chunk; the ids in them are checked. The pointers stay valid until the next chunk is loaded.
  const std::vector<uint32_t>* ChunkExchangeIds(uint32_t chunk);
  const std::vector<uint32_t>* ChunkAskerIds(uint32_t chunk);
  struct Rest {
    std::vector<int64_t> time_us;
    PlaneColumn source;
    std::vector<uint64_t> sequence;
    PlaneColumn port;
    PlaneColumn latency_us;
    PlaneColumn manner;
    PlaneColumn size_delta;  // zigzag; from the size of the exchange's first row
  };
  const Rest* ChunkRestColumns(uint32_t chunk);

  // Of a row whose exchange ids and rest are loaded.
  uint16_t ResponseSize(uint64_t exchange, uint64_t size_delta);

  // The times of a chunk's rows are in [ChunkFirst, ChunkLast]. Valid after LoadDirectory.
  int64_t ChunkFirst(uint32_t chunk) const { return chunk_first_us_[chunk]; }
  int64_t ChunkLast(uint32_t chunk) const {
    return chunk + 1 < chunk_first_us_.size() ? chunk_first_us_[chunk + 1] : header_.last_us;
  }

  // The whole row.
  bool Row(uint32_t row, LookupRecord* out);

 private:
  BlockReader(BlockHeader header, Fetch fetch) : header_(std::move(header)), fetch_(std::move(fetch)) {}

  struct NamePage {
    std::string keys;
    std::vector<uint32_t> at;  // count + 1 places in keys
    std::string_view Key(uint32_t i) const { return std::string_view(keys).substr(at[i], at[i + 1] - at[i]); }
  };
  struct ExchangePage {
    std::vector<Exchange> exchanges;
    std::vector<uint16_t> base_size;
    Uses uses;
  };
  struct AnswerPage {
    std::string bytes;
    std::vector<uint32_t> at;  // count + 1 places in bytes
  };

  bool Section(SectionKind kind, uint32_t number, std::string* keep, std::span<const uint8_t>* bytes);
  bool Damaged(const char* what);
  uint32_t RowsOf(uint32_t chunk) const;
  const NamePage* Names(uint32_t page);
  const ExchangePage* Exchanges(uint32_t page);
  const AnswerPage* Answers(uint32_t page);
  bool UnpackDirectory(class ColumnReader& in);
  bool UnpackNames(class ColumnReader& in, uint32_t page, NamePage* out);
  bool UnpackItems(class ColumnReader& in, size_t sets, AnswerPage* out);
  bool UnpackExchanges(class ColumnReader& in, uint32_t page, ExchangePage* out);
  bool UnpackTerms(class ColumnReader& in);
  bool UnpackIds(class ColumnReader& in, uint32_t chunk, std::vector<uint32_t>* ids);
  bool UnpackRest(class ColumnReader& in, uint32_t chunk);
  bool NamesAreKeysInOrder();
  bool PagesFitDirectory();
  bool UsesAreTrue();
  void FillExchange(const Exchange& x, LookupRecord* out);
  void FillAnswers(std::string_view set, LookupRecord* out);
  dns::Name NameOf(uint32_t id);

  BlockHeader header_;
  Fetch fetch_;
  std::span<const uint8_t> whole_;  // of a block in memory
  std::vector<size_t> offsets_;     // of its sections
  std::string error_;

  bool directory_loaded_ = false;
  bool texts_loaded_ = false;
  bool askers_loaded_ = false;
  bool manners_loaded_ = false;
  bool terms_loaded_ = false;
  uint32_t name_count_ = 0;
  uint32_t exchange_count_ = 0;
  std::vector<std::string> first_keys_;  // of the pages of names
  std::vector<uint32_t> first_name_;     // of the pages of exchanges
  std::vector<uint32_t> first_set_;      // of the pages of answers, and behind the last
  std::vector<int64_t> chunk_first_us_;
  uint32_t address_page_bits_ = 0;
  uint32_t address_hash_bits_ = 0;
  ExchangePages pages_;
  std::vector<std::unique_ptr<NamePage>> name_pages_;
  std::vector<std::unique_ptr<ExchangePage>> exchange_pages_;
  std::vector<std::unique_ptr<AnswerPage>> answer_pages_;
  std::vector<std::string> texts_;
  std::vector<Asker> askers_;
  Uses asker_uses_;
  std::vector<Manner> manners_;
  std::vector<Term> terms_;
  std::string scratch_;  // a section's bytes while it is unpacked

  static constexpr uint32_t kNoChunk = UINT32_MAX;
  uint32_t exchange_chunk_ = kNoChunk;
  uint32_t asker_chunk_ = kNoChunk;
  uint32_t rest_chunk_ = kNoChunk;
  std::vector<uint32_t> exchange_ids_;
  std::vector<uint32_t> asker_ids_;
  Rest rest_;
};

}  // namespace sekisho::record

#endif  // SEKISHO_PROTO_RECORD_BLOCK_READER_H_
