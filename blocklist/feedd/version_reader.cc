#include "blocklist/feedd/version_reader.h"

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <memory>
#include <optional>
#include <set>
#include <utility>
#include <variant>

#include "blocklist/feed/format.h"
#include "blocklist/feed/line_splitter.h"
#include "blocklist/feed/list_archive.h"
#include "blocklist/feed/sniff.h"
#include "blocklist/merge/merger.h"
#include "blocklist/merge/normaliser.h"
#include "proto/config/printable.h"

namespace sekisho::feedd {
namespace {

using blocklist::ClaimKind;
using blocklist::Indicator;
using blocklist::IndicatorKind;
using blocklist::LineError;

using indicators::EntryKind;

EntryKind ToEntryKind(ClaimKind kind) { return static_cast<EntryKind>(kind); }

indicators::ClaimAction ToClaimAction(blocklist::IndicatorAction action) {
  return static_cast<indicators::ClaimAction>(action);
}
static_assert(static_cast<int>(blocklist::IndicatorAction::kTcpOnly) == indicators::ACTION_TCP_ONLY);
static_assert(static_cast<int>(blocklist::IndicatorAction::kLocalData) == indicators::ACTION_LOCAL_DATA);

// All of a claim but what it is about.
indicators::NewClaim ClaimOf(const Indicator& indicator) {
  return {.allow = indicator.allow,
          .reference = indicator.reference,
          .evidence = indicator.kind == IndicatorKind::kUrl ? indicator.text : std::string_view(),
          .reported_us = indicator.reported_us,
          .valid_from_us = indicator.valid_from_us,
          .valid_until_us = indicator.valid_until_us,
          .confidence = indicator.confidence,
          .category = indicator.category,
          .actor = indicator.actor,
          .link = indicator.link,
          .marking = indicator.marking,
          .action = ToClaimAction(indicator.action),
          .action_data = indicator.action_data};
}

// Takes what the parser says into the import and keeps count.
class ImportSink final : public blocklist::IndicatorSink {
 public:
  ImportSink(bool subtree, const config::Feed& feed, const blocklist::Guard& guard,
             indicators::FeedImport* import, VersionContent* content)
      : subtree_(subtree), guard_(guard), import_(import), content_(content) {
    for (const std::string& text : feed.expect_names()) {
      const blocklist::NameOrProblem name = blocklist::NormaliseName(text);
      if (const auto* good = std::get_if<std::string>(&name)) missing_.insert(*good);
    }
  }

  void OnIndicator(const Indicator& indicator) override {
    switch (indicator.kind) {
      case IndicatorKind::kName:
      case IndicatorKind::kUrl:
      case IndicatorKind::kNsName:
        return TakeName(indicator);
      case IndicatorKind::kAddress:
      case IndicatorKind::kNsAddress:
      case IndicatorKind::kClientAddress:
        return TakeAddress(indicator);
    }
  }

  void OnError(const LineError& error) override {
    Count();
    ++content_->facts.errors;
    if (content_->facts.content_lines <= blocklist::kFirstLines) ++content_->facts.first_errors;
    if (content_->sample_errors.size() >= kMaxSampleErrors) return;
    content_->sample_errors.push_back("line " + std::to_string(error.line) + ": " +
                                      std::string(error.reason) + ": " +
                                      config::Printable(error.text, kMaxSampleText));
  }

  void OnPassedOver(const LineError&) override {
    Count();
    ++content_->passed_over;
  }

  std::string missing_name() const { return missing_.empty() ? "" : *missing_.begin(); }

  absl::Status status;

