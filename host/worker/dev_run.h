// The two places in which a plugin is run by hand: a garland-worker of its own, or this very process.
#pragma once

#include "host/worker/dev_options.h"
#include "host/worker/dev_session.h"

#include <string>

namespace garland::runtime::dev {

// How a run ended; `how` is empty if the worker ended in order.
struct Ran {
  Outcome outcome;
  std::string how; // "was killed by SIGSEGV (SIGSEGV)"
};

// With the sandbox, as garlandd would run it. `plugin`: the bytes of the shared object.
Result<Ran> runInWorker(Options const& options, std::string const& plugin, wire::Call call,
                        RecordedAnswers& answers, Session::Teller const& teller);

// No sandbox, no alarms, no other process; the plugin runs on the main thread, the host on a second one. If
// the plugin crashes, so does this program. [main thread]
Result<Ran> runHere(Options const& options, wire::Call call, RecordedAnswers& answers,
                    Session::Teller const& teller);

} // namespace garland::runtime::dev
