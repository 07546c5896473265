#include "proto/config/quantity.h"

#include <gtest/gtest.h>

namespace sekisho::config {
namespace {

TEST(Quantity, ReadsNumbersWithTheUnitsOfTheField) {
  EXPECT_EQ(ParseQuantity("4096", Unit::kNone), 4096u);
  EXPECT_EQ(ParseQuantity("256MiB", Unit::kBytes), 268435456u);
  EXPECT_EQ(ParseQuantity("256 MiB", Unit::kBytes), 268435456u);
  EXPECT_EQ(ParseQuantity("4GB", Unit::kBytes), 4'000'000'000u);
  EXPECT_EQ(ParseQuantity("10s", Unit::kSeconds), 10u);
  EXPECT_EQ(ParseQuantity("2h", Unit::kSeconds), 7200u);
  EXPECT_EQ(ParseQuantity("90d", Unit::kDays), 90u);
}

TEST(Quantity, RefusesTheRest) {
  for (const char* text :
       {"", "-1", "+1", "1.5", "10x", "MiB", "1 ", "10  s", "0x10", "99999999999999999999", "1e3"}) {
    EXPECT_FALSE(ParseQuantity(text, Unit::kSeconds)) << text;
  }
  EXPECT_FALSE(ParseQuantity("10s", Unit::kNone));
  EXPECT_FALSE(ParseQuantity("10s", Unit::kBytes));
  EXPECT_FALSE(ParseQuantity("17000000TiB", Unit::kBytes));  // more than 64 bits
}

TEST(Quantity, WritesWhatItReads) {
  for (const uint64_t v :
       {0ull, 1ull, 59ull, 60ull, 86400ull, 90000ull, 1ull << 20, (1ull << 20) + 1, 1ull << 40}) {
    for (const Unit unit : {Unit::kNone, Unit::kBytes, Unit::kSeconds, Unit::kDays}) {
      EXPECT_EQ(ParseQuantity(FormatQuantity(v, unit), unit), v) << FormatQuantity(v, unit);
    }
  }
  EXPECT_EQ(FormatQuantity(268435456, Unit::kBytes), "256MiB");
  EXPECT_EQ(FormatQuantity(3600, Unit::kSeconds), "1h");
}

}  // namespace
}  // namespace sekisho::config
