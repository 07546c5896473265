// `sekisho feed …` and `sekisho explain NAME`: what feeds say and what comes of it.
#include <algorithm>
#include <ostream>
#include <string>

#include "storage/cli/command_groups.h"
#include "storage/cli/feedd_call.h"
#include "storage/cli/time_text.h"

namespace sekisho::cli {
namespace {

std::string Time(int64_t us) { return us == 0 ? "never" : FormatTime(us, {.local = true}, 0); }

std::string StateOf(const control::FeedState& feed) {
  if (!feed.held().empty()) return "held: " + SafeText(feed.held());
  if (!feed.last_error().empty()) return "failed: " + SafeText(feed.last_error());
  return feed.version() == 0 ? "not fetched yet" : "ok";
}

void PrintLine(const control::FeedState& feed, size_t width, std::ostream& out) {
  const std::string name = SafeText(feed.name());
  out << name << std::string(width > name.size() ? width - name.size() : 0, ' ') << "  version "
      << feed.version() << "  " << feed.indicators() << " indicators  " << Time(feed.last_success_us())
      << "  " << StateOf(feed) << "\n";
}

template <typename Feeds>
bool PrintLines(const Feeds& feeds, std::ostream& out) {
  size_t width = 0;
  bool good = true;
  for (const control::FeedState& feed : feeds) width = std::max(width, SafeText(feed.name()).size());
  for (const control::FeedState& feed : feeds) {
    PrintLine(feed, width, out);
    good = good && feed.held().empty() && feed.last_error().empty();
  }
  return good;
}

ExitCode List(const Context& context, const Arguments&) {
  control::Request request;
  request.mutable_feed_list();
  const auto response = CallFeedd(context, request, kQuickAnswer);
  if (!response) return ExitCode::kFailed;
  PrintLines(response->feed_list().feeds(), context.out);
  if (response->feed_list().feeds().empty()) context.out << "no feed is configured\n";
  return ExitCode::kOk;
}

void PrintAll(const control::FeedState& feed, std::ostream& out) {
  out << SafeText(feed.name()) << "\n"
      << "  url             " << SafeText(feed.url(), 500) << "\n"
      << "  format          " << SafeText(feed.format()) << "\n"
      << "  category        " << SafeText(feed.category()) << "\n"
      << "  state           " << StateOf(feed) << "\n"
      << "  version         " << feed.version() << "\n"
      << "  indicators      " << feed.indicators() << "\n"
      << "  not enforced    " << feed.evidence_only() << " lines: kept as evidence\n"
      << "  addresses       " << feed.addresses() << " lines\n"
      << "  rejected        " << feed.rejected_lines() << " lines\n"
      << "  last attempt    " << Time(feed.last_attempt_us()) << "\n"
      << "  last success    " << Time(feed.last_success_us()) << "\n"
      << "  next attempt    " << Time(feed.next_attempt_us()) << "\n"
      << "  failed in a row " << feed.failures() << "\n";
  for (const std::string& sample : feed.sample_errors())
    out << "  rejected: " << SafeText(sample, 300) << "\n";
}

ExitCode Show(const Context& context, const Arguments& arguments) {
  control::Request request;
  request.mutable_feed_list();
  const auto response = CallFeedd(context, request, kQuickAnswer);
  if (!response) return ExitCode::kFailed;
  for (const control::FeedState& feed : response->feed_list().feeds()) {
    if (feed.name() != arguments.Get("FEED")) continue;
    PrintAll(feed, context.out);
    return ExitCode::kOk;
  }
  context.err << "no feed is named '" << SafeText(arguments.Get("FEED")) << "'\n";
  return ExitCode::kFailed;
}

ExitCode PrintSynced(const Context& context, const control::Request& request) {
  const auto response = CallFeedd(context, request, kSyncAnswer);
  if (!response) return ExitCode::kFailed;
  const bool good = PrintLines(response->feed_synced().feeds(), context.out);
  context.out << "generation " << response->feed_synced().generation() << "\n";
  return good ? ExitCode::kOk : ExitCode::kFailed;
}

ExitCode Sync(const Context& context, const Arguments& arguments) {
  control::Request request;
  request.mutable_feed_sync()->set_feed(arguments.Get("FEED"));
  return PrintSynced(context, request);
}

ExitCode Decide(const Context& context, const Arguments& arguments, bool approve) {
  control::Request request;
  control::FeedDecision* decision = request.mutable_feed_decision();
  decision->set_feed(arguments.Get("FEED"));
  decision->set_approve(approve);
  decision->set_who(CallerName());
  return PrintSynced(context, request);
}

void PrintClaim(const control::ClaimEvidence& claim, std::ostream& out) {
  out << (claim.decides() ? "* " : "  ") << SafeText(claim.feed()) << ": " << claim.action() << " "
      << SafeText(claim.indicator()) << " (" << claim.scope() << ")\n";
  if (!claim.category().empty()) out << "      category    " << SafeText(claim.category()) << "\n";
  if (!claim.reference().empty()) out << "      reference   " << SafeText(claim.reference()) << "\n";
  out << "      first seen  " << Time(claim.first_seen_us()) << "\n"
      << "      last seen   " << Time(claim.last_seen_us()) << "\n";
  for (const std::string& url : claim.evidence()) out << "      URL         " << SafeText(url, 500) << "\n";
  if (claim.evidence_count() > static_cast<uint32_t>(claim.evidence_size())) {
    out << "                  … " << claim.evidence_count() << " URLs in all\n";
  }
  if (!claim.not_enforced().empty()) out << "      not enforced: " << SafeText(claim.not_enforced()) << "\n";
}

ExitCode Explain(const Context& context, const Arguments& arguments) {
  control::Request request;
  request.mutable_explain()->set_name(arguments.Get("NAME"));
  const auto response = CallFeedd(context, request, kQuickAnswer);
  if (!response) return ExitCode::kFailed;
  const control::Explained& explained = response->explained();
  context.out << SafeText(explained.name()) << ": " << explained.verdict() << " (generation "
              << explained.generation() << ")\n";
  for (const control::ClaimEvidence& claim : explained.claims()) PrintClaim(claim, context.out);
  return ExitCode::kOk;
}

}  // namespace

std::vector<Command> FeedCommands() {
  const std::vector<Argument> one = {{.name = "FEED", .help = "the feed's name", .required = true}};
  return {{.path = "feed list", .help = "show all feeds, a line each", .arguments = {}, .run = &List},
          {.path = "feed show",
           .help = "show one feed with samples of rejected lines",
           .arguments = one,
           .run = &Show},
          {.path = "feed sync",
           .help = "fetch now and wait until it is in force; exit code 1 when a feed failed or is held",
           .arguments = {{.name = "FEED", .help = "one feed; without it all"}},
           .run = &Sync},
          {.path = "feed approve",
           .help = "take the held version of a feed",
           .arguments = one,
           .run = [](const Context& context,
                     const Arguments& arguments) { return Decide(context, arguments, true); }},
          {.path = "feed reject",
           .help = "throw the held version of a feed away",
           .arguments = one,
           .run = [](const Context& context,
                     const Arguments& arguments) { return Decide(context, arguments, false); }},
          {.path = "explain",
           .help = "show who lists a name and what decides about it",
           .arguments = {{.name = "NAME", .help = "domain name; U-labels are understood", .required = true}},
           .run = &Explain}};
}

}  // namespace sekisho::cli
