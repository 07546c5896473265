// sekisho events: what was found out about past lookups when their names were blocked later.
#include <nlohmann/json.hpp>
#include <ostream>

#include "proto/config/config.h"
#include "proto/config/paths.h"
#include "storage/cli/command_groups.h"
#include "storage/cli/feedd_call.h"
#include "storage/events/event_log.h"

namespace sekisho::cli {
namespace {

using Json = nlohmann::ordered_json;

// Calls for every event there is.
ExitCode ForEach(const Context& context, const std::function<void(const Json&)>& each) {
  const auto config = config::LoadConfig(context.config_path);
  if (!config.ok()) {
    context.err << "sekisho events: " << std::string(config.status().message()) << "\n";
    return ExitCode::kFailed;
  }
  const std::string path = config::Paths(*config).Events() + "/events.jsonl";
  const bool good = events::EventLog::Read(path, [&each](std::string_view line) {
    const Json j = Json::parse(line, nullptr, false);
    if (j.is_object()) each(j);
    return true;
  });
  if (good) return ExitCode::kOk;
  context.err << "sekisho events: cannot read " << path << "\n";
  return ExitCode::kFailed;
}

std::string Text(const Json& j, const char* key) {
  const auto at = j.find(key);
  if (at == j.end()) return "";
  return SafeText(at->is_string() ? at->get<std::string>() : at->dump());
}

ExitCode Events(const Context& context, const Arguments& args) {
  const std::string format = args.Get("--format");
  if (format != "table" && format != "jsonl") {
    context.err << "sekisho events: --format: must be table or jsonl\n";
    return ExitCode::kUsage;
  }
  return ForEach(context, [&](const Json& j) {
    if (format == "jsonl") {
      context.out << j.dump(-1, ' ', false, Json::error_handler_t::replace) << "\n";
      return;
    }
    std::string agencies;
    for (const Json& agency : j.value("agencies", Json::array()))
      agencies += (agencies.empty() ? "" : ", ") + Text(agency, "agency");
    context.out << Text(j, "time") << "  " << Text(j, "id") << "  " << Text(j, "rule") << " ("
                << Text(j, "feeds") << "): " << Text(j, "lookups") << " lookups before, "
                << Text(j, "answered") << " answered, " << Text(j, "first") << " to " << Text(j, "last")
                << ", by " << agencies << "\n";
  });
}

ExitCode Show(const Context& context, const Arguments& args) {
  bool found = false;
  const ExitCode code = ForEach(context, [&](const Json& j) {
    if (Text(j, "id") != args.Get("ID") || found) return;
    found = true;
    context.out << j.dump(2, ' ', true, Json::error_handler_t::replace) << "\n";
  });
  if (code != ExitCode::kOk || found) return code;
  context.err << "sekisho events: there is no such event\n";
  return ExitCode::kFailed;
}

}  // namespace

std::vector<Command> EventsCommands() {
  return {{.path = "events",
           .help = "who had asked for a name before it was blocked",
           .arguments = {{.name = "--format", .help = "table or jsonl", .fallback = "table"}},
           .run = &Events},
          {.path = "events show",
           .help = "all of one event: agencies, clients, first and last contact, addresses given",
           .arguments = {{.name = "ID", .help = "of the event", .required = true}},
           .run = &Show}};
}

}  // namespace sekisho::cli
