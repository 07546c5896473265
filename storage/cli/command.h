// Command: one verb of the `sekisho` tool as data, so that main.cc alone knows the command-line library.
//
//   Command{.path = "block add", .help = "block a name", .arguments = {{.name = "NAME", .help = "…",
//   .required = true},
//           {.name = "--reason", .help = "…"}}, .run = &BlockAdd}
//
// An argument whose name begins with "--" is an option, else a positional. Each command group is one file
// storage/cli/<group>_command.cc with one function named in command_groups.h.
//
// Threads: one. Limits: a command gets only what its table names; --config and --run-dir belong to all.
#ifndef SEKISHO_STORAGE_CLI_COMMAND_H_
#define SEKISHO_STORAGE_CLI_COMMAND_H_

#include <functional>
#include <iosfwd>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace sekisho::cli {

struct Argument {
  std::string name;  // "--since" or "NAME"
  std::string help;
  bool required = false;
  bool flag = false;       // an option without value
  bool repeated = false;   // may be given several times
  std::string fallback{};  // value when not given
};

// The values of one call, by the names in the table.
class Arguments {
 public:
  void Set(const std::string& name, std::vector<std::string> values) { values_[name] = std::move(values); }
  // The (first) value; the fallback when not given; empty when there is none.
  std::string Get(std::string_view name) const;
  bool Has(std::string_view name) const { return values_.contains(name); }
  const std::vector<std::string>& All(std::string_view name) const;

 private:
  std::map<std::string, std::vector<std::string>, std::less<>> values_;
};

// What every command may use.
struct Context {
  std::string config_path;
  std::string run_dir;  // --run-dir; empty: from the configuration
  std::ostream& out;
  std::ostream& err;
};

// Exit codes: done, failed (said on err), used wrongly.
enum class ExitCode : int { kOk = 0, kFailed = 1, kUsage = 2 };

struct Command {
  std::string path;  // words, e.g. "feed sync"
  std::string help;
  std::vector<Argument> arguments;
  std::function<ExitCode(const Context&, const Arguments&)> run;
};

}  // namespace sekisho::cli

#endif  // SEKISHO_STORAGE_CLI_COMMAND_H_
