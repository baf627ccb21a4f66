// Tokens that name one case of one run, so that it can be run again: text that a shell takes as it is.
#pragma once

#include "certification/certification.h"

namespace garland::certification {

// "g2:CRM-01:crm.client/create:7:quick:0123456789abcdef:0123456789abcdef"
std::string tokenFor(Replay const& replay);

} // namespace garland::certification
