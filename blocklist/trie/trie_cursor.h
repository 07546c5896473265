// TrieCursor: walks all rules of a trie file in the order of their name keys, exact before subtree.
//
//   for (TrieCursor cursor(view); cursor.Next();) … cursor.rule()
//
// Threads: one; the view must outlive it. Limits: allocates (330 KB of decoding tables); a file whose
// checksum a hostile writer made right may give names that are no names, but ends.
#ifndef SEKISHO_BLOCKLIST_TRIE_TRIE_CURSOR_H_
#define SEKISHO_BLOCKLIST_TRIE_TRIE_CURSOR_H_

#include <cstddef>
#include <cstdint>
#include <vector>

#include "blocklist/trie/trie_view.h"

namespace sekisho::blocklist {

class TrieCursor {
 public:
  explicit TrieCursor(const TrieView& view);

  // False at the end.
  bool Next();
  const Rule& rule() const { return rule_; }

 private:
  bool NextBlock();
  void TakeLong(const uint8_t* block);

  const TrieView* view_;
  std::vector<uint16_t> tables_;  // by class before
  uint32_t block_ = 0;            // the next one
  uint32_t left_ = 0;             // rules left in the block at hand
  bool first_ = false;            // the next rule is the block's first
  const uint8_t* bits_ = nullptr;
  size_t bit_ = 0;
  Rule rule_;
};

}  // namespace sekisho::blocklist

#endif  // SEKISHO_BLOCKLIST_TRIE_TRIE_CURSOR_H_
