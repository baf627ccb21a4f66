// A look at a mail's lines before the MIME library sees them: what would cost it memory or stack without
// bound is refused here, in one pass and without allocating.
#pragma once

#include "host/mail/mail.h"

namespace garland::mail {

Result<void> checkShape(std::string_view bytes, Limits const& limits);

} // namespace garland::mail
