#include "storage/logd/hunter.h"

#include <spdlog/spdlog.h>
#include <unistd.h>

#include "proto/base/bytes.h"
#include "proto/record/block_header.h"

namespace sekisho::logd {
namespace {

constexpr Duration kLookEvery = std::chrono::seconds(3);

// The same for the same rule and the same last hunt, so that a hunt done twice tells once.
std::string IdOf(const hunt::HuntRule& rule, uint64_t since) {
  const std::string text = std::to_string(since) + (rule.prefix ? "@" + rule.prefix->ToString()
                                                                : (rule.subtree ? "*" : "=") + rule.name_key);
  const record::Digest digest = record::Sha256(AsBytes(text));
  std::string out;
  for (size_t i = 0; i < 8; ++i) {
    constexpr char kHex[] = "0123456789abcdef";
    out += {kHex[digest[i] >> 4], kHex[digest[i] & 15]};
  }
  return out;
}

}  // namespace

Hunter::Hunter(const lookups::LookupStore& store, const config::Paths& paths, spdlog::logger& log)
    : store_(store),
      log_(log),
      events_(paths.Events() + "/events.jsonl"),
      watch_(paths.Snapshots(), paths.Events()) {}

void Hunter::Say(const std::string& trouble) {
  if (trouble != said_ && !trouble.empty()) log_.warn("hunt: {}", trouble);
  said_ = trouble;
}

void Hunter::Hunt(const hunt::FreshRules& fresh, const std::function<bool()>& stop) {
  std::string error;
  if (!fresh.rules.empty()) {
    std::string partial;
    const auto findings = hunt::HuntLookups(store_, fresh.rules, fresh.generation, stop, &partial);
    if (!findings) return;
    std::vector<std::string> lines;
    const int64_t now = UnixMicros(ReadClocks().wall);
    for (const auto& [rule, finding] : *findings) {
      lines.push_back(hunt::EventLine(fresh.rules[rule], finding, fresh.generation, now,
                                      IdOf(fresh.rules[rule], fresh.since), partial));
    }
    if (!events_.Append(lines, &error)) {
      Say(error);
      return;
    }
    log_.info("hunted for {} new rules of generation {}: {} had been asked for", fresh.rules.size(),
              fresh.generation, findings->size());
  }
  if (!watch_.Done(&error)) Say(error);
}

Duration Hunter::Step(const std::function<bool()>& stop) {
  std::string error;
  const auto fresh = watch_.Look(&error);
  Say(error);
  if (fresh) Hunt(*fresh, stop);
  return kLookEvery;
}

}  // namespace sekisho::logd
