#include "resolver/server/policy_zone_files.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>

namespace sekisho::resolver {
namespace {

using ::testing::HasSubstr;

class PolicyZoneFilesTest : public ::testing::Test {
 protected:
  void SetUp() override {
    char dir[] = "/tmp/sekisho-zones-XXXXXX";
    ASSERT_NE(::mkdtemp(dir), nullptr);
    dir_ = dir;
  }
  void TearDown() override { std::filesystem::remove_all(dir_); }

  PolicyZoneFile File(const std::string& name, const std::string& text) {
    // As it should be replaced: whole, by a rename.
    std::ofstream(dir_ + "/new") << text;
    std::filesystem::rename(dir_ + "/new", dir_ + "/" + name);
    return {name, *dns::Name::Parse(name), dir_ + "/" + name};
  }
  size_t Rules(const std::string& name) {
    const auto zones = published_.Current();
    const auto zone = zones == nullptr ? rpz::Zones::const_iterator() : zones->find(name);
    return zones == nullptr || zone == zones->end() ? 0 : zone->second->rules();
  }
  // A change counts when it has stayed for a look.
  void LookTwice() {
    files_.Look();
    files_.Look();
  }

  std::string dir_;
  int news_ = 0;
  Published<const rpz::Zones> published_;
  PolicyZoneFiles files_{&published_, [this](const PolicyZoneFiles::State&) { ++news_; }};
};

TEST_F(PolicyZoneFilesTest, ReadsAndTells) {
  ASSERT_TRUE(files_.Load({File("a.test", "@ SOA ns host 2026112301 1 1 1 1\nx CNAME .\ny CNAME .\n")}).ok());
  EXPECT_EQ(Rules("a.test"), 2u);
  const auto state = files_.states().front();
  EXPECT_EQ(state.rules, 2u);
  EXPECT_EQ(state.serial, 2026112301u);
  EXPECT_EQ(state.error, "");
}

TEST_F(PolicyZoneFilesTest, AZoneThatCannotBeReadAtAllIsAnErrorWithItsLine) {
  const auto status =
      files_.Load({File("a.test", "x CNAME .\n"), File("b.test", "x CNAME .\ny NONSENSE z\n")});
  ASSERT_FALSE(status.ok());
  EXPECT_THAT(std::string(status.message()), HasSubstr(dir_ + "/b.test:2: "));
  EXPECT_EQ(published_.Current(), nullptr);
  EXPECT_THAT(std::string(files_.Load({{"c.test", *dns::Name::Parse("c.test"), dir_ + "/none"}}).message()),
              HasSubstr("none: cannot open"));
  EXPECT_THAT(std::string(files_.Load({{"d.test", *dns::Name::Parse("d.test"), dir_}}).message()),
              HasSubstr("not a file"));
}

TEST_F(PolicyZoneFilesTest, APipeHoldsNobodyUp) {
  ASSERT_EQ(::mkfifo((dir_ + "/pipe").c_str(), 0600), 0);
  EXPECT_FALSE(files_.Load({{"p.test", *dns::Name::Parse("p.test"), dir_ + "/pipe"}}).ok());
}

TEST_F(PolicyZoneFilesTest, AChangeIsTakenOnceItHasStayed) {
  ASSERT_TRUE(files_.Load({File("a.test", "x CNAME .\n")}).ok());
  news_ = 0;
  LookTwice();
  EXPECT_EQ(news_, 0) << "nothing has changed";
  File("a.test", "x CNAME .\ny CNAME .\n");
  files_.Look();
  EXPECT_EQ(Rules("a.test"), 1u) << "somebody may be writing it";
  files_.Look();
  EXPECT_EQ(Rules("a.test"), 2u);
  EXPECT_EQ(news_, 1);
}

TEST_F(PolicyZoneFilesTest, ABrokenFileLeavesTheZoneInForce) {
  const auto file = File("a.test", "x CNAME .\n");
  ASSERT_TRUE(files_.Load({file}).ok());
  File("a.test", "x CNAME .\ny CNAME (\n");
  LookTwice();
  EXPECT_EQ(Rules("a.test"), 1u);
  EXPECT_THAT(files_.states().front().error, HasSubstr("a.test:2: "));
  ASSERT_TRUE(files_.Load({file}).ok()) << "a reload keeps it, too";
  EXPECT_EQ(Rules("a.test"), 1u);
  news_ = 0;
  LookTwice();
  EXPECT_EQ(news_, 0) << "told once";
  std::filesystem::remove(file.path);
  LookTwice();
  EXPECT_EQ(Rules("a.test"), 1u);
  EXPECT_THAT(files_.states().front().error, HasSubstr("cannot open"));
  File("a.test", "x CNAME .\ny CNAME .\nz CNAME .\n");
  LookTwice();
  EXPECT_EQ(Rules("a.test"), 3u);
  EXPECT_EQ(files_.states().front().error, "");
}

TEST_F(PolicyZoneFilesTest, AReloadAddsAndRemovesZones) {
  const auto a = File("a.test", "x CNAME .\n");
  const auto b = File("b.test", "x CNAME .\n");
  ASSERT_TRUE(files_.Load({a}).ok());
  ASSERT_TRUE(files_.Load({b}).ok());
  EXPECT_EQ(Rules("a.test"), 0u);
  EXPECT_EQ(Rules("b.test"), 1u);
  const auto bad = File("bad.test", "?\n");
  EXPECT_FALSE(files_.Load({b, bad}).ok());
  EXPECT_EQ(Rules("b.test"), 1u);
}

TEST_F(PolicyZoneFilesTest, AZoneThatIsFetchedNeedNotBeThereYet) {
  PolicyZoneFile file{.name = "a.test", .origin = *dns::Name::Parse("a.test"), .path = dir_ + "/a.test"};
  file.primaries.push_back({*IpAddress::Parse("192.0.2.1"), 53});
  ASSERT_TRUE(files_.Load({file}).ok());
  EXPECT_FALSE(files_.states().front().in_force);
  File("a.test", "x CNAME .\n");
  files_.Look(true);
  EXPECT_EQ(Rules("a.test"), 1u);
  EXPECT_TRUE(files_.states().front().in_force);
}

TEST_F(PolicyZoneFilesTest, RecordsThatAreNoRulesAreTold) {
  ASSERT_TRUE(files_.Load({File("a.test", "x CNAME .\n1.2.rpz-ip CNAME .\n")}).ok());
  const auto state = files_.states().front();
  EXPECT_EQ(state.left_out, 1u);
  EXPECT_THAT(state.left_out_why, HasSubstr("a.test:2: "));
}

}  // namespace
}  // namespace sekisho::resolver
