/* Reads another process's memory through /proc. */
#include "act.h"

static int act(void) {
  char path[64];
  char bytes[64];
  snprintf(path, sizeof path, "/proc/%ld/mem", scene.victim);
  int const memory = open(path, O_RDONLY);
  if (memory < 0) return errno;
  ssize_t const got = pread(memory, bytes, sizeof bytes, (off_t)scene.victim_secret);
  if (got > 0) take(bytes, (size_t)got);
  return outcome(got);
}
