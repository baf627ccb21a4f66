// Answers that end at a border of their lines or records. Half a body breaks inside of one and is noticed by
// whoever reads it; what is left here reads well, and lacks its end.
#pragma once

#include "certification/check.h"

namespace garland::certification {

// Cases of FLT-10, "cut/crm.project".
std::vector<std::string> cutCases(Subject const& subject);
bool isCut(std::string const& case_name);
void noticesCuts(Trial& trial);

} // namespace garland::certification
