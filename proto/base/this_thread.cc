#include "proto/base/this_thread.h"

#include <pthread.h>
#include <sys/resource.h>

namespace sekisho {

void BeginThread(const char* name, int nice) {
  pthread_setname_np(pthread_self(), name);
  if (nice > 0) StepBack(nice);
}

// To be nicer is always allowed; where it is not, nothing is worse than before.
void StepBack(int nice) { setpriority(PRIO_PROCESS, 0, nice); }

}  // namespace sekisho
