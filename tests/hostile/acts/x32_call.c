/* Opens a file by the x32 calling convention, whose numbers are others. */
#include "act.h"

static int act(void) {
  enum { kX32 = 0x40000000 };
  return take_from((int)syscall(kX32 | SYS_open, in_scene("private"), O_RDONLY));
}
