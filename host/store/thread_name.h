// Threads by names, so that ps, top, perf and the benchmarks tell where the processor's time goes.
#pragma once

#include <pthread.h>

namespace garland::store {

// Of the thread that calls it; at most 15 bytes, or it keeps the one that it has.
inline void nameThread(char const* name) { (void)::pthread_setname_np(::pthread_self(), name); }

} // namespace garland::store