 private:
  void TakeName(const Indicator& indicator) {
    const bool url = indicator.kind == IndicatorKind::kUrl;
    const blocklist::NameOrProblem name =
        url ? blocklist::NormaliseUrl(indicator.text) : blocklist::NormaliseName(indicator.text);
    if (const auto* problem = std::get_if<blocklist::NameProblem>(&name)) {
      if (*problem == blocklist::NameProblem::kAddress) return TakeAddress(indicator);
      return Reject(indicator, blocklist::NameProblemText(*problem));
    }
    Count();
    const std::string& text = std::get<std::string>(name);
    if (!missing_.empty()) missing_.erase(text);
    const auto scope =
        indicator.scope.value_or(subtree_ ? blocklist::RuleScope::kSubtree : blocklist::RuleScope::kExact);
    const bool subtree = scope == blocklist::RuleScope::kSubtree;
    indicators::NewClaim claim = ClaimOf(indicator);
    const std::string key = blocklist::KeyFromNameText(text);
    claim.name_key = key;
    if (indicator.kind == IndicatorKind::kNsName) {
      claim.kind = subtree ? EntryKind::kNsSubtree : EntryKind::kNsName;
    } else {
      const ClaimKind kind = url ? ClaimKind::kUrlHost : subtree ? ClaimKind::kSubtree : ClaimKind::kExact;
      claim.kind = ToEntryKind(kind);
      if (guard_.Check(text, kind) != blocklist::GuardVerdict::kEnforce) ++content_->not_enforced;
    }
    Add(claim);
  }

  void TakeAddress(const Indicator& indicator) {
    const bool url = indicator.kind == IndicatorKind::kUrl;
    bool with_port = false;
    const auto prefix = url ? blocklist::AddressOfUrl(indicator.text)
                            : blocklist::NormaliseAddress(indicator.text, &with_port);
    if (!prefix) return Reject(indicator, "not an address or prefix");
    Count();
    ++content_->addresses;
    indicators::NewClaim claim = ClaimOf(indicator);
    claim.prefix = *prefix;
    claim.kind = indicator.kind == IndicatorKind::kNsAddress       ? EntryKind::kNsAddress
                 : indicator.kind == IndicatorKind::kClientAddress ? EntryKind::kClientAddress
                 : url || with_port                                ? EntryKind::kUrlAddress
                                                                   : EntryKind::kAddress;
    if (with_port) claim.evidence = indicator.text;
    if (claim.kind == EntryKind::kAddress &&
        guard_.CheckAddress(*prefix, ClaimKind::kAddress) != blocklist::GuardVerdict::kEnforce)
      ++content_->not_enforced;
    Add(claim);
  }

  void Reject(const Indicator& indicator, std::string_view reason) {
    OnError({.line = indicator.line, .reason = reason, .text = indicator.text});
  }

  void Add(const indicators::NewClaim& claim) {
    absl::Status added = import_->Add(claim);
    if (status.ok()) status = std::move(added);
  }

  void Count() {
    if (++content_->facts.content_lines > kMaxIndicatorLines && status.ok()) {
      status = absl::ResourceExhaustedError("more than " + std::to_string(kMaxIndicatorLines) + " lines");
    }
  }

