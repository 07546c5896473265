// Iterator: finds what the DNS says about one (name, type), from the cache or by asking from the closest
// known zone cut downwards. It follows referrals, not aliases; following CNAMEs is resolve.h's work.
//
// The steps of one fetch:
//   cache → closest zone cut → (minimised) question to one of its servers → classify → referral: next cut
//                                                                       → response: validate, keep, return
//
// Threads: one worker. Limits: Budget for the client's question, limits.h for each fetch.
// Standards: RFC 1034 section 5.3.3, RFC 2308, RFC 9156 (QNAME minimisation), RFC 9520 (failure caching).
#ifndef SEKISHO_RESOLVER_CORE_ITERATOR_ITERATOR_H_
#define SEKISHO_RESOLVER_CORE_ITERATOR_ITERATOR_H_

#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "proto/base/now.h"
#include "proto/base/rng.h"
#include "resolver/core/budget.h"
#include "resolver/core/cache/rrset_cache.h"
#include "resolver/core/iterator/classify.h"
#include "resolver/core/iterator/exchange.h"
#include "resolver/core/iterator/fetch_quota.h"
#include "resolver/core/iterator/server_table.h"
#include "resolver/core/iterator/zone_cut.h"
#include "resolver/core/response.h"
#include "resolver/core/settings.h"
#include "resolver/core/task.h"
#include "resolver/core/validator/validator.h"

namespace sekisho::resolver {

class Iterator final : public RecordFetcher {
 public:
  // `now` is kept up to date by the owner before it resumes anybody.
  Iterator(RrsetCache* cache, Rng* rng, Counters* counters, const Now* now);

  void Configure(std::shared_ptr<const Settings> settings);
  const Settings& settings() const { return *settings_; }
  const std::shared_ptr<const Settings>& settings_held() const { return settings_; }

  // What is cached and fresh; with `validate`, only what has a verdict. Null otherwise.
  ResponsePtr FromCache(dns::NameView name, dns::RRType type, bool validate) const;
  // What is cached though expired, within the bounds of serve-stale (RFC 8767). Null otherwise.
  ResponsePtr FromStale(dns::NameView name, dns::RRType type, bool validate) const;
  // A failure that is remembered for this question, or null.
  ResponsePtr KnownFailure(dns::NameView name, dns::RRType type) const;

  // See zone_cut.h.
  std::vector<rpz::KnownServer> ServersAbove(dns::NameView name, dns::RRType type) const {
    return KnownServersAbove(type == dns::RRType::kDS ? name.Parent() : name, *cache_, *settings_);
  }

  // Cache, else network; kept in the cache afterwards. Always gives a Response, kFailure at worst.
  Task<ResponsePtr> Resolve(dns::Name name, dns::RRType type, bool validate, Budget& budget, int depth);
  // Network even when it is cached; for refreshing what is about to expire.
  Task<ResponsePtr> Refresh(dns::Name name, dns::RRType type, bool validate, Budget& budget, int depth);

  // For the validator: Resolve without validation.
  Task<ResponsePtr> Fetch(dns::Name name, dns::RRType type, Budget& budget, int depth) override;
  Task<ResponsePtr> FetchElsewhere(dns::Name name, dns::RRType type, std::vector<IpAddress> avoid,
                                   Budget& budget, int depth) override;
  ResponsePtr Peek(dns::NameView name, dns::RRType type) const override;
  Now now() const override { return *now_; }

  Exchanges& exchanges() { return exchanges_; }
  const Exchanges& exchanges() const { return exchanges_; }

 private:
  // One fetch's view of one server address.
  struct Candidate {
    Endpoint address;
    int tries = 0;
    Duration waited{};  // in vain
    bool tcp = false;
    bool edns = true;
    bool cookie = true;
    int bad_cookies = 0;      // BADCOOKIE replies
    bool loses_case = false;  // went to TCP because the name came back in another case
    bool out = false;         // lame, broken or used up
  };
  // One fetch: a question on its way down from a zone cut.
  struct FetchState {
    dns::Name qname;
    dns::RRType qtype = dns::RRType::kNone;
    ZoneCut cut;
    std::vector<Candidate> candidates;
    int queries = 0;
    int tcp_tries = 0;
    int lookup_failures = 0;
    const std::vector<IpAddress>* avoid = nullptr;  // servers that are not asked
    bool parent_glue = false;                       // AddParentGlue was tried
    bool parent_asked = false;                      // and AskParentForGlue
    bool refused = false;                           // a bound on fetches in progress was reached
    MonoTime give_up{};
    std::vector<dns::ExtendedError> errors;
  };

