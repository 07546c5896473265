#include "storage/query/block_match.h"

#include <algorithm>
#include <bit>

#include "proto/dns/name_key.h"

namespace sekisho::query {
namespace {

// The name of a key as a pattern sees it: lower case, no dot at the end.
std::string NameTextOf(std::string_view key) {
  const auto name = dns::NameFromKey(key);
  if (!name) return "";
  std::string text = name->ToString();
  if (text.size() > 1) text.pop_back();
  return text;
}

bool NameFits(const Test& test, std::string_view key) {
  switch (test.match) {
    case Test::Match::kExact:
      return key == test.name_key;
    case Test::Match::kUnder:
      return key.starts_with(test.name_key);
    case Test::Match::kBelow:
      return key.size() > test.name_key.size() && key.starts_with(test.name_key);
    case Test::Match::kPattern:
      return MatchesPattern(test.text, NameTextOf(key));
  }
  return false;
}

bool TextFits(const Test& test, std::string_view text) {
  return test.match == Test::Match::kPattern ? MatchesPattern(test.text, text) : text == test.text;
}

bool Among(const Test& test, uint16_t number) {
  return std::find(test.numbers.begin(), test.numbers.end(), number) != test.numbers.end();
}

// The end (exclusive) of all keys that start with `prefix`; empty: there is none.
std::string AfterPrefix(std::string prefix) {
  while (!prefix.empty() && static_cast<uint8_t>(prefix.back()) == 0xff) prefix.pop_back();
  if (!prefix.empty()) prefix.back() = static_cast<char>(static_cast<uint8_t>(prefix.back()) + 1);
  return prefix;
}

// One of the names in a rule's list of feeds ("a, b") fits.
bool FeedFits(const Test& test, std::string_view feeds) {
  while (!feeds.empty()) {
    const size_t comma = std::min(feeds.find(", "), feeds.size());
    if (comma > 0 && TextFits(test, feeds.substr(0, comma))) return true;
    feeds.remove_prefix(std::min(feeds.size(), comma + 2));
  }
  return false;
}

// Calls each(kind, payload) for an answer set's items.
template <typename Each>
void ForEachItem(std::string_view set, Each each) {
  while (!set.empty()) {
    const auto kind = static_cast<record::ItemKind>(set[2]);
    set.remove_prefix(3);
    size_t size = 4;
    if (kind == record::ItemKind::kV6) size = 16;
    if (kind == record::ItemKind::kOther) size = size_t{2} + record::FromKeyBytes<uint16_t>(set);
    each(kind, set.substr(0, size));
    set.remove_prefix(size);
  }
}

bool SetHasAddress(std::string_view set, const IpPrefix& prefix) {
  bool has = false;
  ForEachItem(set, [&](record::ItemKind kind, std::string_view data) {
    if (kind != record::ItemKind::kV4 && kind != record::ItemKind::kV6) return;
    const auto address = IpAddress::FromRdata({reinterpret_cast<const uint8_t*>(data.data()), data.size()});
    has = has || (address && prefix.Contains(*address));
  });
  return has;
}

}  // namespace

BlockMatch::BlockMatch(record::BlockReader* block, const Condition& condition) : block_(block) {
  const auto add = [this](Node node) {
    (std::popcount(node.domain) <= 1 ? factors_ : mixed_).push_back(std::move(node));
  };
  if (condition.kind != Condition::Kind::kAll) {
    add(Make(condition));
    return;
  }
  for (const Condition& part : condition.parts) add(Make(part));
}

uint8_t BlockMatch::DomainOf(Field field) {
  switch (field) {
    case Field::kClient:
    case Field::kAgency:
      return kAsker;
    case Field::kOrigin:
    case Field::kTransport:
      return kManner;
    default:
      return kExchange;
  }
}

BlockMatch::Node BlockMatch::Make(const Condition& condition) const {
  Node node;
  node.kind = condition.kind;
  if (condition.kind == Condition::Kind::kTest) {
    node.test = &condition.test;
    node.domain = DomainOf(condition.test.field);
  }
  for (const Condition& part : condition.parts) {
    node.parts.push_back(Make(part));
    node.domain |= node.parts.back().domain;
  }
  return node;
}

bool BlockMatch::Ready(Node* node) {
  if (node->kind == Condition::Kind::kTest) return ReadyTest(node);
  return std::all_of(node->parts.begin(), node->parts.end(), [this](Node& part) { return Ready(&part); });
}

bool BlockMatch::ReadyTest(Node* node) {
  const Test& test = *node->test;
  switch (test.field) {
    case Field::kName:
      if (!block_->LoadDirectory()) return false;
      ReadyNames(node);
      break;
    case Field::kFeed:
    case Field::kCategory:
      if (!block_->LoadTexts()) return false;
      ReadyTexts(node);
      break;
    case Field::kAnswer:
    case Field::kTarget:
      if (!block_->LoadDirectory()) return false;
      node->bits.resize(block_->answer_sets(), 0);
      break;
    case Field::kClient:
    case Field::kAgency:
      if (!block_->LoadAskers()) return false;
      ReadyAskers(node);
      break;
    case Field::kOrigin:
    case Field::kTransport:
      if (!block_->LoadManners()) return false;
      for (const record::Manner& how : block_->manners()) {
        node->bits.push_back(Among(test, test.field == Field::kOrigin ? how.origin : how.transport) ? 1 : 0);
      }
      break;
    default:
      break;
  }
  return block_->error().empty();
}

void BlockMatch::ReadyAskers(Node* node) {
  const Test& test = *node->test;
  std::vector<uint8_t> texts;
  if (test.field == Field::kAgency) {
    for (const std::string& text : block_->texts()) texts.push_back(TextFits(test, text) ? 1 : 0);
  }
  for (const record::Asker& who : block_->askers()) {
    if (test.field == Field::kAgency) {
      node->bits.push_back(texts[who.agency]);
      continue;
    }
    const auto address = IpAddress::FromRdata(who.address);
    node->bits.push_back(address && test.prefix.Contains(*address) ? 1 : 0);
  }
}

void BlockMatch::ReadyNames(Node* node) {
  const Test& test = *node->test;
  if (test.match == Test::Match::kPattern) {
    node->bits.resize(block_->name_count(), 0);
    return;
  }
  node->from = block_->NameLowerBound(test.name_key);
  const bool there = node->from < block_->name_count() && block_->NameKeyAt(node->from) == test.name_key;
  if (test.match == Test::Match::kExact) {
    node->end = node->from + (there ? 1 : 0);
    return;
  }
  if (test.match == Test::Match::kBelow && there) ++node->from;
  const std::string after = AfterPrefix(test.name_key);
  node->end = after.empty() ? block_->name_count() : block_->NameLowerBound(after);
}

void BlockMatch::ReadyTexts(Node* node) {
  const Test& test = *node->test;
  for (const std::string& text : block_->texts()) {
    node->bits.push_back((test.field == Field::kFeed ? FeedFits(test, text) : TextFits(test, text)) ? 1 : 0);
  }
}

BlockMatch::Ids BlockMatch::Candidates(const Node& node) {
  Ids out;
  switch (node.kind) {
    case Condition::Kind::kTest:
      return CandidatesByTest(node);
    case Condition::Kind::kAll:
      for (const Node& part : node.parts) {
        Ids ids = Candidates(part);
        if (ids && (!out || ids->size() < out->size())) out = std::move(ids);
      }
      return out;
    case Condition::Kind::kAny:
      out.emplace();
      for (const Node& part : node.parts) {
        const Ids ids = Candidates(part);
        if (!ids) return std::nullopt;
        out->insert(out->end(), ids->begin(), ids->end());
      }
      return out;
    case Condition::Kind::kNot:
      break;
  }
  return std::nullopt;
}

BlockMatch::Ids BlockMatch::CandidatesByTest(const Node& node) {
  const Test& test = *node.test;
  switch (test.field) {
    case Field::kName: {
      // A great part of all names is as quickly looked through.
      if (test.match == Test::Match::kPattern || node.end - node.from > block_->name_count() / 2 + 1)
        return std::nullopt;
      std::vector<uint32_t> ids;
      if (node.from < node.end && !block_->ExchangesOfNames(node.from, node.end, &ids)) return std::nullopt;
      return ids;
    }
    case Field::kAnswer:
      return CandidatesByAddress(test);
    case Field::kRule:
    case Field::kFeed:
    case Field::kAction:
    case Field::kRcode:
    case Field::kType:
      return CandidatesByTerm(test);
    default:
      return std::nullopt;
  }
}

BlockMatch::Ids BlockMatch::CandidatesByTerm(const Test& test) {
  const auto* terms = block_->Terms();
  if (terms == nullptr) return std::nullopt;
  const record::TermKind kind = test.field == Field::kRule     ? record::TermKind::kRule
                                : test.field == Field::kFeed   ? record::TermKind::kFeed
                                : test.field == Field::kAction ? record::TermKind::kAction
                                : test.field == Field::kRcode  ? record::TermKind::kRcode
                                                               : record::TermKind::kType;
  const auto number = [](const std::string& text) {
    return static_cast<uint16_t>(static_cast<uint8_t>(text[0]) << 8 | static_cast<uint8_t>(text[1]));
  };
  std::vector<uint32_t> ids;
  for (const record::BlockReader::Term& term : *terms) {
    if (term.kind != kind) continue;
    const bool fits = test.field == Field::kRule   ? NameFits(test, term.text)
                      : test.field == Field::kFeed ? FeedFits(test, term.text)
                                                   : term.text.size() == 2 && Among(test, number(term.text));
    if (!fits) continue;
    if (!term.listed) return std::nullopt;
    ids.insert(ids.end(), term.exchanges.begin(), term.exchanges.end());
  }
  return ids;
}

BlockMatch::Ids BlockMatch::CandidatesByAddress(const Test& test) {
  if (test.prefix.mapped_length() != 128) return std::nullopt;
  std::vector<uint32_t> pages;
  if (!block_->PagesOfAddress(test.prefix.address().mapped(), &pages)) return std::nullopt;
  std::vector<uint32_t> ids;
  for (const uint32_t page : pages) {
    for (uint32_t id = block_->pages().Begin(page); id < block_->pages().End(page); ++id) ids.push_back(id);
  }
  return ids;
}

bool BlockMatch::SetFits(const Test& test, uint32_t set) {
  if (test.field == Field::kAnswer) return SetHasAddress(block_->AnswerSet(set), test.prefix);
  bool fits = false;
  ForEachItem(block_->AnswerSet(set), [&](record::ItemKind kind, std::string_view data) {
    if (kind != record::ItemKind::kName) return;
    fits = fits || NameFits(test, block_->NameKeyAt(record::FromKeyBytes<uint32_t>(data)));
  });
  return fits;
}

bool BlockMatch::RuleFits(const Test& test, const record::Exchange& x) {
  if (x.rule_labels == 0 || x.trigger_name == 0) return false;
  return NameFits(test, record::RuleKey(block_->NameKeyAt(x.trigger_name - 1), x.rule_labels));
}

bool BlockMatch::TestExchange(Node& node, const record::Exchange& x) {
  const Test& test = *node.test;
  const auto remembered = [](uint8_t& bit, auto decide) {
    if (bit == 0) bit = decide() ? 2 : 1;
    return bit == 2;
  };
  switch (test.field) {
    case Field::kName:
      if (node.bits.empty()) return x.name >= node.from && x.name < node.end;
      return remembered(node.bits[x.name], [&] { return NameFits(test, block_->NameKeyAt(x.name)); });
    case Field::kRule:
      return RuleFits(test, x);
    case Field::kAnswer:
    case Field::kTarget:
      return remembered(node.bits[x.answers], [&] { return SetFits(test, x.answers); });
    case Field::kFeed:
      return node.bits[x.feeds] != 0;
    case Field::kCategory:
      return node.bits[x.category] != 0;
    case Field::kAction:
      return Among(test, x.action);
    case Field::kTrigger:
      return Among(test, x.trigger);
    case Field::kRcode:
      return Among(test, x.rcode);
    case Field::kType:
      return Among(test, x.qtype);
    case Field::kSecurity:
      return Among(test, x.security);
    case Field::kEde:
      return x.ede != 0xffff && Among(test, x.ede);
    default:
      return false;
  }
}

bool BlockMatch::Holds(Node& node, uint64_t exchange, uint64_t asker, uint64_t manner) {
  const auto holds = [&](Node& part) { return Holds(part, exchange, asker, manner); };
  switch (node.kind) {
    case Condition::Kind::kAll:
      return std::all_of(node.parts.begin(), node.parts.end(), holds);
    case Condition::Kind::kAny:
      return std::any_of(node.parts.begin(), node.parts.end(), holds);
    case Condition::Kind::kNot:
      return !holds(node.parts.front());
    case Condition::Kind::kTest:
      break;
  }
  if (node.domain == kAsker) return node.bits[asker] != 0;
  if (node.domain == kManner) return node.bits[manner] != 0;
  const record::Exchange& x = block_->ExchangeAt(static_cast<uint32_t>(exchange));
  return block_->error().empty() && TestExchange(node, x);
}

bool BlockMatch::Mixed(uint64_t exchange, uint64_t asker, uint64_t manner) {
  return std::all_of(mixed_.begin(), mixed_.end(),
                     [&](Node& node) { return Holds(node, exchange, asker, manner); });
}

bool BlockMatch::Decide(uint8_t domain, size_t count, const Ids& ids, Fits* fits) {
  std::vector<Node*> nodes;
  for (Node& node : factors_) {
    if (node.domain == domain) nodes.push_back(&node);
  }
  if (nodes.empty()) return true;
  fits->all = false;
  fits->entry.resize(count);
  const auto decide = [&](uint32_t id) {
    if (fits->entry[id] != 0) return;  // a candidate twice
    if (!std::all_of(nodes.begin(), nodes.end(), [&](Node* node) { return Holds(*node, id, id, id); }))
      return;
    fits->entry[id] = 1;
    fits->list.push_back(id);
  };
  if (ids) {
    for (const uint32_t id : *ids) decide(id);
  } else {
    for (uint32_t id = 0; id < count; ++id) decide(id);
  }
  return !fits->list.empty();
}

bool BlockMatch::DecideExchanges() {
  Ids ids;
  bool some = false;
  for (const Node& node : factors_) {
    if (node.domain != kExchange) continue;
    some = true;
    Ids more = Candidates(node);
    if (more && (!ids || more->size() < ids->size())) ids = std::move(more);
    if (ids && ids->empty()) return false;
  }
  if (!some) return true;
  if (!block_->LoadDirectory()) return false;
  return Decide(kExchange, block_->exchange_count(), ids, &exchanges_);
}

// The cheapest dictionary first: when no asker fits, names need not be unpacked.
bool BlockMatch::Prepare() {
  for (const uint8_t domain : {uint8_t{0}, uint8_t{kManner}, uint8_t{kAsker}, uint8_t{kExchange}}) {
    for (Node& node : factors_) {
      if (node.domain == domain && !Ready(&node)) return false;
    }
    Fits constant;
    const bool some = domain == 0         ? Decide(0, 1, std::nullopt, &constant)
                      : domain == kManner ? Decide(domain, block_->manners().size(), std::nullopt, &manners_)
                      : domain == kAsker  ? Decide(domain, block_->askers().size(), std::nullopt, &askers_)
                                          : DecideExchanges();
    if (!block_->error().empty()) return false;
    if (!some) {
      none_ = true;
      return true;
    }
  }
  return std::all_of(mixed_.begin(), mixed_.end(), [this](Node& node) { return Ready(&node); });
}

std::vector<bool> BlockMatch::Chunks() {
  std::vector<bool> out(block_->header().chunks(), true);
  const auto narrow = [&](const Fits& fits, auto use_of) {
    if (fits.all) return;
    std::vector<bool> marked(out.size(), false);
    for (const uint32_t id : fits.list) {
      const record::BlockReader::Use use = use_of(id);
      if (use.chunks.empty()) return;
      for (const uint16_t chunk : use.chunks) marked[chunk] = true;
    }
    for (size_t i = 0; i < out.size(); ++i) out[i] = out[i] && marked[i];
  };
  narrow(exchanges_, [this](uint32_t id) { return block_->ExchangeUse(id); });
  narrow(askers_, [this](uint32_t id) { return block_->AskerUse(id); });
  return out;
}

}  // namespace sekisho::query
