#include "blocklist/feedd/version_reader.h"

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <memory>
#include <optional>
#include <utility>
#include <variant>

#include "blocklist/feed/format.h"
#include "blocklist/feed/line_splitter.h"
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

indicators::EntryKind ToEntryKind(ClaimKind kind) { return static_cast<indicators::EntryKind>(kind); }

// Takes what the parser says into the import and keeps count.
class ImportSink final : public blocklist::IndicatorSink {
 public:
  ImportSink(bool subtree, const blocklist::Guard& guard, indicators::FeedImport* import,
             VersionContent* content)
      : subtree_(subtree), guard_(guard), import_(import), content_(content) {}

  void OnIndicator(const Indicator& indicator) override {
    const bool url = indicator.kind == IndicatorKind::kUrl;
    const blocklist::NameOrProblem name =
        url ? blocklist::NormaliseUrl(indicator.text) : blocklist::NormaliseName(indicator.text);
    if (const auto* problem = std::get_if<blocklist::NameProblem>(&name)) {
      if (*problem == blocklist::NameProblem::kAddress) {
        Count();
        ++content_->addresses;
      } else {
        OnError(
            {.line = indicator.line, .reason = blocklist::NameProblemText(*problem), .text = indicator.text});
      }
      return;
    }
    Count();
    const std::string& text = std::get<std::string>(name);
    const ClaimKind kind =
        url ? ClaimKind::kUrlHost
        : indicator.scope.value_or(subtree_ ? blocklist::RuleScope::kSubtree
                                            : blocklist::RuleScope::kExact) == blocklist::RuleScope::kSubtree
            ? ClaimKind::kSubtree
            : ClaimKind::kExact;
    if (guard_.Check(text, kind) != blocklist::GuardVerdict::kEnforce) ++content_->not_enforced;
    absl::Status added = import_->Add({.name_key = blocklist::KeyFromNameText(text),
                                       .kind = ToEntryKind(kind),
                                       .allow = indicator.allow,
                                       .reference = indicator.reference,
                                       .evidence = url ? indicator.text : std::string_view(),
                                       .reported_us = indicator.reported_us});
    if (status.ok()) status = std::move(added);
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

  absl::Status status;

 private:
  void Count() {
    if (++content_->facts.content_lines > kMaxIndicatorLines && status.ok()) {
      status = absl::ResourceExhaustedError("more than " + std::to_string(kMaxIndicatorLines) + " lines");
    }
  }

  const bool subtree_;
  const blocklist::Guard& guard_;
  indicators::FeedImport* import_;
  VersionContent* content_;
};

using File = std::unique_ptr<FILE, int (*)(FILE*)>;

// The format asked for, or the one the first bytes look like.
std::optional<blocklist::Format> ChooseFormat(const config::Feed& feed, std::string_view start) {
  if (const auto named = blocklist::FormatFromName(feed.format())) return named;
  return blocklist::DetectFormat(start);
}

}  // namespace

absl::StatusOr<VersionContent> ReadVersion(const std::string& path, const config::Feed& feed,
                                           const blocklist::Guard& guard, const std::atomic<bool>& stopping,
                                           indicators::FeedImport* import) {
  const File file(std::fopen(path.c_str(), "rbe"), &std::fclose);
  if (file == nullptr) return absl::UnavailableError(path + ": " + std::strerror(errno));
  VersionContent content;
  std::string buffer(blocklist::kSniffBytes, '\0');
  size_t got = std::fread(buffer.data(), 1, buffer.size(), file.get());
  std::string_view piece = std::string_view(buffer).substr(0, got);
  content.facts.body = blocklist::Sniff(piece);
  if (content.facts.body != blocklist::BodyKind::kText) return content;
  // Nothing but comments: an empty list, which the gate refuses.
  const blocklist::Format format = ChooseFormat(feed, piece).value_or(blocklist::Format::kDomains);
  content.format = blocklist::FormatName(format);

  ImportSink sink(feed.has_subtree() ? feed.subtree() : blocklist::SubtreeByDefault(format), guard, import,
                  &content);
  const std::unique_ptr<blocklist::FeedParser> parser = blocklist::MakeParser(format);
  blocklist::LineSplitter lines(
      [&](std::string_view line, uint64_t number) { parser->ParseLine(line, number, sink); },
      [&](std::string_view start, uint64_t number) {
        sink.OnError({.line = number, .reason = "longer than a line may be", .text = start});
      });
  while (got > 0) {
    if (stopping) return absl::CancelledError("stopped");
    lines.Push(piece);
    if (!sink.status.ok()) return sink.status;
    got = std::fread(buffer.data(), 1, buffer.size(), file.get());
    piece = std::string_view(buffer).substr(0, got);
  }
  if (std::ferror(file.get()) != 0) return absl::UnavailableError(path + ": cannot be read");
  lines.Finish();
  parser->Finish(sink);
  if (!sink.status.ok()) return sink.status;
  return content;
}

}  // namespace sekisho::feedd
