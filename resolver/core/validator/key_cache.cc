#include "resolver/core/validator/key_cache.h"

namespace sekisho::resolver::dnssec {

size_t KeyCache::SizeOf(const Entry& entry) {
  size_t bytes = sizeof(ZoneStatus) + 2 * entry.first.size() + 128;  // tables and lists around it
  for (const ZoneKey& key : entry.second->keys.keys) bytes += sizeof(ZoneKey) + key.rdata.size();
  return bytes + entry.second->why.text.size();
}

void KeyCache::Erase(std::list<Entry>::iterator entry) {
  bytes_ -= SizeOf(*entry);
  table_.erase(entry->first);
  order_.erase(entry);
}

ZoneStatusPtr KeyCache::Find(const std::string& key, MonoTime now) {
  const auto found = table_.find(key);
  if (found == table_.end()) return nullptr;
  const auto entry = found->second;
  if (entry->second->expires <= now) {
    Erase(entry);
    return nullptr;
  }
  order_.splice(order_.begin(), order_, entry);
  return entry->second;
}

void KeyCache::Insert(const std::string& key, ZoneStatusPtr status) {
  const auto found = table_.find(key);
  if (found != table_.end()) Erase(found->second);
  order_.emplace_front(key, std::move(status));
  table_[key] = order_.begin();
  bytes_ += SizeOf(order_.front());
  while (order_.size() > 1 && (table_.size() > max_entries_ || bytes_ > max_bytes_))
    Erase(std::prev(order_.end()));
}

}  // namespace sekisho::resolver::dnssec
