// FetchQuota: how many fetches may be in progress at once for one zone, or with one server.
//
// The quota of a key begins at `most`. Every question that stays without a reply takes two percent of it,
// every reply gives ten back: so it shrinks to `least` only where more than four in five questions are lost,
// which is a dead or drowned server and not a bad line. A zone under attack then costs little, and others
// nothing.
//
//   FetchQuota::Slot slot = quota.Take(key);
//   if (!slot) …too many
//   quota.OnSilence(key);   if (slot.Surplus()) …the quota has shrunk below what is in progress: give up
//
// Threads: one worker. Limits: keys are remembered while fetches are in progress or their quota is below
// `most`, and at most kKeys of the latter. Standards: rows D22 and S24 of the attack table; BIND's
// fetches-per-zone is the model.
#ifndef SEKISHO_RESOLVER_CORE_ITERATOR_FETCH_QUOTA_H_
#define SEKISHO_RESOLVER_CORE_ITERATOR_FETCH_QUOTA_H_

#include <cstddef>
#include <list>
#include <string>
#include <unordered_map>
#include <utility>

#include "proto/base/bytes.h"
#include "proto/base/keyed_hash.h"

namespace sekisho::resolver {

class FetchQuota {
 public:
  FetchQuota(KeyedHash hash, size_t least) : least_(least), keys_(0, Hasher{hash}) {}
  FetchQuota(const FetchQuota&) = delete;
  FetchQuota& operator=(const FetchQuota&) = delete;

  // 0: no bound.
  void SetMost(size_t most) { most_ = most; }

  // One fetch in progress, until it is destroyed. Must not outlive the quota.
  class Slot {
   public:
    Slot() = default;
    Slot(Slot&& other) noexcept : owner_(std::exchange(other.owner_, nullptr)), key_(std::move(other.key_)) {}
    Slot& operator=(Slot&& other) noexcept {
      std::swap(owner_, other.owner_);
      std::swap(key_, other.key_);
      return *this;
    }
    ~Slot() {
      if (owner_ != nullptr) owner_->Give(key_);
    }
    explicit operator bool() const { return owner_ != nullptr; }
    // More are in progress than the quota, as it is now, allows.
    bool Surplus() const { return owner_ != nullptr && owner_->IsSurplus(key_); }

   private:
    friend class FetchQuota;
    Slot(FetchQuota* owner, std::string key) : owner_(owner), key_(std::move(key)) {}
    FetchQuota* owner_ = nullptr;
    std::string key_;
  };

  Slot Take(const std::string& key);
  bool IsFull(const std::string& key) const;
  void OnSilence(const std::string& key);
  void OnReply(const std::string& key);

  size_t in_progress(const std::string& key) const;
  size_t keys() const { return keys_.size(); }

 private:
  static constexpr size_t kKeys = 10'000;

  struct State {
    size_t in_progress = 0;
    double share = 1;  // of `most`
    std::list<std::string>::iterator remembered;
    bool is_remembered = false;
  };
  struct Hasher {
    KeyedHash hash;
    size_t operator()(const std::string& s) const { return hash(AsBytes(s)); }
  };
  using Keys = std::unordered_map<std::string, State, Hasher>;

  size_t Bound(const State& state) const;
  bool IsSurplus(const std::string& key) const;
  void Give(const std::string& key);
  void ForgetIfIdle(Keys::iterator it);

  size_t least_;
  size_t most_ = 0;
  Keys keys_;
  std::list<std::string> idle_;  // shrunk and without fetches, oldest first
};

}  // namespace sekisho::resolver

#endif  // SEKISHO_RESOLVER_CORE_ITERATOR_FETCH_QUOTA_H_
