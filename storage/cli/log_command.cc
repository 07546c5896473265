// sekisho log: who looked up what, when, and what became of it.
#include <sys/ioctl.h>
#include <unistd.h>

#include <charconv>
#include <ostream>

#include "proto/base/time_text.h"
#include "proto/config/config.h"
#include "proto/config/paths.h"
#include "proto/io/frame_client.h"
#include "storage/cli/command_groups.h"
#include "storage/output/row_output.h"

namespace sekisho::cli {
namespace {

constexpr size_t kWidthOfPipes = 200;
constexpr Duration kPatience = std::chrono::seconds(40);  // a little more than a query may take

std::optional<std::string> SocketPath(const Context& context) {
  if (!context.run_dir.empty()) return context.run_dir + "/logd.sock";
  const auto config = config::LoadConfig(context.config_path);
  if (!config.ok()) {
    context.err << "sekisho log: " << std::string(config.status().message()) << "\n";
    return std::nullopt;
  }
  return config::Paths(*config).LogdSocket();
}

size_t TerminalWidth() {
  winsize size{};
  if (isatty(STDOUT_FILENO) == 0 || ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) != 0 || size.ws_col == 0)
    return kWidthOfPipes;
  return size.ws_col;
}

bool TakeTime(const Arguments& args, const char* option, const TimeZone& zone, int64_t* out,
              std::ostream& err) {
  if (!args.Has(option)) return true;
  const auto time = ParseTime(args.Get(option), ReadClocks().wall, zone);
  if (!time) {
    err << "sekisho log: " << option
        << ": not a time; write 15m, 2h or 7d (ago), 2026-01-31, or 2026-01-31T09:00:00+09:00\n";
    return false;
  }
  *out = *time;
  return true;
}

struct Options {
  TimeZone zone;
  output::RowFormat format = output::RowFormat::kTable;
  control::LogQuery query;
};

bool TakeOptions(const Arguments& args, Options* o, std::ostream& err) {
  const auto zone = ParseTimeZone(args.Get("--utc-offset"));
  if (!zone) {
    err << "sekisho log: --utc-offset: write +09:00, UTC or local\n";
    return false;
  }
  o->zone = *zone;
  const auto format = output::ParseRowFormat(args.Get("--format"));
  if (!format) {
    err << "sekisho log: --format: must be table, jsonl or csv\n";
    return false;
  }
  o->format = *format;
  int64_t since = 0;
  int64_t until = 0;
  if (!TakeTime(args, "--since", o->zone, &since, err) || !TakeTime(args, "--until", o->zone, &until, err))
    return false;
  uint64_t limit = 0;
  const std::string text = args.Get("--limit");
  const auto r = std::from_chars(text.data(), text.data() + text.size(), limit);
  if (r.ec != std::errc() || r.ptr != text.data() + text.size() || limit == 0) {
    err << "sekisho log: --limit: must be a number from 1 on\n";
    return false;
  }
  control::LogQuery& q = o->query;
  q.set_name(args.Get("--name"));
  q.set_under(args.Get("--under"));
  q.set_address(args.Get("--address"));
  q.set_client(args.Get("--client"));
  q.set_agency(args.Get("--agency"));
  q.set_since_us(since);
  q.set_until_us(until);
  q.set_verdict(args.Get("--verdict"));
  q.set_feed(args.Get("--feed"));
  q.set_rcode(args.Get("--rcode"));
  q.set_type(args.Get("--type"));
  q.set_limit(limit);
  q.set_oldest_first(args.Has("--oldest-first"));
  q.set_cursor(args.Get("--cursor"));
  q.set_count_only(args.Has("--count"));
  std::string asked;
  for (const std::string& word : args.All("QUERY")) asked += (asked.empty() ? "" : " ") + word;
  q.set_query(asked);
  return true;
}

void SayLosses(uint64_t lost, const std::string& partial, std::ostream& err) {
  if (lost > 0) err << "sekisho log: " << lost << " lookups of this time were counted as lost\n";
  if (!partial.empty()) err << "sekisho log: the answer is not complete: " << partial << "\n";
}

ExitCode Log(const Context& context, const Arguments& args) {
  Options options;
  if (!TakeOptions(args, &options, context.err)) return ExitCode::kUsage;
  const auto socket = SocketPath(context);
  if (!socket) return ExitCode::kFailed;
  auto client = io::FrameClient::Connect(*socket, kPatience);
  if (!client.ok()) {
    context.err << "sekisho log: " << std::string(client.status().message()) << "\n";
    return ExitCode::kFailed;
  }
  control::Request request;
  *request.mutable_log_query() = options.query;
  const auto output = output::MakeRowOutput(options.format, options.zone, TerminalWidth(), context.out);
  control::LogRows last;
  uint64_t left = options.query.limit();
  for (;;) {
    request.mutable_log_query()->set_limit(left);
    const absl::Status status = client->Call(request, [&](const control::Response& r) {
      for (const control::LookupRow& row : r.log_rows().rows()) output->Row(row);
      left -= std::min<uint64_t>(left, static_cast<uint64_t>(r.log_rows().rows_size()));
      if (r.last()) last = r.log_rows();
      return true;
    });
    if (!status.ok()) {
      output->End();
      context.err << "sekisho log: " << std::string(status.message()) << "\n";
      return ExitCode::kFailed;
    }
    if (last.next_cursor().empty() || left == 0 || !last.partial().empty()) break;
    request.mutable_log_query()->set_cursor(
        last.next_cursor());  // the daemon gives at most so many at a time
  }
  if (options.query.count_only()) {
    context.out << last.count() << "\n";
  } else {
    output->End();
    if (!last.next_cursor().empty()) {
      context.err << "sekisho log: there are more; go on with --cursor " << last.next_cursor() << "\n";
    }
  }
  SayLosses(last.lost(), last.partial(), context.err);
  return ExitCode::kOk;
}

// Asks logd one thing and takes the one answer.
std::optional<control::Response> Ask(const Context& context, const control::Request& request,
                                     Duration patience) {
  const auto socket = SocketPath(context);
  if (!socket) return std::nullopt;
  auto client = io::FrameClient::Connect(*socket, patience);
  control::Response answer;
  const absl::Status status = client.ok() ? client->Call(request,
                                                         [&](const control::Response& r) {
                                                           answer = r;
                                                           return true;
                                                         })
                                          : client.status();
  if (status.ok()) return answer;
  context.err << "sekisho log: " << std::string(status.message()) << "\n";
  return std::nullopt;
}

ExitCode LogVerify(const Context& context, const Arguments& args) {
  (void)args;
  control::Request request;
  request.mutable_log_verify();
  const auto answer = Ask(context, request, std::chrono::hours(6));
  if (!answer) return ExitCode::kFailed;
  const control::LogVerified& v = answer->log_verified();
  context.out << v.rows() << " lookups in " << v.blocks() << " blocks of " << v.partitions() << " days\n";
  context.out << "signed heads: counter " << v.counter() << ", key " << v.key() << "\n";
  for (const std::string& gone : v.gone()) context.out << "gone: " << gone << "\n";
  for (const std::string& loss : v.losses()) context.out << "gap: " << loss << "\n";
  for (const std::string& finding : v.findings()) context.out << "BROKEN: " << finding << "\n";
  if (!v.complete()) context.err << "sekisho log verify: ended before all was read\n";
  if (v.findings().empty() && v.complete()) context.out << "all is as it was written\n";
  return v.findings().empty() && v.complete() ? ExitCode::kOk : ExitCode::kFailed;
}

ExitCode ChangeHold(const Context& context, control::LogHoldChange change) {
  control::Request request;
  *request.mutable_log_hold() = std::move(change);
  const auto answer = Ask(context, request, kPatience);
  if (!answer) return ExitCode::kFailed;
  const TimeZone utc = *ParseTimeZone("UTC");
  for (const auto& hold : answer->log_holds().holds()) {
    context.out << hold.name() << "  " << FormatTime(hold.since_us(), utc, 0) << " to "
                << FormatTime(hold.until_us(), utc, 0) << "\n";
  }
  return ExitCode::kOk;
}

ExitCode HoldAdd(const Context& context, const Arguments& args) {
  control::LogHoldChange change;
  change.set_kind(control::LogHoldChange::ADD);
  change.set_name(args.Get("NAME"));
  int64_t since = 0;
  int64_t until = 0;
  const TimeZone utc = *ParseTimeZone("UTC");
  if (!TakeTime(args, "--since", utc, &since, context.err) ||
      !TakeTime(args, "--until", utc, &until, context.err))
    return ExitCode::kUsage;
  change.set_since_us(since);
  change.set_until_us(until);
  return ChangeHold(context, std::move(change));
}

ExitCode HoldRemove(const Context& context, const Arguments& args) {
  control::LogHoldChange change;
  change.set_kind(control::LogHoldChange::REMOVE);
  change.set_name(args.Get("NAME"));
  return ChangeHold(context, std::move(change));
}

ExitCode HoldList(const Context& context, const Arguments& args) {
  (void)args;
  return ChangeHold(context, {});
}

}  // namespace