  const bool subtree_;
  std::set<std::string> missing_;  // expected names not met yet
  const blocklist::Guard& guard_;
  indicators::FeedImport* import_;
  VersionContent* content_;
};

using File = std::unique_ptr<FILE, int (*)(FILE*)>;

// The format asked for, or the one the first bytes look like.
std::optional<blocklist::Format> ChooseFormat(const config::Feed& feed, std::string_view start) {
  if (feed.format() == "taxii") return blocklist::Format::kStix;
  if (feed.format() == "misp-feed") return blocklist::Format::kMisp;
  if (const auto named = blocklist::FormatFromName(feed.format())) return named;
  return blocklist::DetectFormat(start);
}

blocklist::FieldMap ToFieldMap(const config::FeedFields& fields) {
  using blocklist::Field;
  blocklist::FieldMap map;
  map[Field::kIndicator] = fields.indicator();
  map[Field::kUrl] = fields.url();
  map[Field::kName] = fields.name();
  map[Field::kAddress] = fields.address();
  map[Field::kType] = fields.type();
  map[Field::kReference] = fields.reference();
  map[Field::kCategory] = fields.category();
  map[Field::kActor] = fields.actor();
  map[Field::kConfidence] = fields.confidence();
  map[Field::kReported] = fields.reported();
  map[Field::kValidUntil] = fields.valid_until();
  map[Field::kLink] = fields.link();
  map.items = fields.items();
  if (!fields.separator().empty()) map.separator = fields.separator() == "tab" ? '\t' : fields.separator()[0];
  map.utc_offset_minutes = fields.utc_offset_minutes();
  return map;
}

// The rest of a list after `start`, as one text.
absl::StatusOr<std::string> ReadDocument(const std::string& path, std::string start, FILE* file) {
  std::string buffer(blocklist::kSniffBytes, '\0');
  for (size_t got = 0; (got = std::fread(buffer.data(), 1, buffer.size(), file)) > 0;) {
    if (start.size() + got > blocklist::kMaxDocument)
      return absl::ResourceExhaustedError("a JSON document larger than " +
                                          std::to_string(blocklist::kMaxDocument) + " bytes");
    start.append(buffer, 0, got);
  }
  if (std::ferror(file) != 0) return absl::UnavailableError(path + ": cannot be read");
  return start;
}

// All lines, beginning with those in `buffer`.
absl::Status ReadLines(const std::string& path, std::string buffer, FILE* file, blocklist::Format format,
                       const std::atomic<bool>& stopping, blocklist::FeedParser* parser, ImportSink* sink) {
  blocklist::LineSplitter lines(
      [&](std::string_view line, uint64_t number) {
        // Between the files of an archive.
        if (line.starts_with(blocklist::kFileMark) && format != blocklist::Format::kMaltrail) return;
        parser->ParseLine(line, number, *sink);
      },
      [&](std::string_view start, uint64_t number) {
        sink->OnError({.line = number, .reason = "longer than a line may be", .text = start});
      },
      blocklist::IsJson(format) ? blocklist::kMaxJsonLine : blocklist::kMaxLine);
  for (size_t got = buffer.size(); got > 0;) {
    if (stopping) return absl::CancelledError("stopped");
    lines.Push(std::string_view(buffer).substr(0, got));
    if (!sink->status.ok()) return sink->status;
    buffer.resize(blocklist::kSniffBytes);
    got = std::fread(buffer.data(), 1, buffer.size(), file);
  }
  if (std::ferror(file) != 0) return absl::UnavailableError(path + ": cannot be read");
  lines.Finish();
  return absl::OkStatus();
}

}  // namespace

absl::StatusOr<VersionContent> ReadVersion(const std::string& path, const config::Feed& feed,
                                           const blocklist::Guard& guard, const std::atomic<bool>& stopping,
                                           indicators::FeedImport* import) {
  const File file(std::fopen(path.c_str(), "rbe"), &std::fclose);
  if (file == nullptr) return absl::UnavailableError(path + ": " + std::strerror(errno));
  VersionContent content;
  std::string start(blocklist::kSniffBytes, '\0');
  start.resize(std::fread(start.data(), 1, start.size(), file.get()));
  content.facts.body = blocklist::Sniff(start);
  const bool json = content.facts.body == blocklist::BodyKind::kJson;
  if (!json && content.facts.body != blocklist::BodyKind::kText) return content;
  // Nothing but comments: an empty list, which the gate refuses.
  const blocklist::Format format = ChooseFormat(feed, start).value_or(blocklist::Format::kDomains);
  if (json && !blocklist::IsJson(format)) return content;
  content.facts.body = blocklist::BodyKind::kText;
  content.format = blocklist::FormatName(format);

  ImportSink sink(feed.has_subtree() ? feed.subtree() : blocklist::SubtreeByDefault(format), feed, guard,
                  import, &content);
  const std::unique_ptr<blocklist::FeedParser> parser =
      blocklist::MakeParser(format, ToFieldMap(feed.fields()));
  if (blocklist::IsDocument(format)) {
    absl::StatusOr<std::string> text = ReadDocument(path, std::move(start), file.get());
    if (!text.ok()) return text.status();
    parser->ParseDocument(std::move(*text), sink);
  } else if (absl::Status status =
                 ReadLines(path, std::move(start), file.get(), format, stopping, parser.get(), &sink);
             !status.ok()) {
    return status;
  }
  parser->Finish(sink);
  content.facts.missing_name = sink.missing_name();
  if (!sink.status.ok()) return sink.status;
  return content;
}

}  // namespace sekisho::feedd
