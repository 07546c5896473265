#include "storage/passive/passive_store.h"

#include <rocksdb/cache.h>
#include <rocksdb/db.h>
#include <rocksdb/filter_policy.h>
#include <rocksdb/options.h>
#include <rocksdb/sst_file_writer.h>
#include <rocksdb/table.h>
#include <rocksdb/write_batch.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <vector>

#include "proto/base/bytes.h"

namespace sekisho::passive {
namespace {

namespace fs = std::filesystem;

constexpr char kFormat[] = "sekisho passive dns, format 1";
constexpr uint64_t kDayS = 86'400;
constexpr size_t kManySums = 50'000;  // from here on files cost less than a batch

std::string Big32(uint32_t v) {
  return {static_cast<char>(v >> 24), static_cast<char>(v >> 16), static_cast<char>(v >> 8),
          static_cast<char>(v)};
}
std::string Big64(uint64_t v) {
  return Big32(static_cast<uint32_t>(v >> 32)) + Big32(static_cast<uint32_t>(v));
}
std::string PositionKey(int32_t day, const std::pair<uint32_t, uint64_t>& origin) {
  return "P" + Big32(static_cast<uint32_t>(day)) + Big32(origin.first) + Big64(origin.second);
}

std::string PositionValue(const record::SpoolPosition& p) {
  return Big32(p.segment.number) + Big64(p.offset);
}

rocksdb::Options DbOptions() {
  rocksdb::Options o;
  o.create_if_missing = true;
  o.create_missing_column_families = true;
  o.paranoid_checks = true;
  o.max_open_files = 512;
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
  table.block_size = 16 << 10;
  o.table_factory.reset(rocksdb::NewBlockBasedTableFactory(table));
  o.write_buffer_size = 8 << 20;
  o.level_compaction_dynamic_level_bytes = true;
  o.compression = rocksdb::kLZ4Compression;
  o.bottommost_compression = rocksdb::kZSTD;
  return o;
}

rocksdb::ColumnFamilyOptions SumOptions(const std::shared_ptr<rocksdb::Cache>& cache,
                                        const std::shared_ptr<const std::atomic<uint64_t>>& cutoff) {
  rocksdb::ColumnFamilyOptions o = FamilyOptions(cache);
  o.merge_operator = MakeSumJoin();
  o.compaction_filter_factory = MakeRetention(cutoff);
  o.compaction_style = rocksdb::kCompactionStyleUniversal;  // each record is written fewer times
  o.periodic_compaction_seconds = 7 * kDayS;
  return o;
}

// The last key with the prefix is below this; empty: there is no bound.
std::string EndOfPrefix(std::string prefix) {
  while (!prefix.empty() && static_cast<uint8_t>(prefix.back()) == 0xff) prefix.pop_back();
  if (!prefix.empty()) prefix.back() = static_cast<char>(static_cast<uint8_t>(prefix.back()) + 1);
  return prefix;
}

// The prefixes of the keys that can fit.
std::vector<std::string> RangesOf(const Question& q) {
  if (q.address) {
    // Whole bytes of the prefix bound the range; the bits that are left are compared.
    const auto whole = static_cast<size_t>(q.address->mapped_length()) / 8;
    return {"a" + std::string(AsText(q.address->address().mapped()).substr(0, whole))};
  }
  if (q.target_key) return {"n" + *q.target_key + '\0', "o" + *q.target_key + '\0'};
  if (q.under_key) return {*q.under_key};
  if (q.name_key) return {*q.name_key + '\0'};
  return {""};
}

bool Fits(const Question& q, uint64_t cutoff_s, const PassiveKey& key, const Sum& sum) {
  if (sum.last_s < cutoff_s || sum.first_s >= q.until_s || (q.type && *q.type != key.type)) return false;
  if (q.collected && sum.collected == 0) return false;
  if (!q.address) return true;
  const auto bytes = AsBytes(std::string_view(key.data).substr(1));
  return q.address->Contains(IpAddress::V6(bytes.first<16>()));
}

}  // namespace

struct PassiveStore::Handles {
  rocksdb::Options options;
  std::shared_ptr<rocksdb::Cache> cache = rocksdb::NewLRUCache(size_t{32} << 20);
  std::unique_ptr<rocksdb::DB> db;
  std::vector<rocksdb::ColumnFamilyHandle*> families;
  rocksdb::ColumnFamilyHandle* meta() const { return families[0]; }
  rocksdb::ColumnFamilyHandle* forward() const { return families[1]; }
  rocksdb::ColumnFamilyHandle* backward() const { return families[2]; }
};

PassiveStore::PassiveStore(std::string dir)
    : dir_(std::move(dir)),
      cutoff_s_(std::make_shared<std::atomic<uint64_t>>(0)),
      handles_(std::make_unique<Handles>()) {}

PassiveStore::~PassiveStore() {
  if (!handles_->db) return;
  for (auto* family : handles_->families) handles_->db->DestroyColumnFamilyHandle(family);
  handles_->db->Close();
}

std::unique_ptr<PassiveStore> PassiveStore::Open(const std::string& dir, std::string* note,
                                                 std::string* error) {
  std::error_code ec;
  fs::create_directories(dir, ec);
  const bool empty = !ec && fs::is_empty(dir, ec);
  if (ec) {
    *error = "cannot use " + dir + ": " + ec.message();
    return nullptr;
  }
  const std::string marker = dir + "/PASSIVE";
  if (empty) std::ofstream(marker) << kFormat << "\n";
  std::ifstream in(marker);
  std::string line;
  if (!std::getline(in, line) || line != kFormat) {
    *error = dir + " is not a passive DNS store of this version";
    return nullptr;
  }
  std::string why;
  for (int attempt = 0; attempt < 2; ++attempt) {
    std::unique_ptr<PassiveStore> store(new PassiveStore(dir));
    fs::remove_all(dir + "/incoming", ec);
    fs::create_directories(dir + "/incoming", ec);
    if (store->OpenDb(&why) && store->LoadPositions(&why)) return store;
    store.reset();
    if (attempt > 0) break;
    std::string aside;
    for (int i = 1; aside.empty() || fs::exists(aside); ++i) aside = dir + "/damaged-" + std::to_string(i);
    fs::rename(dir + "/db", aside, ec);
    if (ec) break;
    *note = "the passive DNS store is damaged (" + why + "); it was moved to " + aside + " and begun anew";
  }
  *error = dir + ": " + why;
  return nullptr;
}

bool PassiveStore::OpenDb(std::string* error) {
  handles_->options = DbOptions();
  const std::vector<rocksdb::ColumnFamilyDescriptor> families = {
      {rocksdb::kDefaultColumnFamilyName, FamilyOptions(handles_->cache)},
      {"forward", SumOptions(handles_->cache, cutoff_s_)},
      {"backward", SumOptions(handles_->cache, cutoff_s_)}};
  rocksdb::DB* db = nullptr;
  const auto status = rocksdb::DB::Open(handles_->options, dir_ + "/db", families, &handles_->families, &db);
  if (!status.ok()) *error = status.ToString();
  handles_->db.reset(db);
  return status.ok();
}

bool PassiveStore::LoadPositions(std::string* error) {
  const std::unique_ptr<rocksdb::Iterator> it(
      handles_->db->NewIterator(rocksdb::ReadOptions(), handles_->meta()));
  for (it->SeekToFirst(); it->Valid(); it->Next()) {
    ByteReader key(AsBytes(it->key().ToStringView()));
    ByteReader value(AsBytes(it->value().ToStringView()));
    if (key.U8() != 'P') continue;
    const auto day = static_cast<int32_t>(key.U32());
    const uint32_t node = key.U32();
    const uint64_t boot = key.U64();
    const uint32_t number = value.U32();
    positions_[day][{node, boot}] = {{node, boot, number}, value.U64()};
    if (key.ok() && value.ok()) continue;
    *error = "a position is damaged";
    return false;
  }
  if (!it->status().ok()) *error = it->status().ToString();
  return it->status().ok();
}

bool PassiveStore::Counted(int32_t day, const record::SpoolPosition& end) const {
  const std::lock_guard<std::mutex> lock(mutex_);
  const auto of_day = positions_.find(day);
  if (of_day == positions_.end()) return false;
  const auto it = of_day->second.find({end.segment.node, end.segment.boot});
  return it != of_day->second.end() && it->second >= end;
}

rocksdb::Status PassiveStore::MakeFiles(const Aggregate& sums, int32_t day, const Positions& positions) {
  rocksdb::Status status;
  const auto make = [&](const char* name, rocksdb::ColumnFamilyHandle* family, const auto& fill) {
    rocksdb::ColumnFamilyDescriptor descriptor;
    status = family->GetDescriptor(&descriptor);
    if (!status.ok()) return;
    rocksdb::Options options(handles_->options, descriptor.options);
    options.compression = rocksdb::kNoCompression;  // the next compaction does it
    options.bottommost_compression = rocksdb::kDisableCompressionOption;
    options.compaction_filter_factory.reset();
    rocksdb::SstFileWriter file(rocksdb::EnvOptions(), options, family);
    status = file.Open(Incoming(name));
    if (status.ok()) fill(file);
    if (status.ok()) status = file.Finish();
  };
  std::string value;
  const auto fill_sums = [&](rocksdb::SstFileWriter& file, auto order) {
    (sums.*order)([&](std::string_view key, const Sum& sum) {
      value.clear();
      EncodeSum(sum, &value);
      status = file.Merge(rocksdb::Slice(key.data(), key.size()), value);
      return status.ok();
    });
  };
  make("forward", handles_->forward(),
       [&](rocksdb::SstFileWriter& file) { fill_sums(file, &Aggregate::ForwardOrder); });
  if (status.ok() && sums.has_targets()) {
    make("backward", handles_->backward(),
         [&](rocksdb::SstFileWriter& file) { fill_sums(file, &Aggregate::BackwardOrder); });
  }
  if (!status.ok()) return status;
  make("positions", handles_->meta(), [&](rocksdb::SstFileWriter& file) {
    for (const auto& [origin, p] : positions) {
      status = file.Put(PositionKey(day, origin), PositionValue(p));
      if (!status.ok()) return;
    }
  });
  return status;
}

rocksdb::Status PassiveStore::WriteFiles(const Aggregate& sums, int32_t day, const Positions& positions) {
  const rocksdb::Status made = MakeFiles(sums, day, positions);
  if (!made.ok()) return made;
  std::vector<rocksdb::IngestExternalFileArg> files;
  const auto add = [&](const char* name, rocksdb::ColumnFamilyHandle* family) {
    rocksdb::IngestExternalFileArg arg;
    arg.column_family = family;
    arg.external_files = {Incoming(name)};
    arg.options.move_files = true;
    files.push_back(std::move(arg));
  };
  add("positions", handles_->meta());
  add("forward", handles_->forward());
  if (sums.has_targets()) add("backward", handles_->backward());
  return handles_->db->IngestExternalFiles(files);
}

rocksdb::Status PassiveStore::WriteBatch(const Aggregate& sums, int32_t day, const Positions& positions) {
  rocksdb::WriteBatch batch;
  std::string value;
  const auto add = [&](rocksdb::ColumnFamilyHandle* family) {
    return [&batch, &value, family](std::string_view key, const Sum& sum) {
      value.clear();
      EncodeSum(sum, &value);
      return batch.Merge(family, rocksdb::Slice(key.data(), key.size()), value).ok();
    };
  };
  sums.ForwardOrder(add(handles_->forward()));
  sums.BackwardOrder(add(handles_->backward()));
  for (const auto& [origin, p] : positions)
    batch.Put(handles_->meta(), PositionKey(day, origin), PositionValue(p));
  return handles_->db->Write(rocksdb::WriteOptions(), &batch);
}

bool PassiveStore::Write(const Aggregate& sums, int32_t day, const Positions& positions, std::string* error) {
  const bool files = sums.size() >= kManySums && !positions.empty();
  const rocksdb::Status status = files ? WriteFiles(sums, day, positions) : WriteBatch(sums, day, positions);
  const std::lock_guard<std::mutex> lock(mutex_);
  if (!status.ok()) {
    *error = "cannot add to passive DNS: " + status.ToString();
    trouble_ = *error;
    handles_->db->Resume();  // after a full disk the database stays closed for writing until told so
    return false;
  }
  trouble_.clear();
  for (const auto& [origin, position] : positions) positions_[day][origin] = position;
  return true;
}

bool PassiveStore::Sync(std::string* error) {
  const rocksdb::Status status = handles_->db->SyncWAL();
  if (!status.ok()) *error = "cannot make passive DNS durable: " + status.ToString();
  return status.ok();
}

void PassiveStore::Forget(uint64_t before_s) {
  cutoff_s_->store(before_s);
  const auto day = static_cast<int32_t>(before_s / kDayS);
  const std::lock_guard<std::mutex> lock(mutex_);
  const auto end = positions_.lower_bound(day);
  if (end == positions_.begin()) return;
  positions_.erase(positions_.begin(), end);
  handles_->db->DeleteRange(rocksdb::WriteOptions(), handles_->meta(), PositionKey(0, {0, 0}),
                            PositionKey(day, {0, 0}));
}

void PassiveStore::Compact() {
  rocksdb::CompactRangeOptions options;
  options.bottommost_level_compaction = rocksdb::BottommostLevelCompaction::kForceOptimized;
  for (auto* family : {handles_->forward(), handles_->backward()})
    handles_->db->CompactRange(options, family, nullptr, nullptr);
}

// Reads one range; false: the answer is complete.
bool PassiveStore::ReadRange(const Question& q, const std::string& prefix, const std::function<bool()>& stop,
                             const std::function<bool(const PassiveKey&, const Sum&)>& each,
                             Answer* answer) const {
  const std::string end = EndOfPrefix(prefix);
  if (!end.empty() && q.after >= end) return true;
  const rocksdb::Slice bound(end);
  rocksdb::ReadOptions options;
  if (!end.empty()) options.iterate_upper_bound = &bound;
  const bool back = q.address || q.target_key;
  const std::unique_ptr<rocksdb::Iterator> it(
      handles_->db->NewIterator(options, back ? handles_->backward() : handles_->forward()));
  const uint64_t cutoff = std::max(cutoff_s_->load(), q.since_s);
  uint64_t seen = 0;
  it->Seek(std::max(prefix, q.after));
  if (it->Valid() && it->key() == rocksdb::Slice(q.after)) it->Next();
  for (; it->Valid(); it->Next()) {
    if (++seen % 256 == 0 && stop()) {
      answer->partial = "the time for the query was over";
      return false;
    }
    const std::string_view bytes = it->key().ToStringView();
    const auto key = back ? ParseBackward(bytes) : ParseForward(bytes);
    const auto sum = DecodeSum(it->value().ToStringView());
    if (!key || !sum) {
      answer->partial = "a record is damaged and left out";
      continue;
    }
    if (!Fits(q, cutoff, *key, *sum)) continue;
    if (answer->records == q.limit) {
      answer->more = true;
      return false;
    }
    ++answer->records;
    answer->last = bytes;
    if (!each(*key, *sum)) return false;
  }
  if (!it->status().ok()) answer->partial = it->status().ToString();
  return true;
}

Answer PassiveStore::Read(const Question& q, const std::function<bool()>& stop,
                          const std::function<bool(const PassiveKey&, const Sum&)>& each) const {
  Answer answer;
  for (const std::string& prefix : RangesOf(q)) {
    if (!ReadRange(q, prefix, stop, each, &answer)) break;
  }
  return answer;
}

Status PassiveStore::GetStatus() const {
  Status out;
  handles_->db->GetIntProperty(handles_->forward(), "rocksdb.estimate-num-keys", &out.records);
  std::error_code ec;
  for (const auto& entry : fs::directory_iterator(dir_ + "/db", ec)) {
    if (entry.is_regular_file(ec)) out.disk_bytes += entry.file_size(ec);
  }
  const std::lock_guard<std::mutex> lock(mutex_);
  out.trouble = trouble_;
  return out;
}

}  // namespace sekisho::passive
