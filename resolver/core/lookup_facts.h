// LookupFacts: what is recorded of a finished question.
//
//   LookupFacts facts(question, settings, reply.size(), now);   sink.Write(facts.event)
//
// Threads: one worker. Limits: answers beyond kMaxAnswerItems are counted, not kept. The event's views are
// valid as long as the question and this object.
#ifndef SEKISHO_RESOLVER_CORE_LOOKUP_FACTS_H_
#define SEKISHO_RESOLVER_CORE_LOOKUP_FACTS_H_

#include <array>
#include <cstddef>

#include "proto/base/now.h"
#include "proto/record/lookup_event.h"

namespace sekisho::resolver {

struct Question;
struct Settings;

class LookupFacts {
 public:
  // `in_force` are the settings the agency is an index into, unless the question brings its own.
  LookupFacts(const Question& question, const Settings& in_force, size_t reply_size, Now now);
  LookupFacts(const LookupFacts&) = delete;
  LookupFacts& operator=(const LookupFacts&) = delete;

  record::LookupEvent event;

 private:
  void AddAnswers(const Question& question);

  std::array<record::AnswerView, record::kMaxAnswerItems> items_;
};

}  // namespace sekisho::resolver

#endif  // SEKISHO_RESOLVER_CORE_LOOKUP_FACTS_H_
