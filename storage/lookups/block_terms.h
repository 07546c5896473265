// BlockTerms: what a block is found by — each distinct term of its rows, once.
//
// Threads: functions without state.
#ifndef SEKISHO_STORAGE_LOOKUPS_BLOCK_TERMS_H_
#define SEKISHO_STORAGE_LOOKUPS_BLOCK_TERMS_H_

#include <functional>
#include <string_view>

#include "proto/record/block_reader.h"

namespace sekisho::lookups {

// Calls `add` for every term, in an order near to that of the keys. False: the block is damaged.
bool ForEachTerm(record::BlockReader& block, const std::function<void(std::string_view term)>& add);
// Calls `each` for the names in a rule's list of feeds ("a, b").
void ForEachFeed(std::string_view feeds, const std::function<void(std::string_view feed)>& each);

}  // namespace sekisho::lookups

#endif  // SEKISHO_STORAGE_LOOKUPS_BLOCK_TERMS_H_
