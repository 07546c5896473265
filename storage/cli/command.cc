#include "storage/cli/command.h"

namespace sekisho::cli {

std::string Arguments::Get(std::string_view name) const {
  const std::vector<std::string>& values = All(name);
  return values.empty() ? std::string() : values.front();
}

const std::vector<std::string>& Arguments::All(std::string_view name) const {
  static const std::vector<std::string> kNone;
  const auto found = values_.find(name);
  return found == values_.end() ? kNone : found->second;
}

}  // namespace sekisho::cli
