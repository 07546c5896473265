#include "storage/lookups/partition.h"

#include <fcntl.h>
#include <rocksdb/cache.h>
#include <rocksdb/db.h>
#include <rocksdb/options.h>
#include <rocksdb/table.h>
#include <rocksdb/write_batch.h>
#include <unistd.h>

#include <algorithm>
#include <charconv>
#include <chrono>
#include <cstdio>
#include <filesystem>
#include <fstream>

#include "proto/base/bytes.h"

namespace sekisho::lookups {
namespace {

namespace fs = std::filesystem;

constexpr int64_t kDayUs = int64_t{86'400} * 1'000'000;
constexpr int32_t kLastDay = 2'932'896;  // 9999-12-31

std::string Big32(uint32_t v) {
  return {static_cast<char>(v >> 24), static_cast<char>(v >> 16), static_cast<char>(v >> 8),
          static_cast<char>(v)};
}
std::string Big64(uint64_t v) {
  return Big32(static_cast<uint32_t>(v >> 32)) + Big32(static_cast<uint32_t>(v));
}

constexpr char kCompactedKey[] = "C";
constexpr char kPseudonymKey[] = "A";

std::string HeaderKey(uint32_t block) { return "H" + Big32(block); }
std::string SectionKey(uint32_t block, uint32_t section) { return Big32(block) + Big32(section); }
std::string PositionKey(const Origin& o) { return "P" + Big32(o.first) + Big64(o.second); }

rocksdb::Options DbOptions(bool create) {
  rocksdb::Options o;
  o.create_if_missing = create;
  o.create_missing_column_families = create;
  o.error_if_exists = create;
  o.paranoid_checks = true;
  o.atomic_flush = true;  // the column families come back from a crash as of one instant
  o.max_open_files = 256;
  o.info_log_level = rocksdb::WARN_LEVEL;
  o.max_log_file_size = 1 << 20;
  o.keep_log_file_num = 2;
  o.stats_dump_period_sec = 0;
  o.stats_persist_period_sec = 0;
  o.max_background_jobs = 2;
  o.bytes_per_sync = 1 << 20;
  return o;
}

rocksdb::ColumnFamilyOptions FamilyOptions(const std::shared_ptr<rocksdb::Cache>& cache) {
  rocksdb::ColumnFamilyOptions o;
  rocksdb::BlockBasedTableOptions table;
  table.block_cache = cache;
  table.format_version = 5;
  table.checksum = rocksdb::kXXH3;
  table.block_size = 4 << 10;
  o.table_factory.reset(rocksdb::NewBlockBasedTableFactory(table));
  o.write_buffer_size = 64 << 20;
  o.level_compaction_dynamic_level_bytes = true;
  o.compression = rocksdb::kNoCompression;  // sections are compressed by themselves
  return o;
}

bool WriteDurably(const std::string& path, const std::string& text) {
  const int fd = open(path.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0640);
  if (fd < 0) return false;
  const bool ok = write(fd, text.data(), text.size()) == static_cast<ssize_t>(text.size()) && fsync(fd) == 0;
  close(fd);
  return ok;
}

void SyncFolder(const std::string& path) {
  const int fd = open(path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (fd < 0) return;
  fsync(fd);
  close(fd);
}

}  // namespace

int32_t DayOf(int64_t us) {
  const int64_t day = us >= 0 ? us / kDayUs : -1;
  return static_cast<int32_t>(std::clamp<int64_t>(day, 0, kLastDay));
}

std::string DayText(int32_t day) {
  const std::chrono::year_month_day d{std::chrono::sys_days(std::chrono::days(day))};
  char text[32];
  std::snprintf(text, sizeof(text), "%04d-%02u-%02u", static_cast<int>(d.year()),
                static_cast<unsigned>(d.month()), static_cast<unsigned>(d.day()));
  return text;
}

std::string PartitionId::FolderName() const {
  std::string text = DayText(day);
  std::erase(text, '-');
  return text + "-" + std::to_string(generation);
}

std::optional<PartitionId> PartitionId::Parse(std::string_view folder) {
  int year = 0;
  unsigned month = 0;
  unsigned day = 0;
  PartitionId id;
  const auto number = [&folder](size_t from, size_t size, auto* out) {
    const auto r = std::from_chars(folder.data() + from, folder.data() + from + size, *out);
    return r.ec == std::errc() && r.ptr == folder.data() + from + size;
  };
  if (folder.size() < 10 || folder[8] != '-' || !number(0, 4, &year) || !number(4, 2, &month) ||
      !number(6, 2, &day) || !number(9, folder.size() - 9, &id.generation)) {
    return std::nullopt;
  }
  const std::chrono::year_month_day d{std::chrono::year(year), std::chrono::month(month),
                                      std::chrono::day(day)};
  if (!d.ok() || year < 1970) return std::nullopt;
  id.day = static_cast<int32_t>(std::chrono::sys_days(d).time_since_epoch().count());
  if (id.FolderName() != folder) return std::nullopt;
  return id;
}

int64_t PartitionId::first_us() const { return day == 0 ? INT64_MIN : day * kDayUs; }
int64_t PartitionId::end_us() const { return day == kLastDay ? INT64_MAX : (int64_t{day} + 1) * kDayUs; }

struct Partition::Handles {
  std::unique_ptr<rocksdb::DB> db;
  std::vector<rocksdb::ColumnFamilyHandle*> families;
  rocksdb::ColumnFamilyHandle* meta() const { return families[0]; }
  rocksdb::ColumnFamilyHandle* blocks() const { return families[1]; }
};

Partition::Partition(std::string path, PartitionId id)
    : path_(std::move(path)), id_(id), handles_(std::make_unique<Handles>()) {}

Partition::~Partition() {
  if (handles_->db) {
    for (auto* family : handles_->families) handles_->db->DestroyColumnFamilyHandle(family);
    handles_->db->Close();
    handles_->db.reset();
  }
  std::error_code ignored;
  if (drop_.load()) fs::remove_all(path_, ignored);
}

std::shared_ptr<Partition> Partition::Create(const std::string& dir, PartitionId id,
                                             std::shared_ptr<rocksdb::Cache> cache, std::string* error,
                                             const ExtraFile& extra) {
  const std::string path = dir + "/" + id.FolderName();
  const std::string hidden = path + ".new";
  std::error_code ec;
  fs::remove_all(hidden, ec);
  if (fs::exists(path)) {
    *error = path + " exists already";
    return nullptr;
  }
  {
    Partition made(hidden, id);
    if (!made.OpenDb(Mode::kCreate, cache, error)) return nullptr;
  }
  if (!WriteDurably(hidden + "/PARTITION", "sekisho lookups partition, format 2\n")) {
    *error = "cannot write " + hidden + "/PARTITION";
    return nullptr;
  }
  if (!extra.name.empty() && !WriteDurably(hidden + "/" + extra.name, extra.text)) {
    *error = "cannot write " + hidden + "/" + extra.name;
    return nullptr;
  }
  SyncFolder(hidden);
  fs::rename(hidden, path, ec);
  if (ec) {
    *error = "cannot rename " + hidden + ": " + ec.message();
    return nullptr;
  }
  SyncFolder(dir);
  return Open(dir, id, std::move(cache), error);
}

std::shared_ptr<Partition> Partition::Open(const std::string& dir, PartitionId id,
                                           std::shared_ptr<rocksdb::Cache> cache, std::string* error) {
  std::shared_ptr<Partition> p(new Partition(dir + "/" + id.FolderName(), id));
  std::ifstream marker(p->path_ + "/PARTITION");
  std::string line;
  if (!std::getline(marker, line)) {
    *error = "the marker file PARTITION is missing";
    return nullptr;
  }
  if (line != "sekisho lookups partition, format 2") {
    *error = "not a partition of format 2";
    return nullptr;
  }
  if (!p->OpenDb(Mode::kWrite, std::move(cache), error) || !p->LoadState(error)) return nullptr;
  return p;
}

std::shared_ptr<Partition> Partition::OpenToRead(const std::string& dir, PartitionId id,
                                                 std::shared_ptr<rocksdb::Cache> cache, std::string* error) {
  std::shared_ptr<Partition> p(new Partition(dir + "/" + id.FolderName(), id));
  return p->OpenDb(Mode::kRead, std::move(cache), error) ? p : nullptr;
}

bool Partition::OpenDb(Mode mode, std::shared_ptr<rocksdb::Cache> cache, std::string* error) {
  const std::vector<rocksdb::ColumnFamilyDescriptor> families = {
      {rocksdb::kDefaultColumnFamilyName, FamilyOptions(cache)}, {"blocks", FamilyOptions(cache)}};
  const bool create = mode == Mode::kCreate;
  if (create) fs::create_directories(path_);
  rocksdb::DB* db = nullptr;
  const auto status =
      mode == Mode::kRead
          ? rocksdb::DB::OpenForReadOnly(DbOptions(false), path_, families, &handles_->families, &db)
          : rocksdb::DB::Open(DbOptions(create), path_, families, &handles_->families, &db);
  if (!status.ok()) {
    *error = status.ToString();
    return false;
  }
  handles_->db.reset(db);
  return true;
}

bool Partition::LoadState(std::string* error) {
  const std::unique_ptr<rocksdb::Iterator> it(
      handles_->db->NewIterator(rocksdb::ReadOptions(), handles_->meta()));
  uint32_t compacted_at = 0;
  for (it->SeekToFirst(); it->Valid(); it->Next()) {
    const auto key = it->key().ToStringView();
    const auto value = AsBytes(it->value().ToStringView());
    if (key.starts_with('P') && key.size() == 13 && value.size() == 12) {
      ByteReader k(AsBytes(key.substr(1)));
      const uint32_t node = k.U32();
      const uint64_t boot = k.U64();
      ByteReader v(value);
      const uint32_t number = v.U32();
      positions_[{node, boot}] = {{node, boot, number}, v.U64()};
      continue;
    }
    if (key == kPseudonymKey) {
      pseudonymised_ = true;
      continue;
    }
    if (key == kCompactedKey) {
      compacted_at = value.size() == 4 ? ByteReader(value).U32() : 0;
      continue;
    }
    const auto header = record::DecodeHeader(value);
    if (!key.starts_with('H') || key.size() != 5 || !header) {
      *error = "an entry of the catalogue of blocks is damaged";
      return false;
    }
    const uint32_t block = ByteReader(AsBytes(key.substr(1))).U32();
    blocks_.push_back({block, header->rows, header->first_us, header->last_us, header->lost()});
    rows_ += header->rows;
    lost_ += header->lost();
    chain_without_last_ = chain_;
    chain_.Advance(*header, record::Sha256(value));
  }
  compacted_ = compacted_at > 0 && compacted_at + 1 == chain_.next_number();
  if (!it->status().ok()) *error = it->status().ToString();
  return it->status().ok();
}

void Partition::Fence(const std::string& dir, PartitionId id, const std::string& why) {
  WriteDurably(dir + "/" + id.FolderName() + "/DAMAGED", why + "\n");
}

void Partition::SetDamaged(const std::string& why) {
  std::lock_guard<std::mutex> lock(mutex_);
  if (error_.empty()) error_ = why;
  damaged_ = true;
}

bool Partition::Check(const rocksdb::Status& status) {
  if (status.ok()) return true;
  if (status.IsCorruption() || status.IsNotFound() || status.IsIOError()) {
    // A file that is gone or cannot be read is damage as well; a full disk is not.
    if (!status.IsNoSpace()) SetDamaged(status.ToString());
  }
  std::lock_guard<std::mutex> lock(mutex_);
  if (!damaged_.load()) error_ = status.ToString();
  return false;
}

std::string Partition::error() const {
  std::lock_guard<std::mutex> lock(mutex_);
  return error_;
}

bool Partition::Write(const record::FinishedBlock& block, const Positions& positions, bool replaces_last) {
  const auto number = static_cast<uint32_t>(block.header.number);
  rocksdb::WriteBatch batch(block.bytes.size() + (64 << 10));
  if (replaces_last) batch.DeleteRange(handles_->blocks(), SectionKey(number, 0), SectionKey(number + 1, 0));
  const std::string header = record::EncodeHeader(block.header);
  batch.Put(handles_->meta(), HeaderKey(number), header);
  size_t at = record::kFrameSize + header.size();
  for (const record::SectionInfo& s : block.header.sections) {
    batch.Put(handles_->blocks(), SectionKey(number, s.id), rocksdb::Slice(block.bytes.data() + at, s.size));
    at += s.size;
  }
  for (const auto& [origin, position] : positions) {
    batch.Put(handles_->meta(), PositionKey(origin), Big32(position.segment.number) + Big64(position.offset));
  }
  if (pseudonymised_) batch.Delete(handles_->meta(), kPseudonymKey);  // late rows bring addresses
  rocksdb::WriteOptions options;
  options.disableWAL = true;  // the spool is the log
  if (!Check(handles_->db->Write(options, &batch))) return false;
  if (replaces_last) {
    chain_ = chain_without_last_;
  } else {
    chain_without_last_ = chain_;
  }
  chain_.Advance(block.header, block.digest);
  for (const auto& [origin, position] : positions) positions_[origin] = position;
  dirty_ = true;
  compacted_ = false;
  pseudonymised_ = false;
  std::lock_guard<std::mutex> lock(mutex_);
  if (replaces_last) {
    rows_ -= blocks_.back().rows;
    lost_ -= blocks_.back().lost;
    blocks_.pop_back();
  }
  blocks_.push_back(
      {number, block.header.rows, block.header.first_us, block.header.last_us, block.header.lost()});
  rows_ += block.header.rows;
  lost_ += block.header.lost();
  return true;
}

class Instant {
 public:
  explicit Instant(rocksdb::DB* db) : db_(db), snapshot_(db->GetSnapshot()) {}
  ~Instant() { db_->ReleaseSnapshot(snapshot_); }
  Instant(const Instant&) = delete;
  Instant& operator=(const Instant&) = delete;
  static rocksdb::ReadOptions Read(const Instant* instant) {
    rocksdb::ReadOptions options;
    if (instant != nullptr) options.snapshot = instant->snapshot_;
    return options;
  }

 private:
  rocksdb::DB* db_;
  const rocksdb::Snapshot* snapshot_;
};

std::shared_ptr<const Instant> Partition::Now() const {
  return std::make_shared<Instant>(handles_->db.get());
}

bool Partition::Flush() {
  if (!dirty_.load()) return true;
  dirty_ = false;
  rocksdb::FlushOptions options;
  options.wait = true;
  if (Check(handles_->db->Flush(options, handles_->families))) return true;
  dirty_ = true;
  handles_->db->Resume();  // after a full disk the database stays closed for writing until told so
  return false;
}

bool Partition::Compact() {
  const uint32_t blocks = Blocks().empty() ? 0 : Blocks().back().block;
  rocksdb::WriteOptions write;
  write.disableWAL = true;
  if (!Check(handles_->db->Put(write, handles_->meta(), kCompactedKey, Big32(blocks)))) return false;
  dirty_ = true;
  compacted_ = true;
  if (!Flush()) return false;
  rocksdb::CompactRangeOptions options;
  options.bottommost_level_compaction = rocksdb::BottommostLevelCompaction::kForceOptimized;
  for (auto* family : handles_->families) {
    if (!Check(handles_->db->CompactRange(options, family, nullptr, nullptr))) return false;
  }
  return true;
}

bool Partition::MarkPseudonymised() {
  rocksdb::WriteOptions options;
  options.disableWAL = true;
  if (!Check(handles_->db->Put(options, handles_->meta(), kPseudonymKey, "1"))) return false;
  dirty_ = true;
  pseudonymised_ = true;
  return true;
}

bool Partition::Verify() { return Check(handles_->db->VerifyChecksum()); }

void Partition::DropOnClose() {
  WriteDurably(path_ + "/DROPPED", "retention\n");
  drop_ = true;
}

std::vector<BlockInfo> Partition::Blocks() const {
  std::lock_guard<std::mutex> lock(mutex_);
  return blocks_;
}

uint64_t Partition::DiskBytes() const {
  uint64_t sum = 0;
  std::error_code ec;
  for (const auto& entry : fs::directory_iterator(path_, ec)) {
    if (entry.is_regular_file(ec)) sum += entry.file_size(ec);
  }
  return sum;
}

bool Partition::HeaderBytes(uint32_t block, const Instant* instant, std::string* bytes) {
  return Check(handles_->db->Get(Instant::Read(instant), handles_->meta(), HeaderKey(block), bytes));
}

std::vector<uint32_t> Partition::HeaderNumbers(const Instant* instant) {
  std::vector<uint32_t> out;
  const std::unique_ptr<rocksdb::Iterator> it(
      handles_->db->NewIterator(Instant::Read(instant), handles_->meta()));
  for (it->Seek("H"); it->Valid() && it->key().starts_with("H"); it->Next()) {
    if (it->key().size() == 5) out.push_back(ByteReader(AsBytes(it->key().ToStringView().substr(1))).U32());
  }
  Check(it->status());
  return out;
}

std::string Partition::SectionDamage(uint32_t block, const record::BlockHeader& header,
                                     const Instant* instant) {
  std::string bytes;
  for (const record::SectionInfo& s : header.sections) {
    const auto status =
        handles_->db->Get(Instant::Read(instant), handles_->blocks(), SectionKey(block, s.id), &bytes);
    const std::string name = "section " + std::to_string(s.id >> 16) + "." + std::to_string(s.id & 0xffff);
    if (!Check(status)) return name + " cannot be read: " + status.ToString();
    if (bytes.size() != s.size || record::ShortSha256(AsBytes(bytes)) != s.digest)
      return name + " does not match its digest";
  }
  return "";
}

std::unique_ptr<record::BlockReader> Partition::OpenBlock(uint32_t block, const Instant* instant) {
  std::string bytes;
  if (!HeaderBytes(block, instant, &bytes)) return nullptr;
  auto header = record::DecodeHeader(AsBytes(bytes));
  if (!header) {
    SetDamaged("the header of block " + std::to_string(block) + " is damaged");
    return nullptr;
  }
  return record::BlockReader::Open(std::move(*header), [this, block, instant](const record::SectionInfo& s,
                                                                              std::string* out) {
    return Check(handles_->db->Get(Instant::Read(instant), handles_->blocks(), SectionKey(block, s.id), out));
  });
}

}  // namespace sekisho::lookups
