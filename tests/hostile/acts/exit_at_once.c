/* Ends the process without a word. */
#include "act.h"

static int act(void) { _exit(0); }
