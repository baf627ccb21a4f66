// Lets an exception fly into the host's frames, by an operation whose type says that it does not.
#include <garland/plugin.h>

static garland_status throwing(garland_instance* self, garland_call* call, garland_json input);
#define ACT_OPERATION reinterpret_cast<garland_op>(throwing)
#include "act.h"

#include <stdexcept>

static garland_status throwing(garland_instance*, garland_call*, garland_json) {
  if (act() == 0) throw std::runtime_error("thrown across the boundary");
  return GARLAND_OK;
}

static int act(void) { return 0; }
