/* Reads who has an account on this machine. */
#include "act.h"

static int act(void) { return take_file("/etc/passwd"); }
