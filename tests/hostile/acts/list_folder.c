/* Lists a folder. */
#include "act.h"

static int act(void) {
  char entries[2048];
  int const folder = open(scene.folder, O_RDONLY | O_DIRECTORY);
  if (folder < 0) return errno;
  long const got = syscall(SYS_getdents64, folder, entries, sizeof entries);
  if (got > 0) take(entries, (size_t)got);
  return outcome(got);
}
