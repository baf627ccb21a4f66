/* Takes control of another process and reads it. */
#include "act.h"

#include <sys/ptrace.h>
#include <sys/wait.h>

static int act(void) {
  if (ptrace(PTRACE_ATTACH, (pid_t)scene.victim, NULL, NULL) != 0) return errno;
  waitpid((pid_t)scene.victim, NULL, __WALL);
  for (unsigned long i = 0; i < 8; ++i) {
    void* const address = (void*)(scene.victim_secret + i * sizeof(long));
    long const word = ptrace(PTRACE_PEEKDATA, (pid_t)scene.victim, address, NULL);
    take(&word, sizeof word);
  }
  return 0;
}
