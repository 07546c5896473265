// BlockMatch: a condition made ready for one block: which of its exchanges, askers and manners can be in a
// row that fits, and whether a row fits.
//
//   BlockMatch match(&block, condition);
//   if (!match.Prepare()) damaged;
//   match.Exchange(id), match.Asker(id) … spare columns; match.Row(exchange, asker, manner) decides
//
// A condition is a tree; what of it speaks of one dictionary alone is decided once for an entry, and only
// what mixes dictionaries is decided for each row.
//
// Threads: one thread. Limits: memory grows with the block's dictionaries.
#ifndef SEKISHO_STORAGE_QUERY_BLOCK_MATCH_H_
#define SEKISHO_STORAGE_QUERY_BLOCK_MATCH_H_

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "proto/record/block_reader.h"
#include "storage/query/condition.h"

namespace sekisho::query {

class BlockMatch {
 public:
  BlockMatch(record::BlockReader* block, const Condition& condition);

  // Loads what is needed and decides each entry. False: the block is damaged.
  bool Prepare();
  // No row can fit.
  bool none() const { return none_; }
  // Every entry of that dictionary fits; its column need not be read for the sake of the match.
  bool any_exchange() const { return exchanges_.all; }
  bool any_asker() const { return askers_.all; }
  bool any_manner() const { return manners_.all; }
  bool mixed() const { return !mixed_.empty(); }

  // Those that fit, when not any does.
  const std::vector<uint32_t>& exchanges() const { return exchanges_.list; }
  const std::vector<uint32_t>& askers() const { return askers_.list; }
  // Marks the chunks that can have rows that fit.
  std::vector<bool> Chunks();

  bool Exchange(uint64_t id) const { return exchanges_.Has(id); }
  bool Asker(uint64_t id) const { return askers_.Has(id); }
  bool Manner(uint64_t id) const { return manners_.Has(id); }
  // The parts that mix dictionaries; the three above must have said yes.
  bool Mixed(uint64_t exchange, uint64_t asker, uint64_t manner);

 private:
  // Bits of a mask of dictionaries.
  enum : uint8_t { kExchange = 1, kAsker = 2, kManner = 4 };
  struct Fits {
    bool all = true;
    std::vector<uint8_t> entry;
    std::vector<uint32_t> list;
    bool Has(uint64_t id) const { return all || entry[id] != 0; }
  };
  // A condition's node with what this block knows of it.
  struct Node {
    Condition::Kind kind = Condition::Kind::kAll;
    const Test* test = nullptr;
    uint8_t domain = 0;  // the dictionaries it speaks of
    std::vector<Node> parts;
    uint32_t from = 0;  // of names: ids [from, end)
    uint32_t end = 0;
    // By text, name, answer set, asker or manner, whichever the test is about. Of names and sets: 0 not yet
    // known, 1 no, 2 yes.
    std::vector<uint8_t> bits;
  };

  using Ids = std::optional<std::vector<uint32_t>>;  // nothing: it cannot be said cheaply

  static uint8_t DomainOf(Field field);
  Node Make(const Condition& condition) const;
  bool Ready(Node* node);
  bool ReadyTest(Node* node);
  void ReadyNames(Node* node);
  void ReadyTexts(Node* node);
  void ReadyAskers(Node* node);
  // Exchanges that can fit; all others cannot.
  Ids Candidates(const Node& node);
  Ids CandidatesByTest(const Node& node);
  Ids CandidatesByTerm(const Test& test);
  Ids CandidatesByAddress(const Test& test);
  bool SetFits(const Test& test, uint32_t set);
  bool RuleFits(const Test& test, const record::Exchange& x);
  bool TestExchange(Node& node, const record::Exchange& x);
  bool Holds(Node& node, uint64_t exchange, uint64_t asker, uint64_t manner);
  // Decides each of `count` entries, or only those in `ids`; false when none fits.
  bool Decide(uint8_t domain, size_t count, const Ids& ids, Fits* fits);
  bool DecideExchanges();

  record::BlockReader* block_;
  std::vector<Node> factors_;  // all must hold; each of one domain
  std::vector<Node> mixed_;    // all must hold
  Fits exchanges_;
  Fits askers_;
  Fits manners_;
  bool none_ = false;
};

}  // namespace sekisho::query

#endif  // SEKISHO_STORAGE_QUERY_BLOCK_MATCH_H_
