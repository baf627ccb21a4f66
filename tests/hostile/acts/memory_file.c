/* Makes a file that is only memory, to hide a program in. */
#include "act.h"

#include <sys/mman.h>

static int act(void) { return outcome(memfd_create("hostile", 0)); }
