// `sekisho feed …`: what feeds say and what comes of it.
#include <algorithm>
#include <array>
#include <charconv>
#include <cstdio>
#include <ostream>
#include <string>
#include <string_view>

#include "proto/base/time_text.h"
#include "storage/cli/command_groups.h"
#include "storage/cli/feedd_call.h"

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
      << "  passed over     " << feed.passed_over() << " items that no resolver can act on\n"
      << "  rejected        " << feed.rejected_lines() << " lines\n"
      << "  last attempt    " << Time(feed.last_attempt_us()) << "\n"
      << "  last success    " << Time(feed.last_success_us()) << "\n"
      << "  next attempt    " << Time(feed.next_attempt_us()) << "\n"
      << "  failed in a row " << feed.failures() << "\n";
  for (const std::string& sample : feed.sample_errors())
    out << "  rejected: " << SafeText(sample, 300) << "\n";
}

// Each step of the version in force with the seconds that it took.
class Steps {
 public:
  explicit Steps(std::ostream& out) : out_(out) {}
  void Add(const char* name, int64_t us, const std::string& more) {
    if (us == 0) return;
    out_ << "  " << name << std::string(16 - std::min<size_t>(15, std::string_view(name).size()), ' ')
         << Time(us);
    if (last_ != 0 && us >= last_) {
      std::array<char, 32> seconds;
      const int size =
          std::snprintf(seconds.data(), seconds.size(), "  +%.3f s", static_cast<double>(us - last_) / 1e6);
      out_ << std::string_view(seconds.data(), static_cast<size_t>(std::max(size, 0)));
    }
    out_ << more << "\n";
    last_ = us;
  }

 private:
  std::ostream& out_;
  int64_t last_ = 0;
};

// When the resolver went by a generation that holds the version.
int64_t InForceAtResolver(const Context& context, uint64_t generation) {
  control::Request request;
  request.mutable_generations();
  const auto response = CallDaemon(context, "resolverd", request, kQuickAnswer);
  if (!response.ok()) return 0;
  const auto& told = response->generations().generations();
  for (int i = 0; i < told.size(); ++i) {
    // The first that is told of may have been in force long before.
    if (told[i].generation() >= generation)
      return i > 0 || told[i].generation() == generation ? told[i].since_us() : 0;
  }
  return 0;
}

void PrintFreshness(const Context& context, const control::FeedState& feed) {
  Steps steps(context.out);
  steps.Add("published", feed.published_us(), "");
  steps.Add("taken in", feed.accepted_us(), "");
  if (feed.in_force_us() == 0) return;
  steps.Add("compiled", feed.in_force_us(), "  generation " + std::to_string(feed.generation()));
  steps.Add("enforced", InForceAtResolver(context, feed.generation()), "  by every worker");
}

