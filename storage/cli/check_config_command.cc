#include <ostream>
#include <string>

#include "proto/config/config.h"
#include "storage/cli/command_groups.h"

namespace sekisho::cli {
namespace {

ExitCode CheckConfig(const Context& context, const Arguments& arguments) {
  if (arguments.Has("--print-defaults")) {
    context.out << config::PrintDefaults();
    return ExitCode::kOk;
  }
  const std::string path = arguments.Has("FILE") ? arguments.Get("FILE") : context.config_path;
  if (const auto config = config::LoadConfig(path); !config.ok()) {
    context.err << std::string(config.status().message()) << "\n";
    return ExitCode::kFailed;
  }
  context.out << path << ": good\n";
  return ExitCode::kOk;
}

}  // namespace

std::vector<Command> CheckConfigCommands() {
  return {
      {.path = "check-config",
       .help = "check a configuration file, or print all settings with their defaults",
       .arguments = {{.name = "FILE", .help = "the file to check; without it that of --config"},
                     {.name = "--print-defaults", .help = "print a file with every default", .flag = true}},
       .run = &CheckConfig}};
}

}  // namespace sekisho::cli
