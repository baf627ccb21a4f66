/* without CALL... -- PROGRAM ARGUMENT...: runs a program on a kernel that seems to lack those system calls.
 * For the tests of the lower sandbox tiers. */
#include <errno.h>
#include <seccomp.h>
#include <string.h>
#include <unistd.h>

extern char** environ;

int main(int argc, char** argv) {
  scmp_filter_ctx filter = seccomp_init(SCMP_ACT_ALLOW);
  int i = 1;
  for (; i < argc && strcmp(argv[i], "--") != 0; ++i)
    if (seccomp_rule_add(filter, SCMP_ACT_ERRNO(EOPNOTSUPP), seccomp_syscall_resolve_name(argv[i]), 0) != 0)
      return 120;
  if (i + 1 >= argc || seccomp_load(filter) != 0) return 121;
  execve(argv[i + 1], argv + i + 1, environ);
  return 122;
}
