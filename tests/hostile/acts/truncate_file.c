/* Empties a file that everybody may write to. */
#include "act.h"

static int act(void) { return outcome(truncate(in_scene("precious"), 0)); }
