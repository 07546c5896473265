#include "storage/query/block_match.h"

#include <algorithm>
#include <bit>

#include "proto/dns/name_key.h"
#include "storage/lookups/block_terms.h"
#include "storage/lookups/partition.h"

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

bool BlockMatch::Load(uint8_t domain) {
  return ((domain & kExchange) == 0 || block_->LoadExchanges()) &&
         ((domain & kAsker) == 0 || block_->LoadAskers()) &&
         ((domain & kManner) == 0 || block_->LoadManners());
}

bool BlockMatch::Ready(Node* node) {
  if (node->kind == Condition::Kind::kTest) return ReadyTest(node);
  for (Node& part : node->parts) {
    if (!Ready(&part)) return false;
  }
  return true;
}

bool BlockMatch::ReadyTest(Node* node) {
  if (!Load(node->domain)) return false;
  const Test& test = *node->test;
  switch (test.field) {
    case Field::kName:
      ReadyNames(node);
      return true;
    case Field::kFeed:
    case Field::kCategory:
      ReadyTexts(node);
      return true;
    case Field::kAnswer:
    case Field::kTarget:
      if (!block_->LoadAnswers()) return false;
      ReadySets(node);
      return true;
    case Field::kClient:
      for (const record::Asker& who : block_->askers()) {
        const auto address = IpAddress::FromRdata(who.address);
        node->bits.push_back(address && test.prefix.Contains(*address) ? 1 : 0);
      }
      return true;
    case Field::kAgency:
      for (const record::Asker& who : block_->askers()) {
        node->bits.push_back(TextFits(test, block_->texts()[who.agency]) ? 1 : 0);
      }
      return true;
    case Field::kOrigin:
    case Field::kTransport:
      for (const record::Manner& how : block_->manners()) {
        node->bits.push_back(Among(test, test.field == Field::kOrigin ? how.origin : how.transport) ? 1 : 0);
      }
      return true;
    default:
      return true;
  }
}

void BlockMatch::ReadyNames(Node* node) {
  const Test& test = *node->test;
  if (test.match == Test::Match::kPattern) {
    for (uint32_t id = 0; id < block_->name_count(); ++id) {
      node->bits.push_back(NameFits(test, block_->NameKeyAt(id)) ? 1 : 0);
    }
    return;
  }
  node->from = block_->NameLowerBound(test.name_key);
  const bool there = node->from < block_->name_count() && block_->NameKeyAt(node->from) == test.name_key;
  if (test.match == Test::Match::kExact) {
    node->end = node->from + (there ? 1 : 0);
    return;
  }
  if (test.match == Test::Match::kBelow && there) ++node->from;
  const std::string after = lookups::AfterPrefix(test.name_key);
  node->end = after.empty() ? block_->name_count() : block_->NameLowerBound(after);
}

void BlockMatch::ReadyTexts(Node* node) {
  for (const std::string& text : block_->texts()) {
    bool fits = false;
    if (node->test->field == Field::kFeed) {
      lookups::ForEachFeed(text, [&](std::string_view feed) { fits = fits || TextFits(*node->test, feed); });
    } else {
      fits = TextFits(*node->test, text);
    }
    node->bits.push_back(fits ? 1 : 0);
  }
}

void BlockMatch::ReadySets(Node* node) {
  const Test& test = *node->test;
  for (uint32_t set = 0; set < block_->answer_sets(); ++set) {
    bool fits = false;
    if (test.field == Field::kAnswer) {
      fits = SetHasAddress(block_->AnswerSet(set), test.prefix);
    } else {
      ForEachItem(block_->AnswerSet(set), [&](record::ItemKind kind, std::string_view data) {
        if (kind != record::ItemKind::kName) return;
        fits = fits || NameFits(test, block_->NameKeyAt(record::FromKeyBytes<uint32_t>(data)));
      });
    }
    node->bits.push_back(fits ? 1 : 0);
  }
}

bool BlockMatch::RuleFits(const Test& test, const record::Exchange& x) const {
  if (x.trigger == static_cast<uint8_t>(record::Trigger::kNone) || x.rule_labels == 0) return false;
  if (x.trigger_name == 0) return false;
  std::string_view key = block_->NameKeyAt(x.trigger_name - 1);
  size_t end = 0;
  for (uint8_t label = 0; label < x.rule_labels && end < key.size(); ++label) {
    end = key.find('\0', end) + 1;
  }
  return NameFits(test, key.substr(0, end));
}

bool BlockMatch::TestExchange(const Node& node, const record::Exchange& x) const {
  const Test& test = *node.test;
  switch (test.field) {
    case Field::kName:
      return node.bits.empty() ? x.name >= node.from && x.name < node.end : node.bits[x.name] != 0;
    case Field::kRule:
      return RuleFits(test, x);
    case Field::kAnswer:
    case Field::kTarget:
      return x.answers < node.bits.size() && node.bits[x.answers] != 0;
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

bool BlockMatch::Holds(const Node& node, uint64_t exchange, uint64_t asker, uint64_t manner) const {
  const auto holds = [&](const Node& part) { return Holds(part, exchange, asker, manner); };
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
  return TestExchange(node, block_->exchanges()[exchange]);
}

bool BlockMatch::Mixed(uint64_t exchange, uint64_t asker, uint64_t manner) const {
  return std::all_of(mixed_.begin(), mixed_.end(),
                     [&](const Node& node) { return Holds(node, exchange, asker, manner); });
}

bool BlockMatch::Decide(uint8_t domain, size_t count, Fits* fits) {
  std::vector<const Node*> nodes;
  for (const Node& node : factors_) {
    if (node.domain == domain) nodes.push_back(&node);
  }
  if (nodes.empty()) return true;
  fits->all = false;
  fits->entry.resize(count);
  bool any = false;
  for (size_t id = 0; id < count; ++id) {
    const bool holds =
        std::all_of(nodes.begin(), nodes.end(), [&](const Node* node) { return Holds(*node, id, id, id); });
    fits->entry[id] = holds ? 1 : 0;
    any = any || holds;
  }
  return any;
}

// The cheapest dictionary first: when no asker fits, names need not be unpacked.
bool BlockMatch::Prepare() {
  for (const uint8_t domain : {uint8_t{0}, uint8_t{kManner}, uint8_t{kAsker}, uint8_t{kExchange}}) {
    for (Node& node : factors_) {
      if (node.domain == domain && !Ready(&node)) return false;
    }
    bool some = true;
    if (domain == 0) {
      Fits constant;
      some = Decide(0, 1, &constant);
    } else if (domain == kManner) {
      some = Decide(domain, block_->manners().size(), &manners_);
    } else if (domain == kAsker) {
      some = Decide(domain, block_->askers().size(), &askers_);
    } else {
      some = Decide(domain, block_->exchanges().size(), &exchanges_);
    }
    if (!some) {
      none_ = true;
      return true;
    }
  }
  for (Node& node : mixed_) {
    if (!Ready(&node)) return false;
  }
  return true;
}

}  // namespace sekisho::query
