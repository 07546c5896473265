// The `sekisho` tool: turns the command tables into a command line. The only file that includes CLI11.
#include <CLI/CLI.hpp>
#include <iostream>
#include <iterator>
#include <memory>
#include <string>
#include <vector>

#include "storage/cli/command_groups.h"

namespace sekisho::cli {
namespace {

constexpr char kDefaultConfig[] = "/etc/sekisho/sekisho.yaml";

std::vector<Command> AllCommands() {
  std::vector<Command> all;
  // One line per command group.
  for (auto* group : {&BlockCommands, &CheckConfigCommands, &EventsCommands, &ExplainCommands, &FeedCommands,
                      &FeedPreviewCommands, &FeedScoreCommands, &LogCommands, &PdnsCommands, &StatusCommands,
                      &TokenCommands, &VersionCommands}) {
    std::vector<Command> commands = group();
    std::move(commands.begin(), commands.end(), std::back_inserter(all));
  }
  return all;
}

// The values CLI11 writes while it parses; kept alive until the command has run.
struct Binding {
  const Command* command;
  CLI::App* app;
  std::vector<CLI::Option*> options;
};

// The sub-command for "feed sync": each word nests below the one before.
CLI::App* SubcommandFor(CLI::App& root, const Command& command) {
  CLI::App* at = &root;
  size_t begin = 0;
  while (begin < command.path.size()) {
    size_t end = command.path.find(' ', begin);
    if (end == std::string::npos) end = command.path.size();
    const std::string word = command.path.substr(begin, end - begin);
    const auto known = at->get_subcommands([&word](CLI::App* app) { return app->get_name() == word; });
    CLI::App* next = known.empty() ? at->add_subcommand(word) : known.front();
    if (known.empty() && end < command.path.size()) next->require_subcommand(1);
    at = next;
    begin = end + 1;
  }
  at->description(command.help);
  at->fallthrough();
  return at;
}

Binding Bind(CLI::App& root, const Command& command) {
  Binding binding{&command, SubcommandFor(root, command), {}};
  for (const Argument& argument : command.arguments) {
    CLI::Option* option;
    if (argument.flag) {
      option = binding.app->add_flag(argument.name, argument.help);
    } else {
      option = binding.app->add_option(
          argument.name, CLI::callback_t([](const CLI::results_t&) { return true; }), argument.help);
      option->type_name(argument.fallback.empty() ? "TEXT" : "TEXT [" + argument.fallback + "]");
      option->expected(1, argument.repeated ? CLI::detail::expected_max_vector_size : 1);
      if (argument.repeated) option->allow_extra_args(false);
    }
    option->required(argument.required);
    binding.options.push_back(option);
  }
  return binding;
}

Arguments Collect(const Binding& binding) {
  Arguments arguments;
  for (size_t i = 0; i < binding.options.size(); ++i) {
    const Argument& argument = binding.command->arguments[i];
    if (binding.options[i]->count() > 0) {
      arguments.Set(argument.name, binding.options[i]->results());
    } else if (!argument.fallback.empty()) {
      arguments.Set(argument.name, {argument.fallback});
    }
  }
  return arguments;
}

int Run(int argc, char** argv) {
  CLI::App root("Sekisho, a protective DNS resolver: the tool for its daemons", "sekisho");
  root.require_subcommand(1);
  root.set_version_flag("--version", "sekisho " SEKISHO_VERSION);
  std::string config_path = kDefaultConfig;
  std::string run_dir;
  root.add_option("-c,--config", config_path, "configuration file")->envname("SEKISHO_CONFIG");
  root.add_option("--run-dir", run_dir, "folder of the daemons' sockets, instead of the configuration's");

  const std::vector<Command> commands = AllCommands();
  std::vector<Binding> bindings;
  bindings.reserve(commands.size());
  for (const Command& command : commands) bindings.push_back(Bind(root, command));
  try {
    root.parse(argc, argv);
  } catch (const CLI::ParseError& e) {
    const int code = root.exit(e);
    return code == 0 ? 0 : static_cast<int>(ExitCode::kUsage);
  }
  const Context context{config_path, run_dir, std::cout, std::cerr};
  for (const Binding& binding : bindings) {  // of "log" and "log verify" the longer one is meant
    if (binding.app->parsed() && binding.app->get_subcommands().empty())
      return static_cast<int>(binding.command->run(context, Collect(binding)));
  }
  return static_cast<int>(ExitCode::kUsage);
}

}  // namespace
}  // namespace sekisho::cli

int main(int argc, char** argv) { return sekisho::cli::Run(argc, argv); }
