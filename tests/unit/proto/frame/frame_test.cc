#include "proto/frame/frame.h"

#include <gtest/gtest.h>

#include <random>

#include "proto/base/bytes.h"
#include "proto/schema/control.pb.h"

namespace sekisho::frame {
namespace {

using Result = FrameDecoder::Result;

TEST(Frame, MessageSurvivesTheWayInPiecesOfAnySize) {
  control::Request request;
  request.mutable_explain()->set_name("www.example.test");
  std::string wire;
  for (int i = 0; i < 5; ++i) ASSERT_TRUE(AppendFrame(request, &wire));
  for (size_t piece = 1; piece <= wire.size(); ++piece) {
    FrameDecoder decoder(kMaxRequest);
    std::string payload;
    int frames = 0;
    for (size_t at = 0; at < wire.size(); at += piece) {
      decoder.Append(AsBytes(std::string_view(wire).substr(at, piece)));
      while (decoder.Next(&payload) == Result::kFrame) {
        control::Request back;
        ASSERT_TRUE(back.ParseFromString(payload));
        EXPECT_EQ(back.explain().name(), "www.example.test");
        ++frames;
      }
    }
    EXPECT_EQ(frames, 5);
    EXPECT_EQ(decoder.buffered(), 0u);
  }
}

TEST(Frame, EmptyPayloadIsAFrame) {
  std::string wire;
  AppendFrame("", &wire);
  FrameDecoder decoder(16);
  decoder.Append(AsBytes(wire));
  std::string payload = "old";
  EXPECT_EQ(decoder.Next(&payload), Result::kFrame);
  EXPECT_EQ(payload, "");
}

TEST(Frame, TooLargeIsRefusedFromTheHeaderAlone) {
  std::string wire;
  AppendFrame(std::string(17, 'x'), &wire);
  FrameDecoder decoder(16);
  decoder.Append(AsBytes(std::string_view(wire).substr(0, kHeaderSize)));
  std::string payload;
  EXPECT_EQ(decoder.Next(&payload), Result::kBad);
  EXPECT_EQ(decoder.error(), "frame of 17 bytes is larger than the 16 allowed here");
}

TEST(Frame, EverySingleBitFlipIsNoticed) {
  std::string wire;
  AppendFrame("some payload", &wire);
  for (size_t bit = 0; bit < wire.size() * 8; ++bit) {
    std::string damaged = wire;
    damaged[bit / 8] = static_cast<char>(damaged[bit / 8] ^ (1 << (bit % 8)));
    FrameDecoder decoder(1024);
    decoder.Append(AsBytes(damaged));
    std::string payload;
    EXPECT_NE(decoder.Next(&payload), Result::kFrame) << "bit " << bit;
  }
}

TEST(Frame, BadStreamStaysBad) {
  std::string wire;
  AppendFrame("payload", &wire);
  std::string damaged = wire;
  damaged.back() ^= 1;
  FrameDecoder decoder(1024);
  decoder.Append(AsBytes(damaged));
  std::string payload;
  ASSERT_EQ(decoder.Next(&payload), Result::kBad);
  decoder.Append(AsBytes(wire));
  EXPECT_EQ(decoder.Next(&payload), Result::kBad);
  EXPECT_EQ(decoder.buffered(), 0u);
}

TEST(Frame, RandomBytesNeverYieldMoreThanTheyHold) {
  std::mt19937 random(7);
  for (int round = 0; round < 20000; ++round) {
    std::string bytes(random() % 64, '\0');
    for (char& c : bytes) c = static_cast<char>(random() % 4 == 0 ? random() : 0);
    FrameDecoder decoder(64);
    decoder.Append(AsBytes(bytes));
    std::string payload;
    size_t frames = 0;
    while (decoder.Next(&payload) == Result::kFrame) ASSERT_LE(++frames, bytes.size());
  }
}

}  // namespace
}  // namespace sekisho::frame
