// sekisho-resolverd: the resolver as a daemon in the foreground.
//
// SIGTERM, SIGINT: stop answering, write the records out, exit 0. SIGHUP: read the configuration again; a bad
// one changes nothing. Exit 1: could not start (says why), 2: wrong usage.
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <string>
#include <string_view>
#include <system_error>

#include "proto/config/process.h"
#include "resolver/resolverd/daemon.h"

namespace {

constexpr char kUsage[] =
    "usage: sekisho-resolverd [--config FILE]\n"
    "  -c, --config FILE  configuration (default /etc/sekisho/sekisho.yaml)\n"
    "      --version      print the version\n"
    "      --help         print this\n";

// A question that has to be resolved takes and gives back about a hundred small pieces of memory; glibc keeps only seven
// of each size at hand for a thread, which costs a third of all the time spent on it (bench/README.md, "load"). How
// many it keeps is read from the environment when the program starts, and nowhere else: so it starts once more.
void KeepMemoryAtHand(char** argv) {
  constexpr char kVariable[] = "GLIBC_TUNABLES";
  const char* set = std::getenv(kVariable);
  std::string tunables = set != nullptr ? set : "";
  if (tunables.find("glibc.malloc.tcache_count") != std::string::npos) return;
  if (!tunables.empty()) tunables += ':';
  tunables += "glibc.malloc.tcache_count=1000";
  // Where it cannot be started again (no /proc), it works all the same.
  std::error_code error;
  const auto self = std::filesystem::read_symlink("/proc/self/exe", error);
  if (!error && ::setenv(kVariable, tunables.c_str(), 1) == 0) ::execv(self.c_str(), argv);
}

}  // namespace

int main(int argc, char** argv) {
  sekisho::config::EndWhenOutOfMemory();
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
  KeepMemoryAtHand(argv);
  return sekisho::resolver::RunDaemon(config);
}
