// Resolutions: the questions that a worker is resolving, and who waits for each.
//
// Clients that ask the same thing share one Resolution. A Resolution follows the CNAME chain link by link
// with the Iterator, under one Budget, and ends with an Answer whatever happens.
//
// Threads: one worker. Limits: Settings::bounds in all and for one client address (row D21); an agency may
// have as many questions waiting as there is room for still, so that no one agency, nor two or three, can
// fill it (row S24). Who reaches a bound loses its oldest Resolution for the new one if that is older than
// kJostleAfter (row D23). After kQuestionTime a Resolution ends whatever it waits for. Standards: RFC 1034
// section 5.3.3 (chains), RFC 6672 (DNAME), RFC 4035 section 3.2.2 (CD).
#ifndef SEKISHO_RESOLVER_CORE_RESOLUTIONS_H_
#define SEKISHO_RESOLVER_CORE_RESOLUTIONS_H_

#include <deque>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <unordered_map>
#include <utility>
#include <vector>

#include "proto/base/bytes.h"
#include "proto/base/ip_address.h"
#include "proto/base/keyed_hash.h"
#include "proto/base/now.h"
#include "resolver/core/iterator/iterator.h"
#include "resolver/core/question.h"
#include "resolver/core/rpz/judge.h"
#include "resolver/core/task.h"
#include "resolver/core/validator/anchor_rollover.h"

namespace sekisho::resolver {

class Resolutions {
 public:
  // `rollover`: anchors that this worker asks after for all of them; null: another one does.
  Resolutions(RrsetCache* cache, Rng* rng, Counters* counters, dnssec::AnchorRollover* rollover = nullptr);
  ~Resolutions();

  void Configure(std::shared_ptr<const Settings> settings);
  // To be called with each event before anything else.
  void SetNow(Now now) { now_ = now; }

  // The whole chain from the cache, or null when a link is missing. A link that is known to fail now is stale
  // data if there is any, else a failure.
  AnswerPtr FromCache(const Question& question);
  // One link, as far as it may be told to a client that wants data checked or not.
  ResponsePtr LinkFromCache(const Question& question, dns::NameView name, dns::RRType type) const {
    return iterator_.FromCache(name, type, Validates(question));
  }
  // The servers of the zones above a name, as far as the cache knows their delegations; for rules about them.
  std::vector<rpz::KnownServer> ServersAbove(dns::NameView name, dns::RRType type) const {
    return iterator_.ServersAbove(name, type);
  }
  // Asks again for links of `answer` that are about to expire, with nobody waiting.
  void Prefetch(const Question& question, const Answer& answer);

  enum class Joined : uint8_t { kWaiting, kTooMany };
  // The question waits until PollDone gives it back with its answer.
  Joined Join(const Question& question, Now now);
  // Expired data for a question that there is no room for; null when there is none.
  AnswerPtr FromStale(const Question& question);
  void Forget(uint64_t token);

  // Resumes everybody whose wait is over.
  void Run();
  // Clients that have waited long enough get stale data (RFC 8767 section 5).
  void OnTime(MonoTime now);
  // To be called when everybody has run: ends what has taken too long.
  void EndOverdue(MonoTime now);
  std::optional<MonoTime> NextDeadline() const;
  // A question whose Resolution has ended.
  std::optional<Question> PollDone();

  Exchanges& exchanges() { return iterator_.exchanges(); }
  size_t pending() const { return pending_; }

 private:
  struct Resolution {
    explicit Resolution(const Budget& begin) : budget(begin) {}
    std::string key;
    uint64_t number = 0;  // in the order of their start
    MonoTime started{};
    std::string agency;  // whose question began it
    IpAddress client;
    dns::Name qname;  // the name sought
    dns::RRType qtype = dns::RRType::kNone;
    bool validate = false;
    bool refresh = false;  // links about to expire are asked for again
    MonoTime stale_at{};   // when waiting clients get stale data; 0: never
    Budget budget;
    std::vector<Question> waiting;
    AnswerPtr answer;
    Task<bool> task;
  };
  struct Hasher {
    KeyedHash hash;
    size_t operator()(const std::string& s) const { return hash(AsBytes(s)); }
    size_t operator()(const IpAddress& a) const { return hash(a.mapped()); }
  };

  // Oldest first.
  using ByAge = std::map<uint64_t, Resolution*>;
  // A trust point's keys on their way, with nobody waiting (RFC 5011).
  struct Probe {
    Probe(dns::Name z, MonoTime now) : zone(std::move(z)), started(now), budget(now) {}
    dns::Name zone;
    MonoTime started;
    Budget budget;
    bool ended = false;
    Task<bool> task;
  };

  // Makes room in what `scope` lists by ending its oldest; false: it is not old enough.
  bool Jostle(ByAge* scope, MonoTime now);
  bool HasRoom(const Question& question, MonoTime now);
  // Ends it before its task does; who waits gets stale data or a failure that says why.
  void EndEarly(Resolution* resolution, dns::EdeCode code, const char* text);
  void TakeDown(Resolution* resolution);
  void Wait(Resolution* resolution, const Question& question);
  Task<bool> Drive(Resolution* resolution);
  void Prime(Now now);
  bool Probes() const;
  // Begins the next one that is due.
  void ProbeAnchors();
  Task<bool> DriveProbe(Probe* probe);
  Resolution* Start(std::string key, const Question& question, bool refresh, MonoTime now);
  // The chain with expired links where fresh ones are missing; null when there is none.
  AnswerPtr FromStale(dns::NameView qname, dns::RRType qtype, bool validate);
  void GiveAnswer(Resolution& resolution, const AnswerPtr& answer);
  bool Validates(const Question& question) const;
  static std::string KeyOf(const Question& question, bool validate);
  void Release(Question& question);

  Now now_;
  Counters* counters_;
  Iterator iterator_;
  std::unordered_map<std::string, std::unique_ptr<Resolution>, Hasher> by_key_;
  // Of a client, or of an agency.
  struct Share {
    size_t waiting = 0;
    ByAge begun;
    bool empty() const { return waiting == 0 && begun.empty(); }
  };
  std::unordered_map<IpAddress, Share, Hasher> per_client_;
  std::map<std::string, Share> per_agency_;
  ByAge by_age_;
  uint64_t last_number_ = 0;
  size_t pending_ = 0;
  std::unordered_map<uint64_t, bool> waiting_;  // tokens of the pending, and whether their client is gone
  std::vector<std::string> ended_;
  std::set<std::pair<MonoTime, std::string>> stale_deadlines_;
  std::deque<Question> done_;
  MonoTime next_priming_{};
  dnssec::AnchorRollover* const rollover_;
  std::unique_ptr<Probe> probe_;
};

}  // namespace sekisho::resolver

#endif  // SEKISHO_RESOLVER_CORE_RESOLUTIONS_H_
