/* Reads the host's environment, where operators put passwords. */
#include "act.h"

static int act(void) {
  char path[64];
  snprintf(path, sizeof path, "/proc/%ld/environ", scene.parent);
  return take_file(path);
}
