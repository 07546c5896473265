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

  bool Exchange(uint64_t id) const { return exchanges_.Has(id); }
  bool Asker(uint64_t id) const { return askers_.Has(id); }
  bool Manner(uint64_t id) const { return manners_.Has(id); }
  // The parts that mix dictionaries; the three above must have said yes.
  bool Mixed(uint64_t exchange, uint64_t asker, uint64_t manner) const;

 private:
  // Bits of a mask of dictionaries.
  enum : uint8_t { kExchange = 1, kAsker = 2, kManner = 4 };
  struct Fits {
    bool all = true;
    std::vector<uint8_t> entry;
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
    std::vector<uint8_t> bits;  // by text, name, answer set, asker or manner, whichever the test is about
  };

  static uint8_t DomainOf(Field field);
  Node Make(const Condition& condition) const;
  bool Load(uint8_t domain);
  bool Ready(Node* node);
  bool ReadyTest(Node* node);
  void ReadyNames(Node* node);
  void ReadyTexts(Node* node);
  void ReadySets(Node* node);
  bool RuleFits(const Test& test, const record::Exchange& x) const;
  bool TestExchange(const Node& node, const record::Exchange& x) const;
  bool Holds(const Node& node, uint64_t exchange, uint64_t asker, uint64_t manner) const;
  bool Decide(uint8_t domain, size_t count, Fits* fits);

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
