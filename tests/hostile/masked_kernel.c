/* A program on a kernel that seems to lack some system calls, so that a lower tier is all there is: the
 * worker where GARLAND_WORKER says which, else whatever the words name. MASKED lists the calls; to the
 * program, and to all that it starts, they answer as they do where they do not exist or are not allowed. */
#include <errno.h>
#include <seccomp.h>
#include <unistd.h>

extern char** environ;

int main(int argc, char** argv) {
  static char const* const masked[] = {MASKED};
  scmp_filter_ctx const filter = seccomp_init(SCMP_ACT_ALLOW);
  for (unsigned i = 0; i < sizeof masked / sizeof masked[0]; ++i)
    if (seccomp_rule_add(filter, SCMP_ACT_ERRNO(EOPNOTSUPP), seccomp_syscall_resolve_name(masked[i]), 0) != 0)
      return 120;
  if (seccomp_load(filter) != 0) return 121;
#ifdef GARLAND_WORKER
  (void)argc;
  execve(GARLAND_WORKER, argv, environ);
#else
  if (argc > 1) execve(argv[1], argv + 1, environ);
#endif
  return 122;
}
