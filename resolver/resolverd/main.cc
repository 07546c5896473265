// sekisho-resolverd: the resolver as a daemon in the foreground.
//
// SIGTERM, SIGINT: stop answering, write the records out, exit 0. SIGHUP: read the configuration again; a bad
// one changes nothing. Exit 1: could not start (says why), 2: wrong usage.
#include <signal.h>

#include <cstdio>
#include <string>
#include <string_view>

#include "resolver/resolverd/daemon.h"

namespace {

constexpr char kUsage[] =
    "usage: sekisho-resolverd [--config FILE]\n"
    "  -c, --config FILE  configuration (default /etc/sekisho/sekisho.yaml)\n"
    "      --version      print the version\n"
    "      --help         print this\n";

}  // namespace

int main(int argc, char** argv) {
  std::string config = sekisho::config::kDefaultConfigFile;
  for (int i = 1; i < argc; ++i) {
    const std::string_view argument = argv[i];
    if ((argument == "--config" || argument == "-c") && i + 1 < argc) {
      config = argv[++i];
    } else if (argument.starts_with("--config=")) {
      config = argument.substr(9);
    } else if (argument == "--version") {
      std::puts("sekisho-resolverd " SEKISHO_VERSION);
      return 0;
    } else if (argument == "--help" || argument == "-h") {
      std::fputs(kUsage, stdout);
      return 0;
    } else {
      std::fprintf(stderr, "sekisho-resolverd: unknown argument '%s'\n%s", argv[i], kUsage);
      return 2;
    }
  }
  return sekisho::resolver::RunDaemon(config);
}
