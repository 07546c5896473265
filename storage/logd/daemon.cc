#include "storage/logd/daemon.h"

#include <fcntl.h>
#include <spdlog/sinks/stdout_sinks.h>
#include <spdlog/spdlog.h>
#include <sys/file.h>

#include <atomic>
#include <condition_variable>
#include <csignal>
#include <cstring>
#include <filesystem>
#include <mutex>
#include <thread>

#include "proto/base/rng.h"
#include "proto/base/this_thread.h"
#include "proto/config/config.h"
#include "proto/config/paths.h"
#include "proto/io/event_loop.h"
#include "proto/io/unique_fd.h"
#include "proto/io/unix_frame_server.h"
#include "storage/logd/api_host.h"
#include "storage/logd/export_host.h"
#include "storage/logd/hunter.h"
#include "storage/logd/query_service.h"
#include "storage/lookups/ingest.h"
#include "storage/lookups/lookup_store.h"
#include "storage/passive/passive_store.h"

namespace sekisho::logd {
namespace {

constexpr Duration kPoll = std::chrono::milliseconds(100);
constexpr Duration kUpkeepEvery = std::chrono::minutes(1);
constexpr int kScrubEveryMinutes = 60;

// A thread that calls `step` again and again until it is destroyed; between two calls it waits as long as
// `step` says.
class Repeater {
 public:
  explicit Repeater(std::function<Duration()> step)
      : thread_([this, step = std::move(step)] {
          for (;;) {
            const Duration pause = step();
            std::unique_lock<std::mutex> lock(mutex_);
            if (wake_.wait_for(lock, pause, [this] { return stop_; })) return;
          }
        }) {}
  ~Repeater() {
    {
      std::lock_guard<std::mutex> lock(mutex_);
      stop_ = true;
    }
    wake_.notify_all();
    thread_.join();
  }

