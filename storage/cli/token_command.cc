// sekisho token: who may ask the log's HTTP API.
#include <ostream>

#include "proto/base/time_text.h"
#include "proto/config/config.h"
#include "proto/config/paths.h"
#include "storage/access/token_store.h"
#include "storage/cli/command_groups.h"

namespace sekisho::cli {
namespace {

ExitCode Fail(const Context& context, const std::string& why, ExitCode code = ExitCode::kFailed) {
  context.err << "sekisho token: " << why << "\n";
  return code;
}

std::optional<std::string> TokenFile(const Context& context) {
  const auto config = config::LoadConfig(context.config_path);
  if (config.ok()) return config::Paths(*config).Tokens();
  Fail(context, std::string(config.status().message()));
  return std::nullopt;
}

// "30d" or a date: when a token ends.
std::optional<int64_t> ReadExpiry(const std::string& text, WallTime now) {
  const int64_t at = UnixMicros(now);
  const auto time = ParseTime(text, now, {});
  if (!time || *time == at) return std::nullopt;
  return *time > at ? *time : 2 * at - *time;  // "30d" is read as so long ago
}

ExitCode Add(const Context& context, const Arguments& args) {
  access::Token token;
  token.name = args.Get("--name");
  const auto role = access::ParseRole(args.Get("--role"));
  if (!role)
    return Fail(context, "--role: must be agency, analyst, feed-operator or auditor", ExitCode::kUsage);
  token.role = *role;
  const auto scope = access::ParseScope(args.Get("--scope"));
  if (!scope) return Fail(context, "--scope: must be all, first or second", ExitCode::kUsage);
  token.scope = *scope;
  if (args.Has("--agency")) token.agencies = args.All("--agency");
  const WallTime now = ReadClocks().wall;
  token.created_us = UnixMicros(now);
  if (args.Has("--expires")) {
    const auto expires = ReadExpiry(args.Get("--expires"), now);
    if (!expires)
      return Fail(context, "--expires: write 30d, or a date such as 2030-01-31", ExitCode::kUsage);
    token.expires_us = *expires;
  }
  const auto path = TokenFile(context);
  if (!path) return ExitCode::kFailed;
  std::string error;
  auto store = access::TokenStore::Load(*path, &error);
  if (!store) return Fail(context, error);
  KernelRng rng;
  std::string text;
  if (!store->Add(std::move(token), rng, &text, &error)) return Fail(context, error, ExitCode::kUsage);
  if (!store->Save(*path, &error)) return Fail(context, error);
  context.out << text << "\n";
  context.err << "sekisho token: this is shown once; only its hash is kept\n";
  return ExitCode::kOk;
}

ExitCode List(const Context& context, const Arguments&) {
  const auto path = TokenFile(context);
  if (!path) return ExitCode::kFailed;
  std::string error;
  const auto store = access::TokenStore::Load(*path, &error);
  if (!store) return Fail(context, error);
  for (const access::Token& t : store->tokens()) {
    std::string sees(access::kScopeNames[static_cast<size_t>(t.scope)]);
    if (t.role == access::Role::kAgency) {
      sees.clear();
      for (const std::string& a : t.agencies) sees += (sees.empty() ? "" : ",") + a;
    }
    context.out << t.id << "  " << access::kRoleNames[static_cast<size_t>(t.role)] << "  " << sees
                << "  created " << FormatTime(t.created_us, {}, 0) << "  "
                << (t.expires_us == 0 ? "no end" : "ends " + FormatTime(t.expires_us, {}, 0)) << "  "
                << t.name << "\n";
  }
  return ExitCode::kOk;
}

ExitCode Remove(const Context& context, const Arguments& args) {
  const auto path = TokenFile(context);
  if (!path) return ExitCode::kFailed;
  std::string error;
  auto store = access::TokenStore::Load(*path, &error);
  if (!store) return Fail(context, error);
  if (!store->Remove(args.Get("ID")))
    return Fail(context, "there is no token with this id; see `sekisho token list`");
  if (!store->Save(*path, &error)) return Fail(context, error);
  context.out << "removed\n";
  return ExitCode::kOk;
}

}  // namespace

std::vector<Command> TokenCommands() {
  return {{.path = "token add",
           .help = "let somebody ask the log's HTTP API; prints the token once",
           .arguments =
               {{.name = "--name", .help = "whose it is", .required = true},
                {.name = "--role", .help = "agency, analyst, feed-operator or auditor", .required = true},
                {.name = "--agency", .help = "of the role agency: whose rows it sees", .repeated = true},
                {.name = "--scope",
                 .help = "of the role analyst: all, first or second (agencies[].gsoc)",
                 .fallback = "all"},
                {.name = "--expires", .help = "when it ends: 30d, or a date"}},
           .run = &Add},
          {.path = "token list", .help = "the tokens there are", .arguments = {}, .run = &List},
          {.path = "token remove",
           .help = "end a token at once",
           .arguments = {{.name = "ID", .help = "as listed", .required = true}},
           .run = &Remove}};
}

}  // namespace sekisho::cli