  Task<ResponsePtr> ValidateCached(ResponsePtr cached, Budget& budget, int depth);
  // What came for one question: the response, and further links of its chain.
  struct Found {
    Response response;
    std::vector<Response> further;
  };
  // Puts a fetch at the closest cut that is known, or configured.
  void SetOut(FetchState& state, bool configured_zones, const Budget& budget) const;
  // `avoid`: servers that are not asked; outlives the task.
  Task<Found> Iterate(dns::Name name, dns::RRType type, const std::vector<IpAddress>& avoid, Budget& budget,
                      int depth);
  // Iterates, and again without the servers whose answers do not validate, until one does or none is left.
  Task<Found> IterateUntilValid(dns::Name name, dns::RRType type, Budget& budget, int depth);
  void Keep(Response* response);
  // Null when nothing that is known answers for the name: no denial, and no wildcard.
  Task<ResponsePtr> FromDenials(dns::Name name, dns::RRType type, bool validate, Budget& budget, int depth);
  // What the denials that are known say of a name, or a wildcard beside them; not judged yet.
  std::optional<Response> ProposeDenial(const dns::Name& name, dns::RRType type, Budget& budget);
  std::optional<Response> ProposeWildcard(const dns::Name& name, dns::RRType type, Budget& budget);
  // Keeps what a secure response proves beyond its own name.
  void NoteProofs(const Response& response);
  void NoteWildcard(const Response& response);
  uint32_t NegativeTtlOf(const Response& response) const;
  // May a link be kept that came with a question for another name? Not below a cut that is known and was not
  // asked.
  bool MayKeepLink(const Response& link) const;
  // Asks the servers of state.cut until one says something useful; kUseless when none does.
  Task<Classified> AskZone(FetchState& state, dns::Name qname, dns::RRType qtype, Budget& budget, int depth);
  Task<Classified> AskServer(FetchState& state, size_t candidate, const dns::Name& qname, dns::RRType qtype,
                             Budget& budget);
  // Looks up the addresses of one more server name; false when there is none left to try.
  // `at_last`: nobody is left to ask.
  Task<bool> AddServerAddresses(FetchState& state, bool at_last, Budget& budget, int depth);

  void TakeAddresses(const Response& response, ZoneCut::Server& server) const;
  void TakeAddressesOf(const dns::RRset& rrset, ZoneCut::Server& server) const;
  bool AddParentGlue(FetchState& state) const;
  bool HasGlue(const dns::Name& zone, const dns::Name& server) const;
  Task<bool> AskParentForGlue(FetchState& state, Budget& budget, int depth);
  void ResetCandidates(FetchState& state) const;
  static void AddCandidates(FetchState& state, const ZoneCut::Server& server);
  std::optional<size_t> PickServer(const FetchState& state);
  ExchangeRequest RequestFor(const FetchState& state, const Candidate& candidate, dns::NameView qname,
                             dns::RRType qtype) const;
  // The COOKIE option for that server; empty: none.
  std::vector<uint8_t> CookieFor(const Candidate& candidate) const;
  // Waits for late replies of servers that are slower than anybody expected.
  Task<Classified> AwaitLate(FetchState& state, const dns::Name& qname, dns::RRType qtype, Budget& budget);
  bool MayComeLate(const FetchState& state, dns::NameView qname, dns::RRType qtype) const;
  Classified TakeReply(FetchState& state, const ExchangeResult& result, Candidate& candidate,
                       const dns::Name& qname, dns::RRType qtype, Budget& budget);
  static std::string ServerKey(const IpAddress& address);
  static void Refuse(FetchState& state);
  void NoteLoad(const FetchState& state, const ExchangeResult& result);
  void NoteCookies(const ExchangeResult& result, Candidate& candidate);
  Duration TimeoutFor(const Candidate& candidate) const;
  static bool FallBackToPlain(Candidate& candidate);
  void NoteOutcome(const ExchangeResult& result, Candidate& candidate);
  bool NoteReply(FetchState& state, Candidate& candidate, const Classified& classified);

  ResponsePtr FromEntry(const CacheEntry& entry, dns::NameView name, dns::RRType type) const;
  ResponsePtr FromAncestors(dns::NameView name, dns::RRType type, bool validate) const;
  void BoundTtls(Response* response) const;
  void Store(const Response& response, bool authoritative);
  void StoreFailure(const Response& response);

  RrsetCache* cache_;
  Rng* rng_;
  const Now* now_;
  std::shared_ptr<const Settings> settings_;
  ServerTable servers_;
  Exchanges exchanges_;
  Validator validator_;
  dns::DnssecCrypto crypto_;  // hashes names
  KeyedHash cookie_key_;
  FetchQuota zone_quota_;
  FetchQuota server_quota_;
};

}  // namespace sekisho::resolver

#endif  // SEKISHO_RESOLVER_CORE_ITERATOR_ITERATOR_H_
