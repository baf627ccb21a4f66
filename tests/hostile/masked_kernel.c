/* garland-worker on a kernel that seems to lack some system calls, so that a lower tier is all there is.
 * MASKED names them; to the worker they answer as they do where they do not exist or are not allowed. */
#include <errno.h>
#include <seccomp.h>
#include <unistd.h>

extern char** environ;

int main(int argc, char** argv) {
  static char const* const masked[] = {MASKED};
  scmp_filter_ctx const filter = seccomp_init(SCMP_ACT_ALLOW);
  (void)argc;
  for (unsigned i = 0; i < sizeof masked / sizeof masked[0]; ++i)
    if (seccomp_rule_add(filter, SCMP_ACT_ERRNO(EOPNOTSUPP), seccomp_syscall_resolve_name(masked[i]), 0) != 0)
      return 120;
  if (seccomp_load(filter) != 0) return 121;
  execve(GARLAND_WORKER, argv, environ);
  return 122;
}