ExitCode Show(const Context& context, const Arguments& arguments) {
  control::Request request;
  request.mutable_feed_list();
  const auto response = CallFeedd(context, request, kQuickAnswer);
  if (!response) return ExitCode::kFailed;
  for (const control::FeedState& feed : response->feed_list().feeds()) {
    if (feed.name() != arguments.Get("FEED")) continue;
    PrintAll(feed, context.out);
    PrintFreshness(context, feed);
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

// "Name: number" or nothing when it is none.
bool TakeNumber(const Context& context, const Arguments& arguments, const char* name, uint64_t* value) {
  const std::string text = arguments.Get(name);
  *value = 0;
  if (text.empty()) return true;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), *value);
  if (error == std::errc() && end == text.data() + text.size() && *value <= 1'000'000'000) return true;
  context.err << name << ": '" << SafeText(text) << "' is no number\n";
  return false;
}

ExitCode Rollback(const Context& context, const Arguments& arguments) {
  control::Request request;
  uint64_t version = 0;
  if (!TakeNumber(context, arguments, "VERSION", &version) || version == 0) return ExitCode::kUsage;
  request.mutable_feed_decision()->set_feed(arguments.Get("FEED"));
  request.mutable_feed_decision()->set_rollback_to(version);
  request.mutable_feed_decision()->set_who(CallerName());
  return PrintSynced(context, request);
}

ExitCode Versions(const Context& context, const Arguments& arguments) {
  control::Request request;
  request.mutable_feed_versions()->set_feed(arguments.Get("FEED"));
  const auto response = CallFeedd(context, request, kQuickAnswer);
  if (!response) return ExitCode::kFailed;
  for (const control::FeedVersion& version : response->feed_versions().versions()) {
    context.out << (version.in_force() ? "* " : "  ") << version.version() << "  "
                << Time(version.accepted_us()) << "  " << version.indicators() << " indicators  +"
                << version.added() << " -" << version.removed() << "\n";
  }
  return ExitCode::kOk;
}

ExitCode Diff(const Context& context, const Arguments& arguments) {
  uint64_t from = 0;
  uint64_t to = 0;
  uint64_t limit = 0;
  if (!TakeNumber(context, arguments, "--from", &from) || !TakeNumber(context, arguments, "--to", &to) ||
      !TakeNumber(context, arguments, "--limit", &limit)) {
    return ExitCode::kUsage;
  }
  control::Request request;
  control::FeedDiffRequest* diff = request.mutable_feed_diff();
  diff->set_feed(arguments.Get("FEED"));
  diff->set_from(from);
  diff->set_to(to);
  diff->set_held(arguments.Has("--held"));
  diff->set_limit(static_cast<uint32_t>(limit));
  const auto response = CallFeedd(context, request, kSyncAnswer);
  if (!response) return ExitCode::kFailed;
  const control::FeedDiff& answer = response->feed_diff();
  context.out << "version " << answer.from() << " to "
              << (answer.to() == 0 ? "the held one" : std::to_string(answer.to())) << ": " << answer.added()
              << " added, " << answer.removed() << " removed\n";
  for (const control::FeedDiffEntry& entry : answer.entries()) {
    context.out << (entry.added() ? "+ " : "- ") << SafeText(entry.indicator()) << "  (" << entry.scope()
                << ")";
    if (!entry.reference().empty()) context.out << "  " << SafeText(entry.reference());
    context.out << "\n";
  }
  const uint64_t shown = static_cast<uint64_t>(answer.entries_size());
  if (shown < answer.added() + answer.removed())
    context.out << "… " << answer.added() + answer.removed() - shown << " more; --limit\n";
  return ExitCode::kOk;
}

ExitCode Quarantine(const Context& context, const Arguments& arguments) {
  uint64_t limit = 0;
  if (!TakeNumber(context, arguments, "--limit", &limit)) return ExitCode::kUsage;
  control::Request request;
  request.mutable_feed_quarantine()->set_feed(arguments.Get("FEED"));
  request.mutable_feed_quarantine()->set_limit(static_cast<uint32_t>(limit));
  const auto response = CallFeedd(context, request, kSyncAnswer);
  if (!response) return ExitCode::kFailed;
  const control::FeedQuarantine& answer = response->feed_quarantine();
  context.out << answer.total() << " kept as evidence and not enforced, " << answer.rejected_lines()
              << " lines rejected\n";
  for (const control::QuarantineEntry& entry : answer.entries()) {
    context.out << SafeText(entry.indicator()) << "  (" << entry.scope() << ")  " << SafeText(entry.reason())
                << "\n";
  }
  const auto shown = static_cast<uint64_t>(answer.entries_size());
  if (shown < answer.total()) context.out << "… " << answer.total() - shown << " more; --limit\n";
  for (const std::string& line : answer.rejected())
    context.out << "rejected: " << SafeText(line, 300) << "\n";
  return ExitCode::kOk;
}

}  // namespace

std::vector<Command> FeedCommands() {
  const std::vector<Argument> one = {{.name = "FEED", .help = "the feed's name", .required = true}};
  return {
      {.path = "feed list", .help = "show all feeds, a line each", .arguments = {}, .run = &List},
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
      {.path = "feed rollback",
       .help = "make a new version of what stood in an older one; the list is taken again when it changes",
       .arguments = {one[0], {.name = "VERSION", .help = "as `feed versions` shows", .required = true}},
       .run = &Rollback},
      {.path = "feed versions",
       .help = "show the accepted versions of a feed",
       .arguments = one,
       .run = &Versions},
      {.path = "feed diff",
       .help = "show what a version added and removed",
       .arguments = {one[0],
                     {.name = "--from", .help = "version; without it the one before"},
                     {.name = "--to", .help = "version; without it the one in force"},
                     {.name = "--held", .help = "the version that waits for approval", .flag = true},
                     {.name = "--limit", .help = "entries shown (1000)"}},
       .run = &Diff},
      {.path = "feed quarantine",
       .help = "show what a feed lists and is not enforced, and why",
       .arguments = {one[0], {.name = "--limit", .help = "entries shown (1000)"}},
       .run = &Quarantine}};
}

}  // namespace sekisho::cli
