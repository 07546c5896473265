#include "storage/export/exporter.h"

#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <sys/socket.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>
#include <set>

#include "proto/record/block_builder.h"
#include "proto/record/spool.h"
#include "tests/unit/proto/record/random_lookups.h"

namespace sekisho::exports {
namespace {

namespace fs = std::filesystem;
using record::LookupRecord;

// A receiver of lines that reads only when it is told to.
class Receiver {
 public:
  Receiver() : listener_(::socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0)) {
    sockaddr_in at{};
    at.sin_family = AF_INET;
    at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof(at);
    EXPECT_EQ(::bind(listener_.get(), reinterpret_cast<sockaddr*>(&at), size), 0);
    EXPECT_EQ(::listen(listener_.get(), 4), 0);
    EXPECT_EQ(::getsockname(listener_.get(), reinterpret_cast<sockaddr*>(&at), &size), 0);
    port_ = ntohs(at.sin_port);
  }
  Endpoint endpoint() const { return {*IpAddress::Parse("127.0.0.1"), port_}; }
  void Read() {
    if (!peer_) peer_ = io::UniqueFd(::accept4(listener_.get(), nullptr, nullptr, SOCK_NONBLOCK));
    char buffer[65536];
    for (ssize_t n; peer_ && (n = ::read(peer_.get(), buffer, sizeof(buffer))) > 0;)
      text_.append(buffer, static_cast<size_t>(n));
  }
  // What was not read is lost, and the line in progress is torn.
  void HangUp() {
    peer_.reset();
    text_.resize(text_.rfind('\n') == std::string::npos ? 0 : text_.rfind('\n') + 1);
  }
  const std::string& text() const { return text_; }

 private:
  io::UniqueFd listener_;
  io::UniqueFd peer_;
  uint16_t port_ = 0;
  std::string text_;
};

class ExporterTest : public ::testing::Test {
 protected:
  void SetUp() override {
    std::string pattern = fs::temp_directory_path() / "sekisho-export-XXXXXX";
    ASSERT_NE(mkdtemp(pattern.data()), nullptr);
    dir_ = pattern;
    fs::create_directory(dir_ + "/spool");
  }
  void TearDown() override { fs::remove_all(dir_); }

