// ScoreFeed: what one feed is worth beside the others: what it alone lists, what others list too and who had
// it first, what of it is not enforced, and which exceptions people had to make against it.
//
// Two feeds share an indicator when both list the name or the prefix, with or without what is below it. Who
// was first counts only where both moments are known: an indicator that came with a feed's first version may
// be older than the feed is here.
//
// Threads: a function without state; it reads every claim of every feed, so it runs on a worker. Limits:
// kMaxLeads times a pair for the median, kMaxShownExceptions exceptions by name.
#ifndef SEKISHO_BLOCKLIST_FEEDD_FEED_SCORE_H_
#define SEKISHO_BLOCKLIST_FEEDD_FEED_SCORE_H_

#include <absl/status/statusor.h>

#include <cstddef>

#include "blocklist/feedd/feed_inspect.h"
#include "proto/schema/control.pb.h"

namespace sekisho::feedd {

inline constexpr size_t kMaxLeads = 200'000;
inline constexpr int kMaxShownExceptions = 100;

absl::StatusOr<control::FeedScore> ScoreFeed(const InspectInputs& about);

}  // namespace sekisho::feedd

#endif  // SEKISHO_BLOCKLIST_FEEDD_FEED_SCORE_H_
