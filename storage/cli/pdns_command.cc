// sekisho pdns: which names led to which data, when first and last, and how often.
#include <algorithm>
#include <ostream>

#include "proto/base/ip_address.h"
#include "storage/cli/command_groups.h"
#include "storage/cli/logd_call.h"
#include "storage/output/passive_output.h"

namespace sekisho::cli {
namespace {

constexpr char kCommand[] = "sekisho pdns";

// What the one word names: an address or prefix, else a name.
void TakeSubject(const Arguments& args, control::PassiveQuery* query) {
  const std::string what = args.Get("WHAT");
  if (args.Has("--target")) {
    query->set_target(what);
  } else if (IpPrefix::Parse(what) || what.find('/') != std::string::npos) {
    query->set_address(what);
  } else if (args.Has("--under")) {
    query->set_under(what);
  } else {
    query->set_name(what);
  }
}

ExitCode Pdns(const Context& context, const Arguments& args) {
  const auto zone = ParseTimeZone(args.Get("--utc-offset"));
  const auto format = output::ParsePassiveFormat(args.Get("--format"));
  if (!zone) context.err << kCommand << ": --utc-offset: write +09:00, UTC or local\n";
  if (!format) context.err << kCommand << ": --format: must be cof, table or csv\n";
  if (!zone || !format) return ExitCode::kUsage;
  control::Request request;
  control::PassiveQuery& query = *request.mutable_passive_query();
  TakeSubject(args, &query);
  int64_t since = 0;
  int64_t until = 0;
  uint64_t left = 0;
  if (!TakeTimeOption(context, kCommand, args, "--since", *zone, &since) ||
      !TakeTimeOption(context, kCommand, args, "--until", *zone, &until) ||
      !TakeLimitOption(context, kCommand, args, &left))
    return ExitCode::kUsage;
  query.set_since_us(since);
  query.set_until_us(until);
  query.set_type(args.Get("--type"));
  query.set_collected(args.Has("--collected"));
  query.set_cursor(args.Get("--cursor"));
  const auto output = output::MakePassiveOutput(*format, *zone, context.out);
  control::PassiveRows last;
  do {
    query.set_limit(left);
    const bool good = CallLogd(context, kCommand, request, kQueryPatience, [&](const control::Response& r) {
      for (const control::PassiveRow& row : r.passive_rows().rows()) output->Row(row);
      left -= std::min<uint64_t>(left, static_cast<uint64_t>(r.passive_rows().rows_size()));
      if (r.last()) last = r.passive_rows();
    });
    if (!good) return ExitCode::kFailed;
    query.set_cursor(last.next_cursor());  // the daemon gives at most so many at a time
  } while (!last.next_cursor().empty() && left > 0 && last.partial().empty());
  output->End();
  if (!last.next_cursor().empty())
    context.err << kCommand << ": there are more; go on with --cursor " << last.next_cursor() << "\n";
  if (!last.partial().empty())
    context.err << kCommand << ": the answer is not complete: " << last.partial() << "\n";
  return ExitCode::kOk;
}

}  // namespace

std::vector<Command> PdnsCommands() {
  return {{.path = "pdns",
           .help = "passive DNS: which names led to which data, when first and last, and how often",
           .arguments = {{.name = "WHAT", .help = "a name, address or prefix", .required = true},
                         {.name = "--under", .help = "the name and everything under it", .flag = true},
                         {.name = "--target", .help = "records that lead to the name", .flag = true},
                         {.name = "--type", .help = "record type, e.g. AAAA"},
                         {.name = "--since", .help = "seen then or later: 15m, 2h, 7d (ago), 2026-01-31"},
                         {.name = "--until", .help = "first seen before then"},
                         {.name = "--collected",
                          .help = "only what was found by asking for blocked names",
                          .flag = true},
                         {.name = "--limit", .help = "records at most", .fallback = "1000"},
                         {.name = "--cursor", .help = "go on where an answer ended"},
                         {.name = "--format", .help = "cof, table or csv", .fallback = "table"},
                         {.name = "--utc-offset",
                          .help = "how times are read and shown: UTC, local or +09:00",
                          .fallback = "UTC"}},
           .run = &Pdns}};
}

}  // namespace sekisho::cli
