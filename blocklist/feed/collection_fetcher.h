// CollectionFetcher: lists that come in several documents, as one JSON array in one file.
//
//   FetchCollection(fetcher, CollectionKind::kTaxii, {.url =
//   "https://taxii.example/api/collections/…/objects/", …})
//
//   kTaxii      follows `more` and `next` of TAXII 2.1 envelopes
//   kMispFeed   reads manifest.json and every event it names; file URLs work too
//
// A manifest that has not changed is not followed. If any document fails, all of it does: half a collection
// would take rules away.
//
// Threads: blocks, as Fetcher. Limits: the request's max_bytes over all documents, kMaxPages pages,
// kMaxEvents events, max_seconds for all. Standards: TAXII 2.1 (5.4, 3.4), MISP feeds.
#ifndef SEKISHO_BLOCKLIST_FEED_COLLECTION_FETCHER_H_
#define SEKISHO_BLOCKLIST_FEED_COLLECTION_FETCHER_H_

#include <cstddef>
#include <cstdint>

#include "blocklist/feed/fetcher.h"

namespace sekisho::blocklist {

enum class CollectionKind : uint8_t { kTaxii, kMispFeed };

inline constexpr size_t kMaxPages = 10'000;
inline constexpr size_t kMaxEvents = 50'000;

FetchResult FetchCollection(Fetcher& fetcher, CollectionKind kind, const FetchRequest& request);

}  // namespace sekisho::blocklist

#endif  // SEKISHO_BLOCKLIST_FEED_COLLECTION_FETCHER_H_
