// Asks each daemon's socket for its status and prints it with what an operator should look at.
//
//   daemon  := NAME VERSION NEWLINE ("  " name padding value ["  ! " alarm] NEWLINE)*
#include <algorithm>
#include <array>
#include <ostream>
#include <string>

#include "proto/config/config.h"
#include "proto/config/paths.h"
#include "proto/config/printable.h"
#include "proto/io/frame_client.h"
#include "storage/cli/command_groups.h"

namespace sekisho::cli {
namespace {

constexpr std::array<const char*, 3> kDaemons = {"resolverd", "feedd", "logd"};
constexpr Duration kPatience = std::chrono::seconds(5);
constexpr size_t kMaxShown = 1000;

std::string Safe(const std::string& text) { return config::Printable(text, kMaxShown); }

absl::StatusOr<control::StatusReply> Ask(const std::string& socket) {
  auto client = io::FrameClient::Connect(socket, kPatience);
  if (!client.ok()) return client.status();
  control::Request request;
  request.mutable_status();
  auto response = client->Call(request);
  if (!response.ok()) return response.status();
  if (!response->has_status()) return absl::DataLossError(socket + ": answered without a status");
  return response->status();
}

// Returns the number of alarms.
int Print(const control::StatusReply& status, std::ostream& out) {
  out << Safe(status.daemon()) << " " << Safe(status.version()) << "\n";
  size_t width = 0;
  for (const auto& item : status.items()) width = std::max(width, Safe(item.name()).size());
  int alarms = 0;
  for (const auto& item : status.items()) {
    const std::string name = Safe(item.name());
    out << "  " << name << std::string(width - name.size() + 2, ' ') << Safe(item.value());
    if (!item.alarm().empty()) {
      out << "  ! " << Safe(item.alarm());
      ++alarms;
    }
    out << "\n";
  }
  return alarms;
}

ExitCode Status(const Context& context, const Arguments& arguments) {
  const std::string only = arguments.Get("DAEMON");
  if (!only.empty() && std::find(kDaemons.begin(), kDaemons.end(), only) == kDaemons.end()) {
    context.err << "'" << Safe(only) << "' is none of resolverd, feedd, logd\n";
    return ExitCode::kUsage;
  }
  std::string run_dir = context.run_dir;
  if (run_dir.empty()) {
    const auto config = config::LoadConfig(context.config_path);
    if (!config.ok()) {
      context.err << std::string(config.status().message()) << "\n";
      return ExitCode::kFailed;
    }
    run_dir = config::Paths(*config).run_dir;
  }
  int alarms = 0;
  for (const std::string daemon : kDaemons) {
    if (!only.empty() && only != daemon) continue;
    const auto status = Ask(run_dir + "/" + daemon + ".sock");
    if (status.ok()) {
      alarms += Print(*status, context.out);
    } else {
      context.out << daemon << "  ! not answering: " << Safe(std::string(status.status().message())) << "\n";
      ++alarms;
    }
  }
  if (alarms > 0) context.out << alarms << (alarms == 1 ? " alarm\n" : " alarms\n");
  return alarms == 0 ? ExitCode::kOk : ExitCode::kFailed;
}

}  // namespace

std::vector<Command> StatusCommands() {
  return {{.path = "status",
           .help = "show how the daemons are; exit code 1 when one has an alarm or does not answer",
           .arguments = {{.name = "DAEMON", .help = "resolverd, feedd or logd; without it all three"}},
           .run = &Status}};
}

}  // namespace sekisho::cli
