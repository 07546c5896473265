// PolicyZoneFiles: the response policy zones' files, read at the start, on a reload and whenever one changes,
// and published to the workers.
//
// A file that is no zone leaves the zone in force as it was, and states() tells why. The file of a zone that
// is fetched from primaries need not be there at the start. Zones that are replaced are kept until no worker
// holds them, so that freeing a large one never falls to a thread that answers.
//
// Threads: Load, Start, Stop on the main thread; states() from any. Limits: files of kMaxFile bytes; one look
// each kPause; a file that changes is read when it has stayed the same for one look.
#ifndef SEKISHO_RESOLVER_SERVER_POLICY_ZONE_FILES_H_
#define SEKISHO_RESOLVER_SERVER_POLICY_ZONE_FILES_H_

#include <absl/status/status.h>

#include <condition_variable>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "proto/base/now.h"
#include "proto/base/published.h"
#include "resolver/config/live_config.h"
#include "resolver/core/rpz/zone_list.h"

namespace sekisho::resolver {

class PolicyZoneFiles {
 public:
  static constexpr Duration kPause = std::chrono::seconds(1);
  static constexpr uint64_t kMaxFile = uint64_t{1} << 30;

  struct State {
    std::string name;
    std::string path;
    bool in_force = false;
    size_t rules = 0;
    size_t bytes = 0;  // of memory
    std::optional<uint32_t> serial;
    WallTime loaded{};
    size_t left_out = 0;       // records that look like rules and are none
    std::string left_out_why;  // of the first: line and reason
    std::string error;         // why the file as it is now is not in force; empty: it is
  };

  // `news` is told of each zone that was read anew, or could not be; on the thread that read it.
  PolicyZoneFiles(Published<const rpz::Zones>* published, std::function<void(const State&)> news);
  ~PolicyZoneFiles();

  // Reads these files and publishes them. A zone that is in force already may fail, and stays as it is; any
  // other that fails is an error ("file:line: reason"), and then nothing is changed.
  absl::Status Load(const std::vector<PolicyZoneFile>& files);
  void Start();
  void Stop();
  // One look at all files; the thread that Start begins does nothing else. `whole`: files are known to be
  // whole already, and read when they have changed.
  void Look(bool whole = false);
  std::vector<State> states() const;

 private:
  // What tells one content of a file from another.
  struct Identity {
    uint64_t device = 0, inode = 0, size = 0;
    int64_t modified = 0, changed = 0;  // nanoseconds
    friend bool operator==(const Identity&, const Identity&) = default;
  };
  struct Entry {
    PolicyZoneFile file;
    std::shared_ptr<const rpz::Zone> zone;
    State state;
    std::optional<Identity> tried;  // as it was when it was read last; none: it was not there
    std::optional<Identity> seen;   // at the last look
  };

  static std::optional<Identity> Identify(const std::string& path);
  static void Read(Entry* entry);
  void Run();
  void Publish();

  Published<const rpz::Zones>* published_;
  std::function<void(const State&)> news_;
  std::mutex loading_;  // one reads at a time; guards entries_ and retired_
  std::vector<Entry> entries_;
  std::vector<std::shared_ptr<const rpz::Zone>> retired_;
  mutable std::mutex mutex_;  // guards what follows
  std::vector<State> states_;
  std::condition_variable wake_;
  bool stop_ = false;
  std::thread thread_;
};

}  // namespace sekisho::resolver

#endif  // SEKISHO_RESOLVER_SERVER_POLICY_ZONE_FILES_H_
