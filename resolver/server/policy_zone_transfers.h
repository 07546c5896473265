// PolicyZoneTransfers: keeps the files of response policy zones that have primaries up to date, on a thread
// of its own.
//
// Each zone is asked for when its SOA says so (refresh, retry), one after the other; its primaries in order
// until one answers. A zone whose primaries are silent stays in force: old policy is better than none, and
// states() tells.
//
// Threads: Configure, Start, Stop on the main thread; states() and Notified from any. Limits: refresh and
// retry are held between kSoonest and kLatest, questions after a NOTIFY are kNotifyPause apart; those of
// FetchZone. Standards: RFC 1034 section 4.3.5, RFC 1996. Limitations: a NOTIFY's signature is not looked at,
// since it is only a hint.
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
#include "resolver/core/core.h"
#include "resolver/transfer/fetch_zone.h"

namespace sekisho::resolver {

class PolicyZoneTransfers final : public NotifySink {
 public:
  static constexpr Duration kSoonest = std::chrono::seconds(30);
  static constexpr Duration kLatest = std::chrono::hours(24);
  static constexpr Duration kFirstRetry = std::chrono::seconds(5);
  static constexpr Duration kNotifyPause = std::chrono::seconds(5);

  struct State {
    std::string name;
    std::optional<uint32_t> serial;  // of the primary, when it last answered
    WallTime asked{};
    std::string error;  // of the last try; empty: it went well
  };

  // `on_new` is called on the thread when a file has been replaced.
  explicit PolicyZoneTransfers(std::function<void()> on_new);
  ~PolicyZoneTransfers() override;

  // Zones without primaries are passed over. All are asked for at once.
  void Configure(const std::vector<PolicyZoneFile>& files);
  void Start();
  void Stop();
  std::vector<State> states() const;
  // A primary says that it has something new: it is asked soon.
  void Notified(dns::NameView zone) override;

 private:
  struct Entry {
    PolicyZoneFile file;
    State state;
    MonoTime due{};
    bool notified = false;
    MonoTime notify_from{};  // earlier than this a NOTIFY does not make it due
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
