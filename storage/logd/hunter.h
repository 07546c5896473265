// Hunter: hunts in past lookups for what rules newly block, and keeps what it finds as events.
//
// Threads: Step on one thread of its own, at a low priority; it may take long. Limits: those of HuntLookups.
#ifndef SEKISHO_STORAGE_LOGD_HUNTER_H_
#define SEKISHO_STORAGE_LOGD_HUNTER_H_

#include <functional>
#include <string>

#include "proto/base/now.h"
#include "proto/config/paths.h"
#include "storage/events/event_log.h"
#include "storage/hunt/rule_watch.h"
#include "storage/lookups/lookup_store.h"

namespace spdlog {
class logger;
}

namespace sekisho::logd {

class Hunter {
 public:
  Hunter(const lookups::LookupStore& store, const config::Paths& paths, spdlog::logger& log);
  // Looks for new rules and hunts for them; returns how long to wait for the next look.
  Duration Step(const std::function<bool()>& stop);

 private:
  void Hunt(const hunt::FreshRules& fresh, const std::function<bool()>& stop);
  void Say(const std::string& trouble);

  const lookups::LookupStore& store_;
  spdlog::logger& log_;
  events::EventLog events_;
  hunt::RuleWatch watch_;
  std::string said_;
};

}  // namespace sekisho::logd

#endif  // SEKISHO_STORAGE_LOGD_HUNTER_H_
