// `sekisho feed score FEED --since 30d`: what a feed is worth: its hits in the log, and what feedd knows of
// it beside the others.
#include <ostream>
#include <string>

#include "proto/base/time_text.h"
#include "storage/cli/command_groups.h"
#include "storage/cli/feedd_call.h"
#include "storage/cli/logd_call.h"

namespace sekisho::cli {
namespace {

// A value of the query language that means only itself.
std::string Quoted(const std::string& name) {
  std::string out = "\"";
  for (const char c : name) {
    if (c == '"' || c == '\\') out += '\\';
    out += c;
  }
  return out + "\"";
}

std::string Span(int64_t us) {
  const int64_t minutes = (us < 0 ? -us : us) / 60'000'000;
  if (minutes < 120) return std::to_string(minutes) + " min";
  if (minutes < 48 * 60) return std::to_string(minutes / 60) + " h";
  return std::to_string(minutes / (24 * 60)) + " d";
}

bool CountHits(const Context& context, int64_t since_us, const std::string& feed, const std::string& query,
               control::LogRows* rows) {
  control::Request request;
  control::LogQuery* asked = request.mutable_log_query();
  asked->set_feed(feed);
  asked->set_since_us(since_us);
  asked->set_count_only(true);
  asked->set_query(query);
  return CallLogd(context, "feed score", request, kQueryPatience,
                  [rows](const control::Response& response) { *rows = response.log_rows(); });
}

// Lookups that were blocked or noted on the feed's word, and those of them for which no other feed's was
// there.
bool PrintHits(const Context& context, int64_t since_us, const std::string& feed,
               const control::FeedScore& score) {
  const std::string acted = "verdict:blocked,log-only";
  std::string alone = acted;
  for (const control::FeedOverlap& other : score.overlaps()) alone += " -feed:" + Quoted(other.feed());
  control::LogRows all;
  control::LogRows unique;
  if (!CountHits(context, since_us, feed, acted, &all) || !CountHits(context, since_us, feed, alone, &unique))
    return false;
  context.out << "hits                " << all.count() << " lookups\n"
              << "unique hits         " << unique.count() << " lookups in whose rule no other feed stands\n";
  for (const control::LogRows* rows : {&all, &unique}) {
    if (rows->partial().empty()) continue;
    context.err << "feed score: the hits leave something out: " << SafeText(rows->partial(), 500) << "\n";
    break;
  }
  return true;
}

void PrintScore(const control::FeedScore& score, std::ostream& out) {
  out << "indicators          " << score.indicators() << "\n"
      << "listed by it alone  " << score.unique() << "\n"
      << "not enforced        " << score.quarantined() << ", and " << score.rejected_lines()
      << " lines that are no indicators\n"
      << "exceptions          " << score.exceptions() << "\n";
  for (const std::string& exception : score.shown_exceptions()) out << "  " << SafeText(exception) << "\n";
  for (const control::FeedOverlap& overlap : score.overlaps()) {
    out << "beside " << SafeText(overlap.feed()) << ": " << overlap.shared() << " shared";
    if (overlap.timed() > 0) {
      const bool ahead = overlap.median_lead_us() >= 0;
      out << "; earlier " << overlap.earlier() << ", later " << overlap.later() << ", median "
          << Span(overlap.median_lead_us()) << (ahead ? " ahead" : " behind");
    }
    out << "\n";
  }
}

ExitCode Score(const Context& context, const Arguments& arguments) {
  const auto since = ParseTime(arguments.Get("--since"), ReadClocks().wall, {.local = true});
  if (!since) {
    context.err << "--since: not a time; write 2h or 7d (ago), 2026-01-31, or 2026-01-31T09:00:00+09:00\n";
    return ExitCode::kUsage;
  }
  control::Request request;
  request.mutable_feed_score()->set_feed(arguments.Get("FEED"));
  const auto response = CallFeedd(context, request, kSyncAnswer);
  if (!response) return ExitCode::kFailed;
  PrintScore(response->feed_score(), context.out);
  return PrintHits(context, *since, arguments.Get("FEED"), response->feed_score()) ? ExitCode::kOk
                                                                                   : ExitCode::kFailed;
}

}  // namespace

std::vector<Command> FeedScoreCommands() {
  return {{.path = "feed score",
           .help = "show what a feed is worth: hits, what it alone has, overlap, lead, exceptions",
           .arguments = {{.name = "FEED", .help = "the feed's name", .required = true},
                         {.name = "--since", .help = "hits from when on (30d)", .fallback = "30d"}},
           .run = &Score}};
}

}  // namespace sekisho::cli
