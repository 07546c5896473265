#include <ostream>

#include "storage/cli/command_groups.h"

namespace sekisho::cli {

std::vector<Command> VersionCommands() {
  return {{.path = "version",
           .help = "print the version",
           .arguments = {},
           .run = [](const Context& context, const Arguments&) {
             context.out << "sekisho " << SEKISHO_VERSION << "\n";
             return ExitCode::kOk;
           }}};
}

}  // namespace sekisho::cli
