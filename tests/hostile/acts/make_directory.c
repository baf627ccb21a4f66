/* Makes a directory. */
#include "act.h"

#include <sys/stat.h>

static int act(void) { return outcome(mkdir(in_scene("folder"), 0700)); }