 private:
  std::mutex mutex_;
  std::condition_variable wake_;
  bool stop_ = false;
  std::thread thread_;  // last: it uses the others
};

io::UniqueFd TakeLock(const std::string& path, spdlog::logger& log) {
  io::UniqueFd fd(open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0640));
  if (!fd) {
    log.error("cannot open {}: {}", path, std::strerror(errno));
    return {};
  }
  if (flock(fd.get(), LOCK_EX | LOCK_NB) != 0) {
    log.error("another sekisho-logd holds {}", path);
    return {};
  }
  const std::string pid = std::to_string(getpid()) + "\n";
  if (ftruncate(fd.get(), 0) != 0 || write(fd.get(), pid.data(), pid.size()) < 0) {
    log.warn("cannot write {}: {}", path, std::strerror(errno));
  }
  return fd;
}

bool MakeFolders(const config::Paths& paths, spdlog::logger& log) {
  for (const std::string& dir : {paths.Spool(), paths.Lookups(), paths.Events(), paths.run_dir}) {
    std::error_code ec;
    std::filesystem::create_directories(dir, ec);
    if (!ec) continue;
    log.error("cannot create {}: {}", dir, ec.message());
    return false;
  }
  return true;
}

// How many days what is kept; may change while logd runs.
struct Ages {
  explicit Ages(const config::Log& log) { Set(log); }
  void Set(const config::Log& log) {
    retention = log.retention_days();
    passive = log.passive_dns().retention_days();
    pseudonymise = log.pseudonymise_after();
    keys = log.has_pseudonym_keys_days() ? log.pseudonym_keys_days() : log.retention_days();
  }
  std::atomic<uint32_t> retention;
  std::atomic<uint32_t> passive;
  std::atomic<uint32_t> pseudonymise;  // 0: never
  std::atomic<uint32_t> keys;          // of a month, after it
};

// True: there is more to do.
bool Pseudonymise(lookups::LookupStore& store, const std::string& key_dir, const Ages& ages,
                  spdlog::logger& log) {
  using Rewriting = lookups::LookupStore::Rewriting;
  if (ages.pseudonymise == 0) return false;
  lookups::PseudonymKeys keys(key_dir);
  std::string error;
  const Rewriting outcome = store.Pseudonymise(ReadClocks().wall, ages.pseudonymise, keys, &error);
  if (outcome == Rewriting::kFailed) log.error("pseudonyms: {}", error);
  if (outcome == Rewriting::kDone) log.info("pseudonyms: a day's client addresses are replaced");
  return outcome == Rewriting::kBusy || outcome == Rewriting::kDone;
}

Duration Upkeep(lookups::LookupStore& store, passive::PassiveStore& passive, const std::string& key_dir,
                const Ages& ages, spdlog::logger& log, int* round) {
  const Now now = ReadClocks();
  for (const std::string& day : store.ApplyRetention(now.wall, ages.retention)) {
    log.info("retention: dropped partition {}", day);
  }
  lookups::PseudonymKeys keys(key_dir);
  for (const std::string& key : keys.Expire(lookups::DayOf(UnixMicros(now.wall)), ages.keys)) {
    log.info("retention: deleted the pseudonyms' key {}", key);
  }
  const int64_t cutoff_s = UnixMicros(now.wall) / 1'000'000 - int64_t{86'400} * ages.passive;
  if (cutoff_s > 0) passive.Forget(static_cast<uint64_t>(cutoff_s));
  if (store.CompactOne(now.wall)) log.info("compacted a finished day");
  if (++*round % kScrubEveryMinutes == 0) store.ScrubNext();
  return kUpkeepEvery;
}

std::unique_ptr<passive::PassiveStore> OpenPassive(const config::Paths& paths, spdlog::logger& log) {
  std::string note;
  std::string error;
  auto store = passive::PassiveStore::Open(paths.Passive(), &note, &error);
  if (!store) log.error("cannot open passive DNS: {}", error);
  if (!note.empty()) log.error("{}", note);
  return store;
}

// A bad configuration changes nothing.
void Reload(const std::string& config_path, Ages* ages, ApiHost& api, ExportHost& exports,
            spdlog::logger& log) {
  const auto config = config::LoadConfig(config_path);
  if (!config.ok()) {
    log.error("reload refused, nothing was changed: {}", std::string(config.status().message()));
    return;
  }
  ages->Set(config->log());
  api.Reload(*config);
  exports.Reload(*config);
  log.info("configuration reloaded");
}

}  // namespace

int Run(const std::string& config_path, const config::Config& config) {
  spdlog::logger log("logd", std::make_shared<spdlog::sinks::stderr_sink_mt>());
  log.set_pattern("%Y-%m-%dT%H:%M:%S.%e%z %n %l %v");
  const config::Paths paths(config);
  if (!MakeFolders(paths, log)) return 1;
  const io::UniqueFd lock = TakeLock(paths.Lock("logd"), log);
  if (!lock) return 1;

  std::string error;
  KernelRng rng;
  const auto passive = OpenPassive(paths, log);
  if (!passive) return 1;
  lookups::StoreOptions options{.dir = paths.Lookups(), .seed = rng.Uint64(), .passive = passive.get()};
  const auto store = lookups::LookupStore::Open(options, &error);
  if (!store) {
    log.error("cannot open the lookup log: {}", error);
    return 1;
  }
  for (const auto& d : store->Status().damaged) {
    log.error("partition {} is damaged and left out: {}", d.id.FolderName(), d.why);
  }
  lookups::Ingest ingest(paths.Spool(), store.get(), 4 * uint64_t{options.block_rows});

  std::signal(SIGPIPE, SIG_IGN);  // a receiver of an export that hangs up is an error of that write
  ExportHost exports(config, log);
  ingest.BeforeRemoval([&exports](const record::SegmentId& id) { exports.Keep(id); });

  io::EventLoop loop;
  QueryService queries(*store, *passive, ingest, exports, {});
  auto server = io::UnixFrameServer::Listen(
      loop, {.path = paths.LogdSocket()},
      [&queries](control::Request request, std::shared_ptr<io::ReplyStream> reply) {
        queries.Submit(std::move(request), std::move(reply));
      });
  if (!server.ok()) {
    log.error("cannot listen: {}", std::string(server.status().message()));
    return 1;
  }
  ApiHost api(*store, *passive, config, log);
  Ages ages(config.log());
  for (const int s : {SIGTERM, SIGINT}) loop.OnSignal(s, [&loop] { loop.Stop(); });
  loop.OnSignal(SIGHUP, [&] { Reload(config_path, &ages, api, exports, log); });
  {
    size_t told = 0;
    Repeater ingesting([&] {
      const bool busy = ingest.Tick(ReadClocks());
      const auto troubles = ingest.Troubles();
      if (troubles.size() > told) log.warn("{}", troubles.back());
      told = troubles.size();
      const bool more = !busy && Pseudonymise(*store, paths.Pseudonyms(), ages, log);
      return busy || more ? Duration(0) : kPoll;
    });
    std::atomic<bool> ending{false};
    Hunter hunter(*store, paths, log);
    Repeater hunting([&] {
      StepBack(kBackground);
      return hunter.Step([&ending] { return ending.load(); });
    });
    int round = 0;
    Repeater upkeep([&] { return Upkeep(*store, *passive, paths.Pseudonyms(), ages, log, &round); });
    log.info("sekisho-logd {} is ready; lookups in {}", SEKISHO_VERSION, paths.Lookups());
    loop.Run();
    log.info("stopping");
    ending = true;
  }
  // What waits in memory is still in the spool; what was written is made durable so that the next start is
  // quick.
  if (!ingest.Settle(&error)) log.warn("{}", error);
  return 0;
}

}  // namespace sekisho::logd
