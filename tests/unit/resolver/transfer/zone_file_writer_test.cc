#include "resolver/transfer/zone_file_writer.h"

#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <sstream>

#include "proto/dns/master_file.h"
#include "tests/unit/resolver/transfer/messages.h"

namespace sekisho::resolver {
namespace {

class ZoneFileWriterTest : public ::testing::Test {
 protected:
  void SetUp() override {
    char dir[] = "/tmp/sekisho-zone-XXXXXX";
    ASSERT_NE(::mkdtemp(dir), nullptr);
    path_ = std::string(dir) + "/zone";
  }
  void TearDown() override { std::filesystem::remove_all(std::filesystem::path(path_).parent_path()); }
  std::string Content() const {
    std::ifstream in(path_);
    std::stringstream text;
    text << in.rdbuf();
    return text.str();
  }
  std::string path_;
};

TEST_F(ZoneFileWriterTest, WhatIsWrittenReadsBackAsTheSame) {
  const std::vector<std::string> lines = {Soa(1),
                                          "a.rpz.test. 5 IN CNAME .",
                                          "*.b\\.c.rpz.test. 5 IN CNAME *.garden.test.",
                                          "d\\032e.rpz.test. 5 IN TXT \"x \\\" ; y\" \"\"",
                                          "f.rpz.test. 5 IN AAAA 2001:db8::1",
                                          "g.rpz.test. 5 IN TYPE65400 \\# 3 010203",
                                          "h.rpz.test. 5 IN HTTPS 1 . alpn=h2 ipv4hint=192.0.2.1"};
  ZoneFileWriter writer(path_);
  for (const auto& line : lines) writer.Add(RecordOf(line));
  ASSERT_TRUE(writer.Commit().ok());
  const std::string text = Content();
  dns::MasterFile file(text, dns::NameView());
  for (const auto& line : lines) {
    const auto wanted = RecordOf(line);
    const auto got = file.Next();
    ASSERT_TRUE(got) << line << ": " << file.error() << "\n" << text;
    EXPECT_EQ(got->owner, wanted.owner);
    EXPECT_EQ(got->type, wanted.type);
    EXPECT_EQ(got->ttl, wanted.ttl);
    EXPECT_EQ(got->rdata, wanted.rdata) << line;
  }
  EXPECT_FALSE(file.Next());
}

TEST_F(ZoneFileWriterTest, WithoutCommitNothingHasHappened) {
  std::ofstream(path_) << "old";
  {
    ZoneFileWriter writer(path_);
    writer.Add(RecordOf(Soa(1)));
  }
  EXPECT_EQ(Content(), "old");
  EXPECT_FALSE(std::filesystem::exists(path_ + ".new"));
}

TEST_F(ZoneFileWriterTest, AFolderThatIsNotThereIsAnError) {
  ZoneFileWriter writer(path_ + "/none/zone");
  writer.Add(RecordOf(Soa(1)));
  EXPECT_FALSE(writer.Commit().ok());
}

}  // namespace
}  // namespace sekisho::resolver
