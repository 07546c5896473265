// ExportHost: the live streams as a part of logd — made from the configuration, and made anew when it
// changes.
//
// An export that is configured no more loses what waited for it.
//
// Threads: Keep and Status from any; the rest from one. Limits: those of Exporter.
#ifndef SEKISHO_STORAGE_LOGD_EXPORT_HOST_H_
#define SEKISHO_STORAGE_LOGD_EXPORT_HOST_H_

#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <utility>
#include <vector>

#include "proto/record/spool.h"
#include "proto/schema/config.pb.h"
#include "storage/export/exporter.h"

namespace spdlog {
class logger;
}

namespace sekisho::logd {

class ExportHost {
 public:
  ExportHost(const config::Config& config, spdlog::logger& log);

  void Reload(const config::Config& config);
  // The spool's segment is about to be removed.
  void Keep(const record::SegmentId& id);
  std::vector<exports::ExportStatus> Status() const;

 private:
  struct Running {
    std::string settings;  // as configured, to see changes
    std::unique_ptr<exports::Exporter> exporter;
  };
  void Begin(const config::Config& config, const config::Export& settings);
  void RemoveFolders(const config::Config& config);

  spdlog::logger& log_;
  mutable std::mutex mutex_;
  std::map<std::string, Running> running_;
};

}  // namespace sekisho::logd

#endif  // SEKISHO_STORAGE_LOGD_EXPORT_HOST_H_
