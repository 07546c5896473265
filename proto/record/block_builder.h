// BlockBuilder: collects lookups and makes a column block of them.
//
//   BlockBuilder builder({.node = 1, .boot = boot, .seed = rng.Uint64()});
//   builder.AddRaw(ring.Front());  …
//   FinishedBlock block = builder.Finish(chain.Next(builder));   // and the builder is empty again
//
// Rows come out in the order of their time (those of the same instant in the order they came in).
//
// Threads: one thread. Limits: kMaxBlockRows rows; Full() says when to finish. Names are kept in lower case;
// so are the names that are the data of CNAME, DNAME, NS and PTR.
#ifndef SEKISHO_PROTO_RECORD_BLOCK_BUILDER_H_
#define SEKISHO_PROTO_RECORD_BLOCK_BUILDER_H_

#include <cstdint>
#include <functional>
#include <map>
#include <span>
#include <string>
#include <string_view>
#include <tuple>
#include <vector>

#include "proto/base/now.h"
#include "proto/record/block_header.h"
#include "proto/record/block_layout.h"
#include "proto/record/column.h"
#include "proto/record/dictionary.h"
#include "proto/record/lookup_event.h"
#include "proto/record/lookup_record.h"

namespace sekisho::record {

class BlockReader;

struct BlockOptions {
  uint32_t node = 0;  // of the events added by AddRaw and AddEvent
  uint64_t boot = 0;
  uint64_t seed = 0;     // random, not known to strangers
  uint32_t rows = 8192;  // Full() from here on
  uint32_t chunk_rows = 8192;
  int zstd_level = 1;
  uint32_t latency_bits = 32;  // significant bits kept of the latency of rows added one by one
  int64_t time_unit_us = 1;    // times of rows added one by one are cut to it
};

struct FinishedBlock {
  std::string bytes;
  BlockHeader header;
  Digest digest{};
};

// The place of the next block in a chain, and which sequence number each source is expected to go on with.
class BlockChain {
 public:
  // Counts the numbers missing before and between; a source not seen before is expected to begin with 1.
  void CountLosses(std::vector<SourceRange>* sources) const;
  // The block was written: it is now the end of the chain.
  void Advance(const BlockHeader& header, const Digest& digest);

  uint64_t next_number() const { return number_ + 1; }
  const Digest& last() const { return last_; }

 private:
  uint64_t number_ = 0;
  Digest last_{};
  std::map<std::tuple<uint32_t, uint64_t, uint16_t>, uint64_t> next_sequence_;
};

class BlockBuilder {
 public:
  explicit BlockBuilder(const BlockOptions& options);

  // False: the bytes are not a raw record.
  bool AddRaw(std::span<const uint8_t> raw);
  void AddEvent(const LookupEvent& event);
  void AddRecord(const LookupRecord& record);
  // Adds the rows whose time is in [from_us, to_us), by their dictionaries, much faster than one by one; the
  // losses that the block's header counts are taken over with `losses`. False: the block is damaged (and
  // nothing was added).
  bool AddBlock(BlockReader& block, int64_t from_us, int64_t to_us, bool losses);

  // From now on AddBlock puts `map`'s address in the place of each client's, 0 in that of its port, and
  // leaves out the names of rules about clients, which hold their addresses.
  void MapClients(std::function<IpAddress(const IpAddress&)> map) { map_client_ = std::move(map); }

  uint32_t count() const { return static_cast<uint32_t>(rows_.size()); }
  bool Full() const { return count() >= options_.rows || heap_bytes() > kMaxHeap / 8; }
  // The earliest time in it.
  int64_t first_us() const { return first_us_; }
  int64_t last_us() const { return last_us_; }

  // What the rows have in common that asked the same and got the same: one for each exchange, in no order.
  struct ExchangeSum {
    Exchange exchange;  // its ids are for NameKeyAt and AnswerSet
    uint32_t rows = 0;
    int64_t first_us = INT64_MAX;
    int64_t last_us = INT64_MIN;
  };
  std::vector<ExchangeSum> SumExchanges() const;
  uint32_t name_count() const { return names_.size(); }
  std::string_view NameKeyAt(uint32_t id) const { return names_.Get(id); }
  // Items as block_layout.h describes them in memory.
  std::string_view AnswerSet(uint32_t id) const { return answers_.Get(id); }

  // count() must not be 0. With `count_losses`, losses are found by the chain's sequence numbers.
  FinishedBlock Finish(const BlockChain& chain, bool count_losses);
  void Clear();

 private:
  struct Row {
    int64_t time_us;
    uint64_t sequence;
    uint32_t exchange;
    uint32_t asker;
    uint32_t manner;
    uint32_t latency_us;
    int32_t size_delta;  // response size − that of the exchange's first row
    uint16_t source;
    uint16_t port;
  };
  struct Identity {
    uint32_t node;
    uint64_t boot;
    uint16_t worker;
    uint64_t sequence;
  };
  struct Orders;
  struct Sections;
  struct Remap;

  size_t heap_bytes() const {
    return names_.bytes() + texts_.bytes() + answers_.bytes() + askers_.bytes() + exchanges_.bytes();
  }
  uint16_t SourceOf(const Identity& id);
  uint32_t InternName(dns::NameView name);
  uint32_t InternAnswers(std::span<const AnswerView> answers);
  void AddRow(const Identity& id, const LookupEvent& e);
  void Push(const Identity& id, Row row, uint16_t response_size);
  uint32_t MapExchange(BlockReader& block, uint32_t id, Remap* remap);
  uint32_t MapAnswers(BlockReader& block, uint32_t id, Remap* remap);

  void SortRows();
  void OrderNames(Orders* o) const;
  void OrderAnswers(Orders* o) const;
  Orders MakeOrders(uint32_t chunk_rows) const;
  void NamesSections(const Orders& o, Sections* out, ColumnWriter* directory);
  std::string TextsSection();
  std::string AskersSection(const Orders& o, uint32_t chunks);
  std::string MannersSection();
  void AnswersSections(const Orders& o, Sections* out, std::vector<uint64_t>* new_sets);
  std::string ExchangePage(const Orders& o, uint32_t page, uint32_t next_set, uint32_t chunks);
  std::string TermsSection(const Orders& o);
  void AddressSections(const Orders& o, Sections* out, ColumnWriter* directory);
  void DictionarySections(const Orders& o, Sections* out);
  std::string RestSection(std::span<const Row> rows);
  void RowSections(const Orders& o, Sections* out);

  BlockOptions options_;
  Compressor compressor_;
  Dictionary names_;  // of name keys
  Dictionary texts_;
  Dictionary askers_;
  Dictionary manners_;
  Dictionary answers_;
  Dictionary exchanges_;
  std::vector<uint16_t> base_size_;  // per exchange
  std::vector<Row> rows_;
  std::vector<SourceRange> sources_;
  int64_t first_us_ = INT64_MAX;
  int64_t last_us_ = INT64_MIN;
  std::string key_;
  std::function<IpAddress(const IpAddress&)> map_client_;
};

}  // namespace sekisho::record

#endif  // SEKISHO_PROTO_RECORD_BLOCK_BUILDER_H_