  ExporterOptions Options() const {
    ExporterOptions o;
    o.name = "test";
    o.spool_dir = dir_ + "/spool";
    o.dir = dir_ + "/exports/test";
    o.identity = {"host", "1.0"};
    o.sink.file = dir_ + "/out.jsonl";
    return o;
  }
  // Every lookup of the spool's blocks has an id of its own.
  void Fill(uint64_t boot, int blocks, int per_block) {
    record::SpoolWriter writer({.dir = dir_ + "/spool", .node = 1, .boot = boot, .segment_bytes = 20'000});
    record::BlockBuilder builder({.seed = 1});
    record::BlockChain chain;
    for (int b = 0; b < blocks; ++b) {
      for (int i = 0; i < per_block; ++i) {
        LookupRecord r = random_.Next(1'800'000'000'000'000, false);
        r.boot += boot * 10;
        expected_.insert(LookupId(r));
        builder.AddRecord(r);
      }
      const auto block = builder.Finish(chain, false);
      ASSERT_EQ(writer.Append(block.bytes, MonoTime()), record::SpoolWriter::Outcome::kWritten);
      chain.Advance(block.header, block.digest);
    }
  }
  // As logd does when it has made a segment durable.
  void EmptySpool(Exporter& exporter) {
    for (const auto& entry : fs::directory_iterator(dir_ + "/spool")) {
      exporter.Keep(*record::SegmentId::Parse(entry.path().filename().string()));
      fs::remove(entry.path());
    }
  }
  // Steps of a second each until nothing more happens.
  void Run(Exporter& exporter, int steps = 50) {
    for (int i = 0; i < steps; ++i) {
      now_.mono += std::chrono::seconds(1);
      while (exporter.Step(now_).count() == 0) {
      }
    }
  }
  static std::vector<std::string> Ids(const std::string& text, uint64_t* gaps) {
    std::vector<std::string> out;
    std::istringstream in(text);
    for (std::string line; std::getline(in, line);) {
      const auto j = nlohmann::json::parse(line);
      if (j["class_uid"] == 4003) out.push_back(j["metadata"]["uid"]);
      if (j["class_uid"] == 0) *gaps += j["count"].get<uint64_t>();
    }
    return out;
  }
  std::string FileText(const std::string& path) const {
    std::ifstream in(path);
    return {std::istreambuf_iterator<char>(in), {}};
  }
  void ExpectAllOnce(const std::string& text) {
    uint64_t gaps = 0;
    const auto ids = Ids(text, &gaps);
    EXPECT_EQ(ids.size(), expected_.size());
    EXPECT_EQ(std::set<std::string>(ids.begin(), ids.end()), expected_);
    EXPECT_EQ(gaps, 0u);
  }

  std::string dir_;
  std::set<std::string> expected_;
  record::RandomLookups random_{5};
  Now now_{MonoTime(std::chrono::hours(1)), WallFromMicros(1'800'000'000'000'000)};
};

TEST_F(ExporterTest, WritesEachLookupOnceThroughRestartsAndLetsSegmentsGo) {
  std::string error;
  for (uint64_t boot = 1; boot <= 3; ++boot) {
    Fill(boot, 20, 50);
    Exporter exporter(Options());
    ASSERT_TRUE(exporter.Open(&error)) << error;
    Run(exporter, 5);
    Fill(boot + 10, 5, 50);
    if (boot == 2) EmptySpool(exporter);
    Run(exporter, 5);
    EXPECT_EQ(exporter.Status().delivered, expected_.size());
    EXPECT_EQ(exporter.Status().lost, 0u);
  }
  ExpectAllOnce(FileText(dir_ + "/out.jsonl"));
  size_t left = 0;
  for (const auto& entry : fs::directory_iterator(dir_ + "/exports/test"))
    left += entry.path().extension() == ".spool";
  EXPECT_EQ(left, 0u);
}

TEST_F(ExporterTest, KeepsWhatTheLogIsDoneWith) {
  std::string error;
  Fill(1, 20, 50);
  Receiver receiver;
  ExporterOptions o = Options();
  o.sink.file.clear();
  o.sink.target.endpoint = {*IpAddress::Parse("127.0.0.1"), 1};  // nobody is there
  {
    Exporter exporter(o);
    ASSERT_TRUE(exporter.Open(&error)) << error;
    Run(exporter, 5);
    EXPECT_FALSE(exporter.Status().connected);
    EXPECT_FALSE(exporter.Status().trouble.empty());
    EmptySpool(exporter);
    Run(exporter, 5);
    EXPECT_EQ(exporter.Status().delivered, 0u);
  }
  o.sink.target.endpoint = receiver.endpoint();
  Exporter exporter(o);
  ASSERT_TRUE(exporter.Open(&error)) << error;
  for (int i = 0; i < 20; ++i) {
    Run(exporter, 1);
    receiver.Read();
  }
  ExpectAllOnce(receiver.text());
}

TEST_F(ExporterTest, SendsAgainWhatABrokenConnectionDidNotHandOver) {
  std::string error;
  Receiver receiver;
  ExporterOptions o = Options();
  o.sink.file.clear();
  o.sink.target.endpoint = receiver.endpoint();
  Exporter exporter(o);
  ASSERT_TRUE(exporter.Open(&error)) << error;
  for (uint64_t boot = 1; boot <= 12; ++boot) {
    Fill(boot, 6, 20);
    Run(exporter, 2);
    receiver.Read();
    if (boot % 3 == 0) {
      Fill(boot + 100, 1, 20);
      receiver.HangUp();
    }
  }
  for (int i = 0; i < 150; ++i) {
    Run(exporter, 1);
    receiver.Read();
  }
  uint64_t gaps = 0;
  const auto ids = Ids(receiver.text(), &gaps);
  const std::set<std::string> once(ids.begin(), ids.end());
  EXPECT_GT(exporter.Status().connections, 2u);
  EXPECT_EQ(gaps, 0u);
  EXPECT_EQ(once, expected_);
}

TEST_F(ExporterTest, LeavesTheOldestOutWhenTheBufferIsFullAndTellsHowMany) {
  std::string error;
  Receiver receiver;
  ExporterOptions o = Options();
  o.sink.file.clear();
  o.buffer_bytes = 60'000;
  o.sink.target.endpoint = {*IpAddress::Parse("127.0.0.1"), 1};
  uint64_t lost = 0;
  {
    Exporter exporter(o);
    ASSERT_TRUE(exporter.Open(&error)) << error;
    for (uint64_t boot = 1; boot <= 10; ++boot) {
      Fill(boot, 20, 50);
      Run(exporter, 2);
      EmptySpool(exporter);
    }
    Run(exporter, 2);
    lost = exporter.Status().lost;
    EXPECT_GT(lost, 0u);
    EXPECT_LT(lost, expected_.size());
    EXPECT_LE(exporter.Status().waiting_bytes, o.buffer_bytes);
  }
  o.sink.target.endpoint = receiver.endpoint();
  Exporter exporter(o);
  ASSERT_TRUE(exporter.Open(&error)) << error;
  for (int i = 0; i < 20; ++i) {
    Run(exporter, 1);
    receiver.Read();
  }
  uint64_t gaps = 0;
  const auto ids = Ids(receiver.text(), &gaps);
  EXPECT_EQ(gaps, lost);
  EXPECT_EQ(ids.size() + lost, expected_.size());
  EXPECT_EQ(exporter.Status().delivered + lost, expected_.size());
}

TEST_F(ExporterTest, TurnsFilesOverAndKeepsSoMany) {
  std::string error;
  ExporterOptions o = Options();
  o.form = FormKind::kDnstap;
  o.sink.framing = Framing::kFrameStream;
  o.sink.rotate_bytes = 20'000;
  o.sink.keep_files = 3;
  Fill(1, 30, 50);
  {
    Exporter exporter(o);
    ASSERT_TRUE(exporter.Open(&error)) << error;
    Run(exporter, 5);
    EXPECT_EQ(exporter.Status().delivered, expected_.size());
  }
  size_t files = 0;
  for (const auto& entry : fs::directory_iterator(dir_))
    files += entry.path().filename().string().starts_with("out.jsonl.");
  EXPECT_EQ(files, 3u);
}

TEST_F(ExporterTest, CutsATornLineAndGoesOn) {
  std::string error;
  std::ofstream(dir_ + "/out.jsonl") << "{\"class_uid\":1}\n{\"class_u";
  Fill(1, 2, 20);
  Exporter exporter(Options());
  ASSERT_TRUE(exporter.Open(&error)) << error;
  Run(exporter, 5);
  ExpectAllOnce(FileText(dir_ + "/out.jsonl"));
}

// A file system without room: the block is taken back, and written once there is room again.
TEST_F(ExporterTest, WaitsForRoomOnTheDisk) {
  std::string error;
  Fill(1, 2, 20);
  ExporterOptions o = Options();
  o.sink.file = dir_ + "/missing/out.jsonl";
  Exporter exporter(o);
  ASSERT_TRUE(exporter.Open(&error)) << error;
  Run(exporter, 3);
  EXPECT_NE(exporter.Status().trouble.find("cannot open"), std::string::npos) << exporter.Status().trouble;
  fs::create_directory(dir_ + "/missing");
  Run(exporter, 70);
  ExpectAllOnce(FileText(o.sink.file));
}

}  // namespace
}  // namespace sekisho::exports
