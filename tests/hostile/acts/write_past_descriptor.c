/* Writes past the end of the structure that the host gave it to fill. */
#include <garland/plugin.h>
#include <string.h>

#define ACT_AT_ENTRY(plugin) memset((char*)(plugin) + (plugin)->size, 0x41, 4096)
#include "act.h"

static int act(void) { return 0; }
