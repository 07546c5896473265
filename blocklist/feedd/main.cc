// sekisho-feedd: fetches threat lists, keeps every claim, and publishes what resolverd enforces.
//
//   sekisho-feedd [--config FILE]        SIGTERM, SIGINT: end     SIGHUP: read the configuration again
#include <spdlog/sinks/stdout_sinks.h>
#include <spdlog/spdlog.h>

#include <csignal>
#include <cstdio>
#include <filesystem>
#include <string>
#include <string_view>

#include "blocklist/feedd/control_service.h"
#include "blocklist/feedd/instance_lock.h"
#include "blocklist/feedd/local_export.h"
#include "blocklist/feedd/open_store.h"
#include "proto/base/this_thread.h"
#include "proto/config/config.h"
#include "proto/config/paths.h"
#include "proto/config/printable.h"
#include "proto/config/process.h"
#include "proto/io/event_loop.h"

namespace sekisho::feedd {
namespace {

constexpr size_t kMaxLogLine = 500;

absl::Status MakeFolders(const config::Paths& paths) {
  for (const std::string& folder : {paths.data_dir, paths.run_dir, paths.Feeds()}) {
    std::error_code error;
    std::filesystem::create_directories(folder, error);
    if (error) return absl::UnavailableError(folder + ": " + error.message());
  }
  return absl::OkStatus();
}

void Log(bool warning, const std::string& text) {
  const std::string safe = config::Printable(text, kMaxLogLine);
  warning ? spdlog::warn("{}", safe) : spdlog::info("{}", safe);
}

// A bad configuration or list changes nothing.
void Reload(const std::string& path, SyncService* sync) {
  const absl::StatusOr<config::Config> config = config::LoadConfig(path);
  if (!config.ok()) return Log(true, "reload refused: " + std::string(config.status().message()));
  auto inputs = PolicyInputs::Load(*config);
  if (!inputs.ok()) return Log(true, "reload refused: " + std::string(inputs.status().message()));
  for (const std::string& warning : (*inputs)->warnings) Log(true, warning);
  sync->Configure(std::move(*inputs));
  Log(false, "configuration reloaded");
}

absl::Status Serve(const std::string& config_path) {
  const absl::StatusOr<config::Config> config = config::LoadConfig(config_path);
  if (!config.ok()) return config.status();
  const config::Paths paths(*config);
  if (absl::Status status = MakeFolders(paths); !status.ok()) return status;
  const auto lock = LockInstance(paths.Lock("feedd"));
  if (!lock.ok()) return lock.status();
  auto inputs = PolicyInputs::Load(*config);
  if (!inputs.ok()) return inputs.status();
  for (const std::string& warning : (*inputs)->warnings) Log(true, warning);
  const std::string local_export = paths.Feeds() + "/local-rules.txt";
  const auto opened = OpenStore(paths.Indicators(), local_export);
  if (!opened.ok()) return opened.status();
  if (!opened->damage.empty()) Log(true, opened->damage);
  indicators::IndicatorStore& store = *opened->store;
  if (absl::Status status = ExportLocals(store, local_export); !status.ok())
    Log(true, std::string(status.message()));
  const auto publisher =
      PolicyPublisher::Open(paths.Snapshots(), config->blocklist().keep_snapshots(), store);
  if (!publisher.ok()) return publisher.status();
  if (const std::string damage = (*publisher)->state().damage; !damage.empty()) Log(true, damage);

  io::EventLoop loop;
  SyncService sync(store, **publisher, paths.Feeds(), &Log);
  if (!opened->damage.empty()) sync.Rebuild();
  ControlService control(store, **publisher, sync,
                         {.snapshot_folder = paths.Snapshots(),
                          .local_export = local_export,
                          .rebuild_mark = RebuildMark(paths.Indicators()),
                          .store_damage = opened->damage});
  sync.Configure(std::move(*inputs));
  auto server = io::UnixFrameServer::Listen(
      loop, {.path = paths.FeeddSocket()},
      [&control](const control::Request& request, const std::shared_ptr<io::ReplyStream>& reply) {
        control.Handle(request, reply);
      });
  if (!server.ok()) return server.status();
  for (const int signal_number : {SIGTERM, SIGINT}) {
    if (!loop.OnSignal(signal_number, [&loop] { loop.Stop(); }))
      return absl::UnavailableError("cannot take signals");
  }
  if (!loop.OnSignal(SIGHUP, [&] { Reload(config_path, &sync); }))
    return absl::UnavailableError("cannot take signals");
  sync.Start();
  Log(false, "sekisho-feedd " SEKISHO_VERSION " serves " + paths.data_dir);
  loop.Run();
  Log(false, "ending");
  sync.Stop();
  return absl::OkStatus();
}

int Main(int argc, char** argv) {
  spdlog::set_default_logger(spdlog::stderr_logger_mt("feedd"));
  spdlog::set_pattern("%Y-%m-%dT%H:%M:%S.%e%z feedd %l %v");
  std::signal(SIGPIPE, SIG_IGN);
  std::string config_path = config::kDefaultConfigFile;
  for (int i = 1; i < argc; ++i) {
    const std::string_view argument = argv[i];
    if ((argument == "--config" || argument == "-c") && i + 1 < argc) {
      config_path = argv[++i];
    } else if (argument.starts_with("--config=")) {
      config_path = argument.substr(9);
    } else if (argument == "--version") {
      std::puts("sekisho-feedd " SEKISHO_VERSION);
      return 0;
    } else {
      std::fputs("usage: sekisho-feedd [--config FILE] [--version]\n", stderr);
      return argument == "--help" || argument == "-h" ? 0 : 2;
    }
  }
  const absl::Status status = Serve(config_path);
  if (status.ok()) return 0;
  std::fprintf(stderr, "sekisho-feedd: %s\n", std::string(status.message()).c_str());
  return 1;
}

}  // namespace
}  // namespace sekisho::feedd

int main(int argc, char** argv) {
  sekisho::config::EndWhenOutOfMemory();
  sekisho::StepBack(sekisho::kBesides);
  return sekisho::feedd::Main(argc, argv);
}
