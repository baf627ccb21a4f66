// Throws out of an operation that is noexcept.
#include "act.h"

#include <stdexcept>

static int act(void) { throw std::runtime_error("thrown out of a noexcept function"); }
