// What an operation of a rehearsal did, as lines for a person and as JSON for a program.
#pragma once

#include "certification/certification.h"
#include "host/cli/output.h"

namespace garland::cli {

// "crm.pull/1 crm.client  ok, 5 records, 1 checkpoint, 2 requests", and a line for each request below it.
// `records`: each of them on a line too.
void tellRehearsed(Output& output, certification::Rehearsed const& done, json::value const& input,
                   bool records);
json::value rehearsedJson(certification::Rehearsed const& done, json::value const& input);

} // namespace garland::cli
