// PolicyZoneTransfers: keeps the files of response policy zones that have primaries up to date, on a thread
// of its own.
//
// Each zone is asked for when its SOA says so (refresh, retry), one after the other; its primaries in order
// until one answers. A zone whose primaries are silent stays in force: old policy is better than none, and
// states() tells.
//
// Threads: Configure, Start, Stop on the main thread; states() from any. Limits: refresh and retry are held
// between kSoonest and kLatest; those of FetchZone. Standards: RFC 1034 section 4.3.5. Limitations: NOTIFY is
// not listened to.
#ifndef SEKISHO_RESOLVER_SERVER_POLICY_ZONE_TRANSFERS_H_
#define SEKISHO_RESOLVER_SERVER_POLICY_ZONE_TRANSFERS_H_

#include <condition_variable>
#include <functional>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "proto/base/now.h"
#include "proto/base/rng.h"
#include "proto/io/unique_fd.h"
#include "resolver/config/live_config.h"
#include "resolver/transfer/fetch_zone.h"

namespace sekisho::resolver {

class PolicyZoneTransfers {
 public:
  static constexpr Duration kSoonest = std::chrono::seconds(30);
  static constexpr Duration kLatest = std::chrono::hours(24);
  static constexpr Duration kFirstRetry = std::chrono::seconds(5);

  struct State {
    std::string name;
    std::optional<uint32_t> serial;  // of the primary, when it last answered
    WallTime asked{};
    std::string error;  // of the last try; empty: it went well
  };

  // `on_new` is called on the thread when a file has been replaced.
  explicit PolicyZoneTransfers(std::function<void()> on_new);
  ~PolicyZoneTransfers();

  // Zones without primaries are passed over. All are asked for at once.
  void Configure(const std::vector<PolicyZoneFile>& files);
  void Start();
  void Stop();
  std::vector<State> states() const;

 private:
  struct Entry {
    PolicyZoneFile file;
    State state;
    MonoTime due{};
    Duration retry = kFirstRetry;
  };

  void Run();
  absl::StatusOr<FetchedZone> Fetch(const PolicyZoneFile& file);
  void Note(Entry* entry, const absl::StatusOr<FetchedZone>& fetched);

  std::function<void()> on_new_;
  KernelRng rng_;
  io::UniqueFd stop_read_, stop_write_;
  mutable std::mutex mutex_;
  std::condition_variable wake_;
  std::vector<Entry> entries_;
  uint64_t configured_ = 0;  // counts Configure
  bool stop_ = false;
  std::thread thread_;
};

}  // namespace sekisho::resolver

#endif  // SEKISHO_RESOLVER_SERVER_POLICY_ZONE_TRANSFERS_H_
