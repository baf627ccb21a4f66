/* Makes a file. */
#include "act.h"

static int act(void) { return outcome(open(in_scene("made"), O_CREAT | O_WRONLY, 0600)); }
