/* Ends a call that does not run. */
#include "ipc.h"

static int act(void) { return forge_answer(0x7FFFFFFFFFFFULL); }
