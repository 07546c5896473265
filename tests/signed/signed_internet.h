// SignedInternet: zones in memory behind the interface the validator asks through, with a clock that the test
// moves.
//
//   SignedInternet net;
//   net.AddZone(".") …; net.Finish();
//   Verdict v = net.Ask("www.example.test.", RRType::kA);      // the zone's answer, judged
//
// Threads: one. Limits: none; for tests.
#ifndef SEKISHO_TESTS_SIGNED_SIGNED_INTERNET_H_
#define SEKISHO_TESTS_SIGNED_SIGNED_INTERNET_H_

#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "resolver/core/budget.h"
#include "resolver/core/response.h"
#include "resolver/core/settings.h"
#include "resolver/core/validator/validator.h"
#include "tests/signed/signed_zone.h"

namespace sekisho::signed_test {

class SignedInternet : public resolver::RecordFetcher {
 public:
  using Tamper = std::function<void(resolver::Response*)>;

  SignedInternet();

  // Zones are signed in the order of Finish: children are delegated by their closest parent that was added.
  SignedZone& AddZone(std::string_view apex, ZoneOptions options = {});
  // Delegates, signs, and takes the root's key (or `anchor`'s) as the trust anchor.
  void Finish(std::string_view anchor = ".");
  void Configure();

  resolver::Settings& settings() { return settings_; }
  SignedZone& zone(std::string_view apex);
  // What is said of (name, type), to the validator and to Ask.
  void TamperWith(std::string_view name, dns::RRType type, Tamper tamper);
  resolver::Response Lookup(const dns::Name& name, dns::RRType type) { return Lookup(name, type, tampers_); }
  // Judges what is given, or what the zones say.
  resolver::Response Judge(resolver::Response response);
  resolver::Response Ask(std::string_view name, dns::RRType type);
  std::optional<dns::EdeCode> FirstError(const resolver::Response& response) const;

  const resolver::Budget& budget() const { return *budget_; }
  // A budget that Judge uses until the next call, instead of a fresh one each time.
  void KeepBudget(resolver::Budget* budget) { kept_budget_ = budget; }
  resolver::Validator& validator() { return validator_; }
  void Advance(Duration by);

  struct Question {
    dns::Name name;
    dns::RRType type;
  };
  std::vector<Question> asked;
  // While set, Fetch waits until it is resumed.
  bool hold = false;
  std::vector<std::coroutine_handle<>> waiting;

  // How many servers serve each zone; those beyond the first are not tampered with from `honest_from` on
  // (counted from the second one). Nothing is cached.
  size_t other_servers = 0;
  size_t honest_from = 0;
  std::vector<Question> asked_elsewhere;
  resolver::Task<resolver::ResponsePtr> FetchElsewhere(dns::Name name, dns::RRType type,
                                                       std::vector<IpAddress> avoid, resolver::Budget& budget,
                                                       int depth) override;
  // What is cached; by default nothing.
  std::function<resolver::ResponsePtr(dns::NameView, dns::RRType)> peek;
  resolver::ResponsePtr Peek(dns::NameView name, dns::RRType type) const override {
    return peek ? peek(name, type) : nullptr;
  }
  resolver::Task<resolver::ResponsePtr> Fetch(dns::Name name, dns::RRType type, resolver::Budget& budget,
                                              int depth) override;
  Now now() const override { return now_; }

 private:
  using Tampers = std::map<std::pair<std::string, dns::RRType>, Tamper>;
  resolver::Response Lookup(const dns::Name& name, dns::RRType type, const Tampers& tampers);

  std::map<std::string, std::unique_ptr<SignedZone>> zones_;
  Tampers tampers_;
  resolver::Settings settings_;
  resolver::Validator validator_;
  std::optional<resolver::Budget> budget_;
  resolver::Budget* kept_budget_ = nullptr;
  Now now_;
};

}  // namespace sekisho::signed_test

#endif  // SEKISHO_TESTS_SIGNED_SIGNED_INTERNET_H_
