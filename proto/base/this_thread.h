// What the kernel is told of the calling thread: its name, and who goes first where processors are short.
//
//   BeginThread("record-writer", kBesides);
//
// Answers go before everything. On a machine of few processors a thread that reads a list or writes records
// would otherwise keep a question waiting for a whole time slice; a higher nice value lets the answering
// thread push it aside. No thread is starved: even the last has a share of a hundredth beside a thread that
// never sleeps.
//
// Threads: about the calling thread alone (Linux: nice values are a thread's own). Limits: names of 15 bytes.
#ifndef SEKISHO_PROTO_BASE_THIS_THREAD_H_
#define SEKISHO_PROTO_BASE_THIS_THREAD_H_

namespace sekisho {

inline constexpr int kAnswers = 0;      // nice values
inline constexpr int kBesides = 10;     // must keep up with the answers: a tenth of a processor at worst
inline constexpr int kBackground = 15;  // whenever there is time

void BeginThread(const char* name, int nice);
// Threads started from here on begin with it, too.
void StepBack(int nice);

}  // namespace sekisho

#endif  // SEKISHO_PROTO_BASE_THIS_THREAD_H_
