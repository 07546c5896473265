// AnchorKeeper: keeps the trust anchors' state (RFC 5011) on disk, and gives the workers the anchors in
// force.
//
//   AnchorKeeper keeper(file, &published, wake, news);
//   keeper.Configure(settings);          // at the start and after each reload: publishes
//   keeper.Start();  …  keeper.Stop();   // what is new is written by a thread of its own
//
// The first worker asks the zones (core.rollover); what it learns is in force at once and then written. A
// state that cannot be read is set aside and told of, and the configured anchors count.
//
// Threads: Configure, Start, Stop on the main thread; state() from any. Limits: kMaxAnchorText bytes.
// Standards: RFC 5011.
#ifndef SEKISHO_RESOLVER_SERVER_ANCHOR_KEEPER_H_
#define SEKISHO_RESOLVER_SERVER_ANCHOR_KEEPER_H_

#include <condition_variable>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "proto/base/published.h"
#include "resolver/core/settings.h"
#include "resolver/core/validator/anchor_rollover.h"

namespace sekisho::resolver {

class AnchorKeeper {
 public:
  struct State {
    bool follows = false;  // otherwise the configured anchors are all there is
    std::vector<dnssec::TrustPoint> points;
    std::string read_error;   // what was kept could not be used
    std::string write_error;  // what is known now is not on disk
  };
  // One line, and whether it needs an operator.
  using News = std::function<void(const std::string& text, bool alarm)>;

  // `published` is called, on any thread, when others than the present anchors are in force.
  AnchorKeeper(std::string folder, Published<const Settings>* settings, std::function<void()> published,
               News news);
  ~AnchorKeeper();

  void Configure(std::shared_ptr<const Settings> settings);
  void Start();
  void Stop();
  State state() const;
  dnssec::AnchorRollover* rollover() { return &rollover_; }

 private:
  void Run();
  void Read();
  void Publish();
  void Write();
  void TellChanges(const std::vector<dnssec::TrustPoint>& points);

  const std::string folder_;
  Published<const Settings>* const settings_;
  const std::function<void()> published_;
  const News news_;
  dnssec::AnchorRollover rollover_;

  mutable std::mutex mutex_;
  std::condition_variable wake_;
  std::shared_ptr<const Settings> configured_;
  std::vector<dns::TextRecord> in_force_;
  std::vector<dnssec::TrustPoint> told_;
  std::string read_error_;
  std::string write_error_;
  bool was_read_ = false;
  bool changed_ = false;
  bool stop_ = false;
  std::thread thread_;
};

}  // namespace sekisho::resolver

#endif  // SEKISHO_RESOLVER_SERVER_ANCHOR_KEEPER_H_
