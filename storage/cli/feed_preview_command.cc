// `sekisho feed preview FEED --since 7d`: what a feed's version would have decided about the names that were
// asked for.
#include <algorithm>
#include <charconv>
#include <map>
#include <ostream>
#include <set>
#include <string>
#include <unordered_map>
#include <vector>

#include "proto/base/time_text.h"
#include "proto/config/config.h"
#include "proto/config/paths.h"
#include "proto/io/frame_client.h"
#include "storage/cli/command_groups.h"
#include "storage/cli/feedd_call.h"

namespace sekisho::cli {
namespace {

constexpr Duration kPatience = std::chrono::seconds(60);
constexpr uint64_t kPageRows = 10'000;
constexpr size_t kMaxNames = 2'000'000;
constexpr size_t kBatchBytes = 700'000;  // a request frame holds less than a megabyte
constexpr int kBatchNames = 50'000;
constexpr size_t kShown = 30;

struct Asked {
  uint64_t lookups = 0;
  std::map<std::string, uint64_t> agencies;
};
using Names = std::unordered_map<std::string, Asked>;

struct Sums {
  uint64_t lookups = 0;
  uint64_t hit_lookups = 0;
  uint64_t hit_names = 0;
  uint64_t unique_names = 0;
  uint64_t unique_lookups = 0;
  std::map<std::string, uint64_t> agencies;
  struct Top {
    uint64_t lookups;
    std::string name;
    std::string indicator;
    std::string now;
  };
  std::vector<Top> top;
};

std::optional<std::string> LogSocket(const Context& context) {
  if (!context.run_dir.empty()) return context.run_dir + "/logd.sock";
  const auto config = config::LoadConfig(context.config_path);
  if (config.ok()) return config::Paths(*config).LogdSocket();
  context.err << std::string(config.status().message()) << "\n";
  return std::nullopt;
}

// All names since then with how often and by whom; false when the log cannot be asked.
bool ReadLog(const Context& context, int64_t since_us, Names* names, Sums* sums) {
  const auto socket = LogSocket(context);
  if (!socket) return false;
  control::Request request;
  request.mutable_log_query()->set_since_us(since_us);
  request.mutable_log_query()->set_limit(kPageRows);
  do {
    auto client = io::FrameClient::Connect(*socket, kPatience);
    absl::Status status = client.status();
    std::string cursor;
    if (client.ok()) {
      status = client->Call(request, [&](const control::Response& response) {
        for (const control::LookupRow& row : response.log_rows().rows()) {
          ++sums->lookups;
          if (names->size() >= kMaxNames && !names->contains(row.name())) continue;
          Asked& asked = (*names)[row.name()];
          ++asked.lookups;
          ++asked.agencies[row.agency()];
        }
        if (!response.log_rows().next_cursor().empty()) cursor = response.log_rows().next_cursor();
        return true;
      });
    }
    if (!status.ok()) {
      context.err << SafeText(std::string(status.message()), 1000) << "\n";
      return false;
    }
    request.mutable_log_query()->set_cursor(cursor);
  } while (!request.log_query().cursor().empty());
  return true;
}

void Count(const control::FeedPreviewRequest& asked, const control::FeedPreview& answer,
           const std::string& feed, const Names& names, Sums* sums) {
  for (const control::PreviewHit& hit : answer.hits()) {
    if (static_cast<int>(hit.name()) >= asked.names_size()) continue;
    const std::string& name = asked.names(static_cast<int>(hit.name()));
    const auto found = names.find(name);
    if (found == names.end()) continue;
    ++sums->hit_names;
    sums->hit_lookups += found->second.lookups;
    if (hit.now().empty() || hit.now() == feed) {
      ++sums->unique_names;
      sums->unique_lookups += found->second.lookups;
    }
    for (const auto& [agency, lookups] : found->second.agencies) sums->agencies[agency] += lookups;
    sums->top.push_back({found->second.lookups, name, hit.indicator(), hit.now()});
  }
}

bool AskFeedd(const Context& context, const Arguments& arguments, const Names& names, Sums* sums) {
  control::Request request;
  control::FeedPreviewRequest* preview = request.mutable_feed_preview();
  preview->set_feed(arguments.Get("FEED"));
  preview->set_held(arguments.Has("--held"));
  size_t bytes = 0;
  const auto flush = [&] {
    const auto response = CallFeedd(context, request, kSyncAnswer);
    if (!response) return false;
    Count(*preview, response->feed_preview(), arguments.Get("FEED"), names, sums);
    preview->clear_names();
    bytes = 0;
    return true;
  };
  for (const auto& [name, asked] : names) {
    (void)asked;
    preview->add_names(name);
    bytes += name.size() + 8;
    if ((bytes > kBatchBytes || preview->names_size() >= kBatchNames) && !flush()) return false;
  }
  return flush();
}

void Print(const Names& names, Sums* sums, std::ostream& out) {
  out << sums->lookups << " lookups of " << names.size() << " names\n"
      << "would decide about " << sums->hit_lookups << " lookups of " << sums->hit_names << " names\n"
      << "decided about by no other list: " << sums->unique_lookups << " lookups of " << sums->unique_names
      << " names\n";
  for (const auto& [agency, lookups] : sums->agencies)
    out << "  " << SafeText(agency) << ": " << lookups << " lookups\n";
  std::sort(sums->top.begin(), sums->top.end(), [](const Sums::Top& a, const Sums::Top& b) {
    return a.lookups != b.lookups ? a.lookups > b.lookups : a.name < b.name;
  });
  for (size_t i = 0; i < std::min(sums->top.size(), kShown); ++i) {
    const Sums::Top& top = sums->top[i];
    out << top.lookups << "  " << SafeText(top.name) << "  by " << SafeText(top.indicator)
        << (top.now.empty() ? "" : "  (now: " + SafeText(top.now) + ")") << "\n";
  }
}

ExitCode Preview(const Context& context, const Arguments& arguments) {
  const auto since = ParseTime(arguments.Get("--since"), ReadClocks().wall, {.local = true});
  if (!since) {
    context.err << "--since: not a time; write 2h or 7d (ago), 2026-01-31, or 2026-01-31T09:00:00+09:00\n";
    return ExitCode::kUsage;
  }
  Names names;
  Sums sums;
  if (!ReadLog(context, *since, &names, &sums) || !AskFeedd(context, arguments, names, &sums))
    return ExitCode::kFailed;
  Print(names, &sums, context.out);
  if (names.size() >= kMaxNames) context.out << "only the first " << kMaxNames << " names were judged\n";
  return ExitCode::kOk;
}

}  // namespace

std::vector<Command> FeedPreviewCommands() {
  return {{.path = "feed preview",
           .help = "show what a feed's version would have decided about past lookups",
           .arguments = {{.name = "FEED", .help = "the feed's name", .required = true},
                         {.name = "--since", .help = "from when on (7d)", .fallback = "7d"},
                         {.name = "--held", .help = "the version that waits for approval", .flag = true}},
           .run = &Preview}};
}

}  // namespace sekisho::cli
