#include "storage/lookups/block_terms.h"

#include <algorithm>
#include <array>
#include <set>
#include <string>
#include <vector>

#include "storage/lookups/partition.h"

namespace sekisho::lookups {
namespace {

using Mapped = std::array<uint8_t, 16>;

// Collects the addresses of an answer set.
void AddressesOf(std::string_view set, std::vector<Mapped>* out) {
  while (!set.empty()) {
    const auto kind = static_cast<record::ItemKind>(set[2]);
    set.remove_prefix(3);
    size_t size = 4;
    if (kind == record::ItemKind::kV4) {
      Mapped a{};
      a[10] = a[11] = 0xff;
      std::copy_n(set.begin(), 4, a.begin() + 12);
      out->push_back(a);
    } else if (kind == record::ItemKind::kV6) {
      size = 16;
      Mapped a{};
      std::copy_n(set.begin(), 16, a.begin());
      out->push_back(a);
    } else if (kind == record::ItemKind::kOther) {
      size = size_t{2} + record::FromKeyBytes<uint16_t>(set);
    }
    set.remove_prefix(size);
  }
}

template <typename T>
void SortUniqueAll(std::vector<T>* v) {
  std::sort(v->begin(), v->end());
  v->erase(std::unique(v->begin(), v->end()), v->end());
}

}  // namespace

void ForEachFeed(std::string_view feeds, const std::function<void(std::string_view)>& each) {
  while (!feeds.empty()) {
    const size_t comma = std::min(feeds.find(", "), feeds.size());
    if (comma > 0) each(feeds.substr(0, comma));
    feeds.remove_prefix(std::min(feeds.size(), comma + 2));
  }
}

bool ForEachTerm(record::BlockReader& block, const std::function<void(std::string_view)>& add) {
  if (!block.LoadAnswers() || !block.LoadExchanges() || !block.LoadAskers()) return false;
  std::vector<Mapped> answers;
  for (uint32_t set = 0; set < block.answer_sets(); ++set) AddressesOf(block.AnswerSet(set), &answers);
  std::vector<Mapped> clients;
  std::set<uint32_t> agencies;
  for (const record::Asker& who : block.askers()) {
    clients.push_back(who.address);
    agencies.insert(who.agency);
  }
  std::vector<bool> asked(block.name_count(), false);
  std::set<std::string> few;  // terms of which a block has a handful
  std::set<uint32_t> feeds;
  std::set<uint16_t> rcodes;
  std::set<uint16_t> types;
  std::set<uint8_t> actions;
  for (const record::Exchange& x : block.exchanges()) {
    asked[x.name] = true;
    if (x.feeds != 0) feeds.insert(x.feeds);
    rcodes.insert(x.rcode);
    types.insert(x.qtype);
    actions.insert(x.action);
  }
  for (const uint32_t t : feeds) {
    ForEachFeed(block.texts()[t], [&few](std::string_view feed) { few.insert(TextTerm('f', feed)); });
  }
  for (const uint32_t t : agencies) few.insert(TextTerm('g', block.texts()[t]));
  for (const uint16_t r : rcodes) few.insert(NumberTerm('r', r));
  for (const uint16_t t : types) few.insert(NumberTerm('t', t));
  for (const uint8_t a : actions) few.insert(NumberTerm('v', a));

  SortUniqueAll(&answers);
  SortUniqueAll(&clients);
  for (const Mapped& a : answers) add(AddressTerm('a', a));
  for (const Mapped& c : clients) add(AddressTerm('c', c));
  for (const std::string& t : few) add(t);
  std::string term = "n";
  for (uint32_t id = 0; id < block.name_count(); ++id) {
    if (!asked[id]) continue;
    term.resize(1);
    term.append(block.NameKeyAt(id));
    add(term);
  }
  return true;
}

}  // namespace sekisho::lookups
