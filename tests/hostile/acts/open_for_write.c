/* Writes into a file that everybody may write to. */
#include "act.h"

static int act(void) {
  int const file = open(in_scene("precious"), O_WRONLY | O_APPEND);
  if (file < 0) return errno;
  return outcome(write(file, "overwritten", 11));
}