std::vector<Command> LogCommands() {
  return {{.path = "log",
           .help = "search the lookup log; all filters given must fit",
           .arguments = {{.name = "QUERY",
                          .help = "tests like name:*.example.com -client:10.1.0.0/16 (verdict:blocked or "
                                  "rcode:NXDOMAIN)",
                          .repeated = true},
                         {.name = "--name", .help = "exactly this query name"},
                         {.name = "--under", .help = "this name and everything under it"},
                         {.name = "--address", .help = "an address or prefix among the answers"},
                         {.name = "--client", .help = "address or prefix of the client"},
                         {.name = "--agency", .help = "agency of the client"},
                         {.name = "--since",
                          .help = "from then on: 15m, 2h, 7d (ago), 2026-01-31, 2026-01-31T09:00+09:00"},
                         {.name = "--until", .help = "before then"},
                         {.name = "--verdict", .help = "blocked, allowed, log-only or none"},
                         {.name = "--feed", .help = "decided by this feed"},
                         {.name = "--type", .help = "query type, e.g. AAAA"},
                         {.name = "--rcode", .help = "response code, e.g. NXDOMAIN"},
                         {.name = "--limit", .help = "rows at most", .fallback = "100"},
                         {.name = "--oldest-first", .help = "instead of the newest first", .flag = true},
                         {.name = "--cursor", .help = "go on where an answer ended"},
                         {.name = "--count", .help = "only count, exactly", .flag = true},
                         {.name = "--format", .help = "table, jsonl or csv", .fallback = "table"},
                         {.name = "--utc-offset",
                          .help = "how times are read and shown: UTC, local or +09:00",
                          .fallback = "UTC"}},
           .run = &Log},
          {.path = "log verify",
           .help = "hold the whole log against its signed heads and name what is not as it was written",
           .arguments = {},
           .run = &LogVerify},
          {.path = "log hold list", .help = "show the holds", .arguments = {}, .run = &HoldList},
          {.path = "log hold add",
           .help = "keep the lookups of a time, whatever retention says",
           .arguments = {{.name = "NAME", .help = "of the incident", .required = true},
                         {.name = "--since", .help = "from then on", .required = true},
                         {.name = "--until", .help = "before then", .required = true}},
           .run = &HoldAdd},
          {.path = "log hold remove",
           .help = "leave the time to retention again",
           .arguments = {{.name = "NAME", .help = "of the incident", .required = true}},
           .run = &HoldRemove}};
}

}  // namespace sekisho::cli
