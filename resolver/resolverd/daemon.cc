#include "resolver/resolverd/daemon.h"

#include <signal.h>
#include <spdlog/sinks/stdout_sinks.h>
#include <spdlog/spdlog.h>
#include <unistd.h>

#include <memory>
#include <optional>
#include <utility>

#include "proto/config/config.h"
#include "proto/config/printable.h"
#include "proto/config/process.h"
#include "proto/io/event_loop.h"
#include "proto/io/unix_frame_server.h"
#include "resolver/config/live_config.h"
#include "resolver/config/static_config.h"
#include "resolver/server/outlook.h"
#include "resolver/server/server.h"
#include "resolver/server/status.h"

namespace sekisho::resolver {
namespace {

constexpr size_t kMaxLogText = 2000;

class Daemon {
 public:
  Daemon(std::string config_path, spdlog::logger& log) : config_path_(std::move(config_path)), log_(log) {}

  absl::Status Start() {
    const Now started = ReadClocks();
    auto config = config::LoadConfig(config_path_);
    if (!config.ok()) return config.status();
    auto live = MakeLiveConfig(*config);
    if (!live.ok()) return live.status();
    const StaticConfig fixed(*config);
    if (auto status = TakePlace(fixed); !status.ok()) return status;
    const uint64_t files = config::RaiseOpenFiles();
    auto server = Server::Bind(
        fixed, *std::move(live), started, [this](const auto& s) { OnPolicy(s); },
        [this](const std::string& text, bool alarm) { OnAnchors(text, alarm); },
        [this](const auto& s) { OnPolicyZone(s); });
    if (!server.ok()) return server.status();
    server_ = *std::move(server);
    TellAnchorWarnings();
    if (!fixed.user.empty()) {
      if (auto status = config::BecomeUser(fixed.user, {fixed.paths.data_dir, fixed.paths.run_dir,
                                                        fixed.paths.Spool(), fixed.paths.Anchors()});
          !status.ok()) {
        return status;
      }
    }
    if (auto status = OpenControl(fixed); !status.ok()) return status;
    OnSignals();
    if (auto status = server_->Start(); !status.ok()) return status;
    log_.info("ready: {} workers, {} addresses, up to {} open files", fixed.workers, fixed.listen.size(),
              files);
    if (server_->policy_state().generation == 0) log_.warn("no policy snapshot yet: resolving unfiltered");
    return absl::OkStatus();
  }

  void Run() {
    loop_.Run();
    control_.reset();
    server_->Stop();
    const auto& records = server_->spooler().counters();
    log_.info("stopped; {} records in the spool", records.records_spooled.load());
  }

 private:
  absl::Status TakePlace(const StaticConfig& fixed) {
    for (const std::string& folder :
         {fixed.paths.data_dir, fixed.paths.run_dir, fixed.paths.Spool(), fixed.paths.Anchors()}) {
      if (auto status = config::MakeFolder(folder); !status.ok()) return status;
    }
    auto lock = config::ProcessLock::Take(fixed.paths.Lock("resolverd"));
    if (!lock.ok()) return lock.status();
    lock_.emplace(*std::move(lock));
    return absl::OkStatus();
  }

  absl::Status OpenControl(const StaticConfig& fixed) {
    auto control =
        io::UnixFrameServer::Listen(loop_, {.path = fixed.paths.ResolverdSocket()},
                                    [this](control::Request request, std::shared_ptr<io::ReplyStream> reply) {
                                      Answer(request, *reply);
                                    });
    if (!control.ok()) return control.status();
    control_ = *std::move(control);
    return absl::OkStatus();
  }

