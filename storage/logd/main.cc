// sekisho-logd: takes the lookups in, keeps them, answers questions about them.
#include <iostream>
#include <string>
#include <string_view>

#include "proto/base/this_thread.h"
#include "proto/config/config.h"
#include "proto/config/paths.h"
#include "proto/config/process.h"
#include "storage/logd/daemon.h"

int main(int argc, char** argv) {
  sekisho::config::EndWhenOutOfMemory();
  sekisho::StepBack(sekisho::kBesides);
  std::string file = sekisho::config::kDefaultConfigFile;
  for (int i = 1; i < argc; ++i) {
    const std::string_view arg = argv[i];
    if ((arg == "-c" || arg == "--config") && i + 1 < argc) {
      file = argv[++i];
    } else if (arg == "--version") {
      std::cout << "sekisho-logd " SEKISHO_VERSION "\n";
      return 0;
    } else if (arg == "-h" || arg == "--help") {
      std::cout << "usage: sekisho-logd [--config FILE]\n";
      return 0;
    } else {
      std::cerr << "sekisho-logd: what is \"" << arg << "\"? usage: sekisho-logd [--config FILE]\n";
      return 2;
    }
  }
  const auto config = sekisho::config::LoadConfig(file);
  if (!config.ok()) {
    std::cerr << "sekisho-logd: " << std::string(config.status().message()) << "\n";
    return 1;
  }
  return sekisho::logd::Run(file, *config);
}
