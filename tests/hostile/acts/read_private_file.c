/* Reads a file that every user of the machine may read. */
#include "act.h"

static int act(void) { return take_file(in_scene("private")); }
