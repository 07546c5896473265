// Any text as a configuration: it ends with a Config that is valid, or with an error that names its origin.
#include <cstdlib>
#include <string>

#include "proto/base/bytes.h"
#include "proto/config/config.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  if (size > 1 << 16) return 0;
  const auto config = sekisho::config::ParseConfig(sekisho::AsText({data, size}), "fuzz");
  if (config.ok()) {
    if (!sekisho::config::Validate(*config).empty()) std::abort();
  } else if (!std::string(config.status().message()).starts_with("fuzz:")) {
    std::abort();
  }
  return 0;
}
