#include "proto/dns/edns.h"

#include <gtest/gtest.h>

#include <string>

#include "tests/unit/proto/dns/packet.h"

namespace sekisho::dns {
namespace {

TEST(EdnsTest, ReadsErrorsAndStripsNuls) {
  Edns e;
  const Wire options = U16(15) + U16(7) + U16(15) + Wire{'a', 'b', 'c', 0, 0} + U16(15) + U16(1) + Wire{1} +
                       U16(15) + U16(2) + U16(3);
  ASSERT_TRUE(ParseOptions(options, &e));
  EXPECT_EQ(e.option_count, 3u);
  const auto errors = ExtendedErrors(e);
  ASSERT_EQ(errors.size(), 2u);
  EXPECT_EQ(errors[0], (ExtendedError{EdeCode::kBlocked, "abc"}));
  EXPECT_EQ(errors[1], (ExtendedError{EdeCode::kStaleAnswer, ""}));
}

TEST(EdnsTest, RefusesLyingLengths) {
  Edns e;
  EXPECT_TRUE(ParseOptions({}, &e));
  for (const Wire& bad : {Wire{0}, Wire{0, 1, 0}, U16(1) + U16(1), U16(3) + U16(65535) + Wire(9),
                          U16(10) + U16(0), U16(10) + U16(9) + Wire(9), U16(10) + U16(41) + Wire(41)}) {
    EXPECT_FALSE(ParseOptions(bad, &e));
  }
}

TEST(EdnsTest, CutsTextBetweenCharacters) {
  EdnsOut out;
  std::string text;
  while (text.size() < 300) text += "\xe9\x96\xa2";  // three bytes each
  out.errors.push_back({EdeCode::kBlocked, text});
  std::array<uint8_t, 512> buffer;
  ByteWriter w(buffer);
  ASSERT_TRUE(WriteOpt(out, Rcode::kNoError, &w));
  Edns e;
  ASSERT_TRUE(ParseOptions(w.written().subspan(11), &e));
  EXPECT_EQ(ExtendedErrors(e)[0].text, text.substr(0, 255));
}

}  // namespace
}  // namespace sekisho::dns
