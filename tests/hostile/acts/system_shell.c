/* Has a shell make a file. */
#include "act.h"

static int act(void) {
  char command[160];
  snprintf(command, sizeof command, "echo > %s", in_scene("executed"));
  errno = 0;
  int const status = system(command);
  return status == 0 ? 0 : errno != 0 ? errno : EPERM;
}
