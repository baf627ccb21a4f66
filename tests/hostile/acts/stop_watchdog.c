/* Turns the timer off that ends a connector which never gives way, and then never gives way. */
#include "act.h"

#include <signal.h>
#include <sys/time.h>

static int act(void) {
  struct itimerval const never = {{0, 0}, {0, 0}};
  if (setitimer(ITIMER_PROF, &never, NULL) == 0) return 0;
  int const code = errno;
  if (signal(SIGPROF, SIG_IGN) != SIG_ERR) return 0;
  sigset_t all;
  sigfillset(&all);
  sigprocmask(SIG_BLOCK, &all, NULL); /* this one is allowed; the host's own watch is left */
  for (;;) (void)code;
}
