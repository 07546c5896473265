// Random conditions on random blocks: what the dictionaries say must be what a look at each row says.
#include <gtest/gtest.h>

#include <algorithm>

#include "proto/base/bytes.h"
#include "proto/dns/name_key.h"
#include "proto/record/block_builder.h"
#include "storage/query/block_scan.h"
#include "tests/unit/proto/record/random_lookups.h"

namespace sekisho::query {
namespace {

using record::LookupRecord;

constexpr int64_t kBase = 1'790'000'000'000'000;

bool Among(const std::vector<uint16_t>& numbers, uint16_t n) {
  return std::find(numbers.begin(), numbers.end(), n) != numbers.end();
}

bool Holds(const query::Test& t, const LookupRecord& r) {
  const std::string key = dns::NameKey(r.qname);
  switch (t.field) {
    case Field::kName:
      return t.match == query::Test::Match::kUnder   ? key.starts_with(t.name_key)
             : t.match == query::Test::Match::kBelow ? key != t.name_key && key.starts_with(t.name_key)
                                                     : key == t.name_key;
    case Field::kAnswer:
      return std::any_of(r.answers.begin(), r.answers.end(), [&t](const record::AnswerItem& a) {
        if (a.type != dns::RRType::kA && a.type != dns::RRType::kAAAA) return false;
        const auto address = IpAddress::FromRdata(AsBytes(a.rdata));
        return address && t.prefix.Contains(*address);
      });
    case Field::kClient:
      return t.prefix.Contains(r.client.address);
    case Field::kAgency:
      return r.agency == t.text;
    case Field::kAction:
      return Among(t.numbers, static_cast<uint16_t>(r.action));
    case Field::kRcode:
      return Among(t.numbers, static_cast<uint16_t>(r.rcode));
    case Field::kType:
      return Among(t.numbers, static_cast<uint16_t>(r.qtype));
    case Field::kOrigin:
      return Among(t.numbers, static_cast<uint16_t>(r.origin));
    default:
      return false;
  }
}

bool Holds(const Condition& c, const LookupRecord& r) {
  const auto holds = [&r](const Condition& part) { return Holds(part, r); };
  switch (c.kind) {
    case Condition::Kind::kAll:
      return std::all_of(c.parts.begin(), c.parts.end(), holds);
    case Condition::Kind::kAny:
      return std::any_of(c.parts.begin(), c.parts.end(), holds);
    case Condition::Kind::kNot:
      return !holds(c.parts[0]);
    case Condition::Kind::kTest:
      break;
  }
  return Holds(c.test, r);
}

// A test that some row of the block passes.
Condition RandomTest(record::RandomLookups& random, const LookupRecord& r) {
  switch (random.Below(9)) {
    case 0:
      return Condition::Of({.field = Field::kName, .name_key = dns::NameKey(r.qname)});
    case 1:
      return Condition::Of(
          {.field = Field::kName,
           .match = random.OneIn(2) ? query::Test::Match::kUnder : query::Test::Match::kBelow,
           .name_key = dns::NameKey(r.qname.view().Parent())});
    case 2:
      for (const record::AnswerItem& a : r.answers) {
        if (a.type == dns::RRType::kA && a.rdata.size() == 4)
          return Condition::Of({.field = Field::kAnswer,
                                .prefix = *IpPrefix::Make(*IpAddress::FromRdata(AsBytes(a.rdata)),
                                                          random.OneIn(2) ? 32 : 12)});
      }
      [[fallthrough]];
    case 3:
      return Condition::Of(
          {.field = Field::kClient,
           .prefix = *IpPrefix::Make(
               r.client.address, static_cast<int>(8 + random.Below(r.client.address.is_v4() ? 25 : 121)))});
    case 4:
      return Condition::Of({.field = Field::kAgency, .text = r.agency});
    case 5:
      return Condition::Of({.field = Field::kAction, .numbers = {static_cast<uint16_t>(r.action)}});
    case 6:
      return Condition::Of({.field = Field::kRcode, .numbers = {static_cast<uint16_t>(r.rcode), 3}});
    case 7:
      return Condition::Of({.field = Field::kType, .numbers = {static_cast<uint16_t>(r.qtype)}});
    default:
      return Condition::Of({.field = Field::kOrigin, .numbers = {static_cast<uint16_t>(r.origin)}});
  }
}

Condition RandomCondition(record::RandomLookups& random, const std::vector<LookupRecord>& rows, int depth) {
  if (depth == 0 || random.OneIn(4)) return RandomTest(random, rows[random.Below(rows.size())]);
  if (random.OneIn(5)) return Condition::Not(RandomCondition(random, rows, depth - 1));
  std::vector<Condition> parts;
  for (uint64_t n = random.Below(4); n > 0; --n) parts.push_back(RandomCondition(random, rows, depth - 1));
  return random.OneIn(2) ? Condition::All(std::move(parts)) : Condition::Any(std::move(parts));
}

TEST(BlockMatch, DictionariesSayWhatRowsSay) {
  for (uint64_t seed = 1; seed <= 4; ++seed) {
    record::RandomLookups random(seed);
    record::BlockBuilder builder({.seed = seed, .rows = 20'000, .chunk_rows = 4096});
    std::vector<LookupRecord> rows;
    for (uint64_t i = 0; i < (seed % 2 == 0 ? 9'000u : 300u); ++i) {
      rows.push_back(random.Next(kBase, false));
      builder.AddRecord(rows.back());
    }
    const auto block = builder.Finish(record::BlockChain(), false);
    uint64_t found_some = 0;
    for (int round = 0; round < 150; ++round) {
      const Condition c = RandomCondition(random, rows, 3);
      const int64_t from = random.OneIn(2) ? INT64_MIN : UnixMicros(rows[random.Below(rows.size())].time);
      const auto wanted =
          static_cast<uint64_t>(std::count_if(rows.begin(), rows.end(), [&](const LookupRecord& r) {
            return UnixMicros(r.time) >= from && Holds(c, r);
          }));
      std::string error;
      const auto counting = record::BlockReader::Open(AsBytes(block.bytes), &error);
      uint64_t count = 0;
      ASSERT_TRUE(CountBlock(*counting, c, from, INT64_MAX, &count)) << counting->error();
      EXPECT_EQ(count, wanted) << "seed " << seed << " round " << round;
      const auto scanning = record::BlockReader::Open(AsBytes(block.bytes), &error);
      uint64_t scanned = 0;
      ASSERT_TRUE(ScanBlock(*scanning, c, {from, INT64_MAX, random.OneIn(2)}, [&scanned](const FoundRow&) {
        ++scanned;
        return true;
      })) << scanning->error();
      EXPECT_EQ(scanned, wanted) << "seed " << seed << " round " << round;
      found_some += wanted > 0 && wanted < rows.size() ? 1 : 0;
    }
    EXPECT_GT(found_some, 30u);
  }
}

}  // namespace
}  // namespace sekisho::query
