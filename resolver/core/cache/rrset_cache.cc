#include "resolver/core/cache/rrset_cache.h"

#include <array>
#include <atomic>
#include <cstring>
#include <mutex>
#include <utility>

#include "absl/container/flat_hash_map.h"
#include "resolver/core/limits.h"

namespace sekisho::resolver {
namespace {

// The key as bytes: lower-cased name, then type and slot.
struct Key {
  static constexpr size_t kTail = 3;
  std::array<uint8_t, dns::kMaxNameSize + kTail> bytes;
  size_t size;

  Key(dns::NameView name, dns::RRType type, Slot slot) : size(name.size() + kTail) {
    dns::LowercaseCopy(name.data(), name.size(), bytes.data());
    const auto t = static_cast<uint16_t>(type);
    std::memcpy(bytes.data() + name.size(), &t, 2);
    bytes[name.size() + 2] = static_cast<uint8_t>(slot);
  }
  std::span<const uint8_t> span() const { return {bytes.data(), size}; }
};

// What the allocator adds to a block, and a shared_ptr's control block.
constexpr size_t kBlockOverhead = 16;
constexpr size_t kControlBlock = 32;

size_t CostOf(const dns::RRset& s) {
  return sizeof(dns::RRset) + s.owner.size() + s.rdata.packed_size() + s.signatures.packed_size() +
         4 * kBlockOverhead + kControlBlock;
}

size_t CostOf(const CacheEntry& e) {
  size_t cost = sizeof(CacheEntry) + e.zone.size() + 4 * kBlockOverhead + kControlBlock;
  if (e.rrset) cost += CostOf(*e.rrset);
  for (const auto& s : e.proof) cost += CostOf(*s) + sizeof(s);
  for (const auto& s : e.glue) cost += CostOf(*s) + sizeof(s);
  if (e.beside) {
    for (const auto& s : e.beside->authority) cost += CostOf(*s) + sizeof(s);
    for (const auto& s : e.beside->additional) cost += CostOf(*s) + sizeof(s);
  }
  for (const auto& x : e.errors) cost += sizeof(x) + x.text.size();
  return cost;
}

}  // namespace

// One shard: a table from hash to node, nodes in a list from newest to oldest for SIEVE (Zhang et al., NSDI
// 2024).
class RrsetCache::Shard {
 public:
  explicit Shard(size_t max_bytes) : max_bytes_(max_bytes) {}
  ~Shard() {
    while (newest_ != nullptr) Erase(newest_);
  }

  CacheEntryPtr Find(uint64_t hash, const Key& key) {
    std::lock_guard<std::mutex> lock(mutex_);
    Node* node = Probe(hash, key);
    if (node == nullptr) {
      ++misses_;
      return nullptr;
    }
    ++hits_;
    node->visited = true;
    return node->entry;
  }

  bool Store(uint64_t hash, const Key& key, CacheEntryPtr entry, size_t cost, MonoTime now) {
    cost += sizeof(Node) + key.size + 6 * kBlockOverhead;
    CacheEntryPtr replaced;  // destroyed outside the lock
    std::lock_guard<std::mutex> lock(mutex_);
    if (Node* old = Probe(hash, key)) {
      if (old->entry->expires > now && old->entry->rank > entry->rank) return false;
      bytes_ = bytes_ - old->cost + cost;
      old->cost = cost;
      replaced = std::exchange(old->entry, std::move(entry));
    } else {
      Node* node = new Node{.hash = hash,
                            .key = std::string(reinterpret_cast<const char*>(key.bytes.data()), key.size),
                            .entry = std::move(entry),
                            .cost = cost};
      node->twin = std::exchange(nodes_[hash], node);
      LinkNewest(node);
      bytes_ += cost;
    }
    while (bytes_ > max_bytes_ && newest_ != nullptr) Evict();
    return true;
  }

  void Remove(uint64_t hash, const Key& key) {
    std::lock_guard<std::mutex> lock(mutex_);
    if (Node* node = Probe(hash, key)) Erase(node);
  }

  size_t RemoveUnder(dns::NameView name) {
    std::lock_guard<std::mutex> lock(mutex_);
    size_t removed = 0;
    for (Node* node = newest_; node != nullptr;) {
      Node* older = node->older;
      const auto view = dns::NameView::Trusted(reinterpret_cast<const uint8_t*>(node->key.data()),
                                               node->key.size() - Key::kTail);
      if (view.IsAtOrBelow(name)) {
        Erase(node);
        ++removed;
      }
      node = older;
    }
    return removed;
  }

