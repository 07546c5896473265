// BlockReader: opens a column block of untrusted bytes and unpacks only what is asked for.
//
//   auto block = BlockReader::Open(bytes, &error);
//   for (uint32_t i = 0; i < block->header().rows; ++i) { LookupRecord r; if (!block->Row(i, &r)) damaged; }
//
// Filters go by dictionaries: find the exchanges and askers that fit, then scan the one column that names
// them. Every section is checked against its digest before it is unpacked. The first defect is kept in
// error(); from then on every call fails.
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

  // Dictionaries; each is unpacked on first use.
  bool LoadNames();
  bool LoadTexts();
  bool LoadAskers();
  bool LoadManners();
  bool LoadAnswers();
  bool LoadExchanges();
  uint32_t name_count() const { return name_count_; }
  // Ids of names are in the order of their keys. Valid after LoadNames.
  std::string_view NameKeyAt(uint32_t id) const {
    return std::string_view(name_keys_).substr(name_at_[id], name_at_[id + 1] - name_at_[id]);
  }
  // The first id whose key is not below `key`.
  uint32_t NameLowerBound(std::string_view key) const;
  const std::vector<std::string>& texts() const { return texts_; }
  const std::vector<Asker>& askers() const { return askers_; }
  const std::vector<Manner>& manners() const { return manners_; }
  const std::vector<Exchange>& exchanges() const { return exchanges_; }
  uint32_t answer_sets() const { return static_cast<uint32_t>(sets_.empty() ? 0 : sets_.size() - 1); }
  // The set's items, as block_layout.h describes them in memory.
  std::string_view AnswerSet(uint32_t id) const {
    return std::string_view(set_bytes_).substr(sets_[id], sets_[id + 1] - sets_[id]);
  }
  uint16_t BaseSize(uint32_t exchange) const { return static_cast<uint16_t>(base_sizes_[exchange]); }

  // Columns of a chunk; the ids in them are checked. The pointers stay valid until the next chunk is loaded.
  const std::vector<uint64_t>* ChunkExchangeIds(uint32_t chunk);
  const std::vector<uint64_t>* ChunkAskerIds(uint32_t chunk);
  struct Rest {
    std::vector<int64_t> time_us;
    std::vector<uint64_t> source;
    std::vector<uint64_t> sequence;
    std::vector<uint64_t> port;
    std::vector<uint64_t> latency_us;
    std::vector<uint64_t> manner;
    std::vector<uint64_t> response_size;
  };
  const Rest* ChunkRestColumns(uint32_t chunk);

  // The whole row.
  bool Row(uint32_t row, LookupRecord* out);

 private:
  BlockReader(BlockHeader header, Fetch fetch) : header_(std::move(header)), fetch_(std::move(fetch)) {}

  bool Section(uint8_t id, std::string* bytes);
  bool Damaged(const char* what);
  uint32_t RowsOf(uint32_t chunk) const;
  bool UnpackNames(class ColumnReader& in);
  bool NamesAreKeysInOrder() const;
  bool UnpackItems(class ColumnReader& in, const std::vector<uint64_t>& counts);
  bool SetsFit();
  bool UnpackRest(class ColumnReader& in, uint32_t chunk);
  void FillExchange(const Exchange& x, LookupRecord* out) const;
  void FillAnswers(std::string_view set, LookupRecord* out) const;
  dns::Name NameOf(uint32_t id) const;

  BlockHeader header_;
  Fetch fetch_;
  std::string error_;

  bool names_loaded_ = false;
  bool texts_loaded_ = false;
  bool askers_loaded_ = false;
  bool manners_loaded_ = false;
  bool answers_loaded_ = false;
  bool exchanges_loaded_ = false;
  uint32_t name_count_ = 0;
  std::vector<uint32_t> name_at_;  // count + 1 places in name_keys_
  std::string name_keys_;
  std::vector<std::string> texts_;
  std::vector<Asker> askers_;
  std::vector<Manner> manners_;
  std::vector<uint32_t> sets_;
  std::string set_bytes_;
  std::vector<Exchange> exchanges_;
  std::vector<uint64_t> base_sizes_;
  uint64_t last_set_ = 0;  // the highest that an exchange names

  static constexpr uint32_t kNoChunk = UINT32_MAX;
  uint32_t exchange_chunk_ = kNoChunk;
  uint32_t asker_chunk_ = kNoChunk;
  uint32_t rest_chunk_ = kNoChunk;
  std::vector<uint64_t> exchange_ids_;
  std::vector<uint64_t> asker_ids_;
  Rest rest_;
};

}  // namespace sekisho::record

#endif  // SEKISHO_PROTO_RECORD_BLOCK_READER_H_
