/* Removes a file. */
#include "act.h"

static int act(void) { return outcome(unlink(in_scene("precious"))); }