  void AddTo(Stats* stats) const {
    std::lock_guard<std::mutex> lock(mutex_);
    stats->entries += count_;
    stats->bytes += bytes_;
    stats->max_bytes += max_bytes_;
    stats->hits += hits_;
    stats->misses += misses_;
    stats->evictions += evictions_;
  }

 private:
  struct Node {
    uint64_t hash;
    std::string key;
    CacheEntryPtr entry;
    size_t cost;
    bool visited = false;
    Node* newer = nullptr;
    Node* older = nullptr;
    Node* twin = nullptr;  // the next one with the same hash
  };
  // Hashes come from a keyed function already.
  struct Identity {
    size_t operator()(uint64_t h) const { return h; }
  };

  Node* Probe(uint64_t hash, const Key& key) const {
    const auto it = nodes_.find(hash);
    if (it == nodes_.end()) return nullptr;
    for (Node* n = it->second; n != nullptr; n = n->twin) {
      if (n->key.size() == key.size && std::memcmp(n->key.data(), key.bytes.data(), key.size) == 0) return n;
    }
    return nullptr;
  }

  void LinkNewest(Node* node) {
    node->older = newest_;
    if (newest_ != nullptr) newest_->newer = node;
    newest_ = node;
    if (oldest_ == nullptr) oldest_ = node;
    ++count_;
  }

  void Erase(Node* node) {
    if (hand_ == node) hand_ = node->newer;
    (node->newer != nullptr ? node->newer->older : newest_) = node->older;
    (node->older != nullptr ? node->older->newer : oldest_) = node->newer;
    const auto it = nodes_.find(node->hash);
    Node** link = &it->second;
    while (*link != node) link = &(*link)->twin;
    *link = node->twin;
    if (it->second == nullptr) nodes_.erase(it);
    --count_;
    bytes_ -= node->cost;
    delete node;
  }

  // The hand moves from the oldest towards the newest, sparing once what was visited since it last came by.
  void Evict() {
    Node* node = hand_ != nullptr ? hand_ : oldest_;
    while (node->visited) {
      node->visited = false;
      node = node->newer != nullptr ? node->newer : oldest_;
    }
    hand_ = node->newer;
    ++evictions_;
    Erase(node);
  }

  mutable std::mutex mutex_;
  absl::flat_hash_map<uint64_t, Node*, Identity> nodes_;  // a miss reads one line of memory
  size_t count_ = 0;
  Node* newest_ = nullptr;
  Node* oldest_ = nullptr;
  Node* hand_ = nullptr;
  size_t bytes_ = 0;
  size_t max_bytes_;
  uint64_t hits_ = 0;
  uint64_t misses_ = 0;
  uint64_t evictions_ = 0;
};

RrsetCache::RrsetCache(size_t max_bytes, size_t shards, Rng& rng)
    : hash_(rng), denials_(max_bytes / limits::kCacheBytesPerDenial) {
  for (size_t i = 0; i < shards; ++i) shards_.push_back(std::make_unique<Shard>(max_bytes / shards));
}

RrsetCache::~RrsetCache() = default;

// The low bits choose the bucket, the high bits the shard.
RrsetCache::Shard& RrsetCache::ShardOf(uint64_t hash) const {
  return *shards_[(hash >> 40) % shards_.size()];
}

CacheEntryPtr RrsetCache::Find(dns::NameView name, dns::RRType type, Slot slot) {
  const Key key(name, type, slot);
  const uint64_t hash = hash_(key.span());
  return ShardOf(hash).Find(hash, key);
}

bool RrsetCache::Store(dns::NameView name, dns::RRType type, Slot slot, CacheEntry entry, Now now) {
  const size_t cost = CostOf(entry);
  if (cost > limits::kMaxEntryBytes) return false;
  const Key key(name, type, slot);
  const uint64_t hash = hash_(key.span());
  return ShardOf(hash).Store(hash, key, std::make_shared<const CacheEntry>(std::move(entry)), cost, now.mono);
}

void RrsetCache::Remove(dns::NameView name, dns::RRType type, Slot slot) {
  const Key key(name, type, slot);
  const uint64_t hash = hash_(key.span());
  ShardOf(hash).Remove(hash, key);
}

size_t RrsetCache::RemoveUnder(dns::NameView name) {
  size_t removed = 0;
  for (const auto& shard : shards_) removed += shard->RemoveUnder(name);
  denials_.RemoveAround(name);
  return removed;
}

RrsetCache::Stats RrsetCache::stats() const {
  Stats stats;
  for (const auto& shard : shards_) shard->AddTo(&stats);
  return stats;
}

}  // namespace sekisho::resolver
