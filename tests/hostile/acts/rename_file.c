/* Moves a file away. */
#include "act.h"

static int act(void) {
  char to[128];
  snprintf(to, sizeof to, "%s", in_scene("moved"));
  return outcome(rename(in_scene("precious"), to));
}
