/* Aborts. */
#include "act.h"

static int act(void) { abort(); }
