// Lets an exception fly into the host's frames, by an operation whose type says that it does not; at the
// start into those of the dynamic loader.
#include <garland/plugin.h>

static garland_status throwing(garland_instance* self, garland_call* call, garland_json input);
#define ACT_OPERATION reinterpret_cast<garland_op>(throwing)
#include "act.h"

#include <stdexcept>

static garland_status throwing(garland_instance*, garland_call*, garland_json) {
  if (act() == 0) throw std::runtime_error("thrown across the boundary");
  return GARLAND_OK;
}

static int act(void) {
#ifdef ACT_AT_START
  throw std::runtime_error("thrown across the boundary");
#endif
  return 0;
}
