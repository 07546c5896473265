// Any bytes as a threat list, through every parser and the normaliser: nothing crashes, lines are counted
// once, and what the normaliser lets through is a name in its own spelling.
//
//   input := u8 format | u8 piece size | list
#include <cstdint>
#include <cstdlib>
#include <string_view>
#include <variant>

#include "blocklist/feed/format.h"
#include "blocklist/feed/formats/stix_pattern.h"
#include "blocklist/feed/line_splitter.h"
#include "blocklist/feed/sniff.h"
#include "blocklist/merge/guard.h"
#include "blocklist/merge/merger.h"
#include "blocklist/merge/normaliser.h"
#include "proto/dns/name_key.h"

namespace {

using namespace sekisho::blocklist;  // NOLINT(google-build-using-namespace): a program of its own

void Require(bool condition) {
  if (!condition) std::abort();
}

class CheckingSink final : public IndicatorSink {
 public:
  void OnIndicator(const Indicator& indicator) override {
    Require(indicator.line > 0 && indicator.confidence <= 100 && indicator.text.size() <= kMaxPattern);
    if (const auto prefix = NormaliseAddress(indicator.text))
      Require(sekisho::IpPrefix::Parse(prefix->ToString()) == prefix);
    (void)AddressOfUrl(indicator.text);
    const NameOrProblem result =
        indicator.kind == IndicatorKind::kUrl ? NormaliseUrl(indicator.text) : NormaliseName(indicator.text);
    const auto* name = std::get_if<std::string>(&result);
    if (name == nullptr) return;
    Require(NormaliseName(*name) == result);  // normal already
    const auto parsed = sekisho::dns::Name::Parse(*name);
    Require(parsed.has_value());
    const std::string key = KeyFromNameText(*name);
    Require(key == sekisho::dns::NameKey(*parsed) && NameTextFromKey(key) == *name);
    static const Guard guard{GuardLists()};
    (void)guard.Check(*name, ClaimKind::kSubtree);
  }
  void OnError(const LineError& error) override {
    Require(error.line >= last_error_ && !error.reason.empty());
    last_error_ = error.line;
  }

 private:
  uint64_t last_error_ = 1;
};

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  if (size < 2) return 0;
  const auto format = static_cast<Format>(data[0] % kFormats);
  const size_t piece = size_t{data[1]} + 1;
  std::string_view list(reinterpret_cast<const char*>(data) + 2, size - 2);
  (void)Sniff(list);
  (void)DetectFormat(list);
  CheckingSink sink;
  const auto parser = MakeParser(format);
  if (IsDocument(format)) {
    parser->ParseDocument(std::string(list), sink);
    return 0;
  }
  LineSplitter lines([&](std::string_view line, uint64_t number) { parser->ParseLine(line, number, sink); },
                     [&](std::string_view start, uint64_t number) {
                       sink.OnError({.line = number, .reason = "too long", .text = start});
                     });
  for (; !list.empty(); list.remove_prefix(std::min(piece, list.size()))) lines.Push(list.substr(0, piece));
  lines.Finish();
  parser->Finish(sink);
  return 0;
}
