// The fault sweep over what is neither a pull nor a creation: actions, changes, deletions, reading by ids.
// The brief's "ledger" word says whether an action took place at the provider, its "truth" whether a deletion
// did.
#pragma once

#include "certification/checks/exercise.h"

namespace garland::certification {

// Cases, "payments.capture/act/status_500", "crm.client/delete/…", "crm.client/delete_if/…" (by a version)
// and, with `reads`, "crm.client/get/…", without them "crm.client/change/…", of those faults.
std::vector<std::string> actSweep(Subject const& subject, bool (*wanted)(Fault const&), bool reads);
// Whether a case is one of them.
bool isActSweep(std::string const& case_name);

void actSaysWhatHappened(Trial& trial); // FLT-01
void actConverges(Trial& trial);        // FLT-02
void actIsHonest(Trial& trial);         // FLT-05

} // namespace garland::certification