  void Answer(const control::Request& request, io::ReplyStream& reply) {
    control::Response response;
    switch (request.what_case()) {
      case control::Request::kStatus:
        *response.mutable_status() = MakeStatus(*server_, ReadClocks());
        break;
      case control::Request::kJudge: {
        auto judged = MakeOutlook(request.judge(), server_->rules(), ReadClocks().wall);
        if (judged.ok()) {
          *response.mutable_judged() = *std::move(judged);
        } else {
          response.set_error(std::string(judged.status().message()));
        }
        break;
      }
      case control::Request::kGenerations:
        for (const auto& [generation, since] : server_->policy_history()) {
          auto* told = response.mutable_generations()->add_generations();
          told->set_generation(generation);
          told->set_since_us(UnixMicros(since));
        }
        response.mutable_generations();
        break;
      default:
        response.set_error("resolverd does not know this request");
    }
    reply.Finish(std::move(response));
  }

  void OnSignals() {
    for (const int signal_number : {SIGTERM, SIGINT}) {
      loop_.OnSignal(signal_number, [this] { loop_.Stop(); });
    }
    loop_.OnSignal(SIGHUP, [this] { Reload(); });
    ::signal(SIGPIPE, SIG_IGN);
  }

  void Reload() {
    auto config = config::LoadConfig(config_path_);
    auto live = config.ok() ? MakeLiveConfig(*config) : absl::StatusOr<LiveConfig>(config.status());
    if (!live.ok()) {
      log_.error("reload refused, nothing was changed: {}", Printable(live.status()));
      return;
    }
    for (const std::string& name : NeedsRestart(server_->config(), StaticConfig(*config))) {
      log_.warn("reload: {} takes effect after a restart", name);
    }
    if (auto status = server_->Reload(*std::move(live)); !status.ok()) {
      log_.error("reload refused, nothing was changed: {}", Printable(status));
      return;
    }
    TellAnchorWarnings();
    log_.info("configuration reloaded");
  }

  // On the watch's thread.
  void OnPolicy(const PolicyWatch::State& state) {
    if (!state.error.empty()) {
      log_.error("policy snapshot refused: {}", config::Printable(state.error, kMaxLogText));
    } else {
      log_.info("policy generation {} in force, {} rules", state.generation, state.rules);
    }
  }

  void TellAnchorWarnings() {
    for (const std::string& warning : server_->live().anchor_warnings) OnAnchors(warning, true);
  }

  // On whatever thread.
  void OnAnchors(const std::string& text, bool alarm) {
    log_.log(alarm ? spdlog::level::warn : spdlog::level::info, "{}", config::Printable(text, kMaxLogText));
  }

  // On the thread that has read the file.
  void OnPolicyZone(const PolicyZoneFiles::State& state) {
    if (!state.error.empty()) {
      log_.error("policy zone {} {}: {}", state.name, state.in_force ? "stays as it was" : "is not in force",
                 config::Printable(state.error, kMaxLogText));
      return;
    }
    log_.info("policy zone {} in force, {} rules", state.name, state.rules);
    if (state.left_out != 0) {
      log_.warn("policy zone {}: {} records are no rules: {}", state.name, state.left_out,
                config::Printable(state.left_out_why, kMaxLogText));
    }
  }

  static std::string Printable(const absl::Status& status) {
    return config::Printable(std::string(status.message()), kMaxLogText);
  }

  std::string config_path_;
  spdlog::logger& log_;
  std::optional<config::ProcessLock> lock_;
  std::unique_ptr<Server> server_;
  io::EventLoop loop_;
  std::unique_ptr<io::UnixFrameServer> control_;
};

}  // namespace

int RunDaemon(const std::string& config_path) {
  auto log = std::make_shared<spdlog::logger>("resolverd", std::make_shared<spdlog::sinks::stderr_sink_mt>());
  log->set_pattern("%Y-%m-%dT%H:%M:%S.%e%z %n %l %v");
  log->flush_on(spdlog::level::info);
  Daemon daemon(config_path, *log);
  if (auto status = daemon.Start(); !status.ok()) {
    // Each line of the message is one problem.
    std::string text(status.message());
    for (size_t at = 0; at <= text.size();) {
      const size_t end = std::min(text.find('\n', at), text.size());
      log->error("cannot start: {}", config::Printable(text.substr(at, end - at), kMaxLogText));
      at = end + 1;
    }
    return 1;
  }
  daemon.Run();
  return 0;
}

}  // namespace sekisho::resolver
