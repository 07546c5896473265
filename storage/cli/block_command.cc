// `sekisho block …` and `sekisho allow …`: names and addresses that people list by hand.
#include <ostream>
#include <string>

#include "proto/base/ip_address.h"
#include "proto/base/time_text.h"
#include "storage/cli/command_groups.h"
#include "storage/cli/feedd_call.h"

namespace sekisho::cli {
namespace {

using control::BlockChange;

ExitCode Change(const Context& context, const Arguments& arguments, BlockChange::Kind kind) {
  control::Request request;
  BlockChange* change = request.mutable_block_change();
  change->set_kind(kind);
  change->set_name(arguments.Get("NAME"));
  change->set_exact(arguments.Has("--exact"));
  change->set_force(arguments.Has("--force"));
  change->set_reason(arguments.Get("--reason"));
  change->set_who(arguments.Has("--who") ? arguments.Get("--who") : CallerName());
  change->set_agency(arguments.Get("--agency"));
  if (arguments.Has("--until")) {
    const auto until = ParseTime(arguments.Get("--until"), ReadClocks().wall, {.local = true});
    if (!until) {
      context.err << "--until: '" << SafeText(arguments.Get("--until"))
                  << "' is not a time such as 2026-12-01T09:00\n";
      return ExitCode::kUsage;
    }
    change->set_until_us(*until);
  }
  const auto response = CallFeedd(context, request, kQuickAnswer);
  if (!response) return ExitCode::kFailed;
  const bool add = kind == BlockChange::BLOCK_ADD || kind == BlockChange::ALLOW_ADD;
  const bool allow = kind == BlockChange::ALLOW_ADD || kind == BlockChange::ALLOW_REMOVE;
  const control::BlockChanged& changed = response->block_changed();
  const bool address = IpPrefix::Parse(changed.name()).has_value();
  context.out << SafeText(changed.name()) << (address || change->exact() ? "" : " and all below it") << ": "
              << (allow ? "allow" : "block") << (add ? " added" : " removed") << ", generation "
              << changed.generation() << "\n";
  if (!changed.note().empty()) context.out << "note: " << SafeText(changed.note()) << "\n";
  return ExitCode::kOk;
}

ExitCode List(const Context& context, const Arguments&) {
  control::Request request;
  request.mutable_local_list();
  const auto response = CallFeedd(context, request, kQuickAnswer);
  if (!response) return ExitCode::kFailed;
  for (const control::LocalEntry& entry : response->local_list().entries()) {
    context.out << (entry.allow() ? "allow " : "block ") << SafeText(entry.name())
                << (entry.exact() ? "  (the name alone)" : "")
                << (entry.agency().empty() ? "" : "  for " + SafeText(entry.agency()))
                << (entry.until_us() == 0 ? ""
                                          : "  until " + FormatTime(entry.until_us(), {.local = true}, 0))
                << "  " << FormatTime(entry.added_us(), {.local = true}, 0) << "  " << SafeText(entry.who())
                << "  " << SafeText(entry.reason(), 500) << "\n";
  }
  if (response->local_list().entries().empty()) context.out << "no local entries\n";
  return ExitCode::kOk;
}

Command ChangeCommand(std::string path, std::string help, BlockChange::Kind kind) {
  const bool add = kind == BlockChange::BLOCK_ADD || kind == BlockChange::ALLOW_ADD;
  Command command{
      .path = std::move(path),
      .help = std::move(help),
      .arguments = {{.name = "NAME",
                     .help = "domain name (U-labels are understood), address or prefix",
                     .required = true},
                    {.name = "--reason", .help = "why, for the record", .required = add},
                    {.name = "--exact", .help = "the name alone, not everything below it", .flag = true},
                    {.name = "--agency", .help = "for this agency alone"},
                    {.name = "--who", .help = "who decides; the calling user when not given"}},
      .run = [kind](const Context& context, const Arguments& arguments) {
        return Change(context, arguments, kind);
      }};
  if (add) command.arguments.push_back({.name = "--until", .help = "it ends then, e.g. 2026-12-01T09:00"});
  if (kind == BlockChange::BLOCK_ADD) {
    command.arguments.push_back({.name = "--force",
                                 .help = "also a top-level domain, a public suffix, a very wide network",
                                 .flag = true});
  }
  return command;
}

}  // namespace

std::vector<Command> BlockCommands() {
  return {ChangeCommand("block add",
                        "block a name and everything below it, or an address in answers, in force at once",
                        BlockChange::BLOCK_ADD),
          ChangeCommand("block remove", "take back a local block", BlockChange::BLOCK_REMOVE),
          {.path = "block list", .help = "show local blocks and allows", .arguments = {}, .run = &List},
          ChangeCommand("allow add", "never block a name and everything below it, or an address",
                        BlockChange::ALLOW_ADD),
          ChangeCommand("allow remove", "take back a local allow", BlockChange::ALLOW_REMOVE),
          {.path = "allow list", .help = "show local blocks and allows", .arguments = {}, .run = &List}};
}

}  // namespace sekisho::cli
