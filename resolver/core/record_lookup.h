// RecordLookup: the lookup record of a finished question.
//
// Threads: one worker. Limits: kMaxAnswerItems records of the answer; the rest is counted.
#ifndef SEKISHO_RESOLVER_CORE_RECORD_LOOKUP_H_
#define SEKISHO_RESOLVER_CORE_RECORD_LOOKUP_H_

#include <cstddef>

#include "resolver/core/pipeline.h"

namespace sekisho::resolver {

void RecordLookup(const Question& question, size_t reply_size, World& world, Now now);

}  // namespace sekisho::resolver

#endif  // SEKISHO_RESOLVER_CORE_RECORD_LOOKUP_H_
