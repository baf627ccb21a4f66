// Which level the verdicts of a report amount to.
#pragma once

#include "certification/certification.h"
#include "certification/run_case.h"

namespace garland::certification {

// What one more case makes of its check's verdict.
void add(Verdict& verdict, CaseResult const& result);
// Fills in `reached`, `in_the_way` and `certified`. Waivers are applied already.
void judge(Report& report);
// Verdicts that a waiver accepts become `waived`. What a waiver cannot accept stays, such as what
// could not be judged in any of its cases.
void applyWaivers(Report& report);

} // namespace garland::certification
