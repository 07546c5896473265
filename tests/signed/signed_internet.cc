#include "tests/signed/signed_internet.h"

#include <algorithm>
#include <chrono>
#include <coroutine>
#include <cstdlib>

namespace sekisho::signed_test {

using dns::Name;
using dns::RRType;
using resolver::Response;
using resolver::ResponsePtr;

namespace {

struct Wait {
  std::vector<std::coroutine_handle<>>& waiting;
  bool await_ready() const noexcept { return false; }
  void await_suspend(std::coroutine_handle<> handle) const { waiting.push_back(handle); }
  void await_resume() const noexcept {}
};

}  // namespace

SignedInternet::SignedInternet() : validator_(this) {
  now_.mono = MonoTime(std::chrono::seconds(1'000'000));
  now_.wall = WallTime(std::chrono::seconds(kTestTime));
}

SignedZone& SignedInternet::AddZone(std::string_view apex, ZoneOptions options) {
  auto& slot = zones_[N(apex).LowercaseBytes()];
  slot = std::make_unique<SignedZone>(apex, std::move(options));
  return *slot;
}

SignedZone& SignedInternet::zone(std::string_view apex) { return *zones_.at(N(apex).LowercaseBytes()); }

void SignedInternet::Finish(std::string_view anchor) {
  for (auto& [key, child] : zones_) {
    SignedZone* parent = nullptr;
    for (auto& [other_key, other] : zones_) {
      if (!child->apex().view().IsBelow(other->apex())) continue;
      if (parent == nullptr || other->apex().view().IsBelow(parent->apex())) parent = other.get();
    }
    if (parent != nullptr && parent->Find(child->apex(), RRType::kNS) == nullptr) parent->Delegate(*child);
  }
  for (auto& [key, zone] : zones_) zone->Sign();
  dns::TextRecord record;
  record.owner = N(anchor);
  record.type = RRType::kDS;
  record.rdata = zone(anchor).key().Ds(record.owner);
  settings_.trust_anchors.push_back(std::move(record));
  Configure();
}

void SignedInternet::Configure() {
  validator_.Configure(std::make_shared<const resolver::Settings>(settings_));
}

void SignedInternet::TamperWith(std::string_view name, RRType type, Tamper tamper) {
  tampers_[{N(name).LowercaseBytes(), type}] = std::move(tamper);
}

Response SignedInternet::Lookup(const Name& name, RRType type, const Tampers& tampers) {
  Response response;
  response.qname = name;
  response.qtype = type;
  const SignedZone* best = nullptr;
  for (const auto& [key, zone] : zones_) {
    const bool holds = type == RRType::kDS && !name.IsRoot() ? name.view().IsBelow(zone->apex())
                                                             : name.view().IsAtOrBelow(zone->apex());
    if (holds && (best == nullptr || zone->apex().view().IsBelow(best->apex()))) best = zone.get();
  }
  if (best != nullptr) {
    if (auto answer = best->Query(name, type)) response = std::move(*answer);
  }
  const auto tamper = tampers.find({name.LowercaseBytes(), type});
  if (tamper != tampers.end()) tamper->second(&response);
  return response;
}

Response SignedInternet::Judge(Response response) {
  budget_.emplace(now_.mono);
  resolver::Budget& budget = kept_budget_ != nullptr ? *kept_budget_ : *budget_;
  resolver::Task<bool> task = validator_.Validate(&response, budget, 0);
  task.Start();
  if (!task.done()) std::abort();
  return response;
}

Response SignedInternet::Ask(std::string_view name, RRType type) { return Judge(Lookup(N(name), type)); }

std::optional<dns::EdeCode> SignedInternet::FirstError(const Response& response) const {
  if (response.errors.empty()) return std::nullopt;
  return response.errors.front().code;
}

void SignedInternet::Advance(Duration by) {
  now_.mono += by;
  now_.wall += by;
}

resolver::Task<ResponsePtr> SignedInternet::FetchElsewhere(Name name, RRType type,
                                                           std::vector<IpAddress> avoid, resolver::Budget&,
                                                           int) {
  asked_elsewhere.push_back({name, type});
  if (avoid.size() < other_servers) {
    const Tampers none;
    Response response = Lookup(name, type, avoid.size() >= honest_from ? none : tampers_);
    const std::array<uint8_t, 4> address = {10, 0, 0, static_cast<uint8_t>(avoid.size() + 2)};
    response.server = IpAddress::V4(address);
    co_return std::make_shared<const Response>(std::move(response));
  }
  auto failure = std::make_shared<Response>();
  failure->qname = name;
  failure->qtype = type;
  co_return failure;
}

resolver::Task<ResponsePtr> SignedInternet::Fetch(Name name, RRType type, resolver::Budget& budget,
                                                  int depth) {
  asked.push_back({name, type});
  if (hold) {
    Wait wait{waiting};
    co_await wait;
  }
  if (!budget.TakeQuery() || depth > resolver::limits::kDepth) {
    auto failure = std::make_shared<Response>();
    failure->qname = name;
    failure->qtype = type;
    ResponsePtr result = std::move(failure);
    co_return result;
  }
  ResponsePtr result = std::make_shared<const Response>(Lookup(name, type));
  co_return result;
}

}  // namespace sekisho::signed_test
