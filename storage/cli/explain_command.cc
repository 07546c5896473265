// `sekisho explain NAME`: who lists a name or address, what decides about it, and what the resolver does for
// each agency.
#include <absl/strings/str_join.h>

#include <algorithm>
#include <ostream>
#include <string>
#include <utility>
#include <vector>

#include "proto/base/ip_address.h"
#include "proto/base/time_text.h"
#include "storage/cli/command_groups.h"
#include "storage/cli/feedd_call.h"

namespace sekisho::cli {
namespace {

std::string Time(int64_t us) { return us == 0 ? "never" : FormatTime(us, {.local = true}, 0); }

void PrintClaim(const control::ClaimEvidence& claim, std::ostream& out) {
  out << (claim.decides() ? "* " : "  ") << SafeText(claim.feed()) << ": " << claim.action() << " "
      << SafeText(claim.indicator()) << " (" << claim.scope() << ")\n";
  if (!claim.category().empty()) out << "      category    " << SafeText(claim.category()) << "\n";
  if (!claim.actor().empty()) out << "      actor       " << SafeText(claim.actor()) << "\n";
  if (claim.confidence() != 0) out << "      confidence  " << claim.confidence() << "\n";
  if (!claim.marking().empty()) out << "      marking     " << SafeText(claim.marking()) << "\n";
  if (!claim.link().empty()) out << "      report      " << SafeText(claim.link(), 500) << "\n";
  if (claim.valid_until_us() != 0) out << "      valid until " << Time(claim.valid_until_us()) << "\n";
  if (!claim.reference().empty()) out << "      reference   " << SafeText(claim.reference()) << "\n";
  out << "      first seen  " << Time(claim.first_seen_us()) << "\n"
      << "      last seen   " << Time(claim.last_seen_us()) << "\n";
  for (const std::string& url : claim.evidence()) out << "      URL         " << SafeText(url, 500) << "\n";
  if (claim.evidence_count() > static_cast<uint32_t>(claim.evidence_size())) {
    out << "                  … " << claim.evidence_count() << " URLs in all\n";
  }
  if (!claim.not_enforced().empty()) out << "      not enforced: " << SafeText(claim.not_enforced()) << "\n";
}

// "nxdomain by feed-a: evil.test. and all below (malware), policy strict"
std::string OutlookText(const control::Judgement& j) {
  std::string text = j.action();
  if (!j.by().empty()) text += " by " + SafeText(j.by());
  if (!j.rule().empty()) text += ": " + SafeText(j.rule());
  if (!j.category().empty()) text += " (" + SafeText(j.category()) + ")";
  if (!j.policy().empty()) text += ", policy " + SafeText(j.policy());
  return text;
}

// What the resolver says, which knows the policies of the agencies; agencies of which it says the same
// together.
void PrintOutlook(const Context& context, const std::string& subject, const std::string& agency) {
  control::Request request;
  request.mutable_judge()->set_subject(subject);
  request.mutable_judge()->set_agency(agency);
  const auto response = CallDaemon(context, "resolverd", request, kQuickAnswer);
  if (!response.ok()) {
    context.err << "what the resolver enforces is not known: "
                << SafeText(std::string(response.status().message()), 1000) << "\n";
    return;
  }
  const control::Judged& judged = response->judged();
  std::vector<std::pair<std::string, std::vector<std::string>>> groups;
  for (const control::Judgement& j : judged.judgements()) {
    std::string text = OutlookText(j);
    auto at = std::find_if(groups.begin(), groups.end(), [&](const auto& g) { return g.first == text; });
    if (at == groups.end()) at = groups.insert(groups.end(), {std::move(text), {}});
    at->second.push_back(SafeText(j.agency()));
  }
  context.out << "resolver (generation " << judged.generation() << "):\n";
  for (const auto& [text, agencies] : groups) {
    const bool all = groups.size() == 1 && agency.empty();
    context.out << "  " << (all ? "all agencies" : absl::StrJoin(agencies, ", ")) << ": " << text << "\n";
  }
}

ExitCode Explain(const Context& context, const Arguments& arguments) {
  control::Request request;
  request.mutable_explain()->set_name(arguments.Get("NAME"));
  request.mutable_explain()->set_agency(arguments.Get("--agency"));
  if (arguments.Has("--at")) {
    const auto at = ParseTime(arguments.Get("--at"), ReadClocks().wall, {.local = true});
    if (!at) {
      context.err << "--at: not a time; write 2h or 7d (ago), 2026-01-31, or 2026-01-31T09:00:00+09:00\n";
      return ExitCode::kUsage;
    }
    request.mutable_explain()->set_at_us(*at);
  }
  const auto response = CallFeedd(context, request, kQuickAnswer);
  if (!response) return ExitCode::kFailed;
  const control::Explained& explained = response->explained();
  context.out << SafeText(explained.name()) << ": " << explained.verdict();
  if (arguments.Has("--at")) {
    context.out << " at " << Time(request.explain().at_us()) << ", by the guard and feed settings of today\n";
  } else {
    context.out << " (generation " << explained.generation() << ")\n";
  }
  for (const control::ClaimEvidence& claim : explained.claims()) PrintClaim(claim, context.out);
  // Of many addresses at once the resolver has no one word; and it knows nothing of the past.
  const auto prefix = IpPrefix::Parse(explained.name());
  const bool many = prefix && prefix->mapped_length() != 128;
  if (!many && !arguments.Has("--at")) PrintOutlook(context, explained.name(), request.explain().agency());
  return ExitCode::kOk;
}

}  // namespace

std::vector<Command> ExplainCommands() {
  return {
      {.path = "explain",
       .help = "show who lists a name or address and what decides about it",
       .arguments = {{.name = "NAME", .help = "domain name, address or prefix", .required = true},
                     {.name = "--agency", .help = "what holds for this agency"},
                     {.name = "--at", .help = "as of a past moment, e.g. 3d or 2026-01-31T09:00:00+09:00"}},
       .run = &Explain}};
}

}  // namespace sekisho::cli
