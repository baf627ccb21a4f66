// System calls of plugin code, seen by the kernel's own filter and not by names that a plugin may go around:
// every call that does not come from the loader, and is not about memory, traps; the handler notes it and
// then makes it, in a function whose addresses the filter lets pass.
#pragma once

namespace garland::probe {

// Before the sandbox closes, since nothing can be added to it later; after the worker's own handlers. False
// if the kernel refuses.
bool watchSystemCalls();

} // namespace garland::probe
