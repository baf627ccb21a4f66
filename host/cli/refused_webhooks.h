// Webhooks that were refused, in words, with what to type: for the doctor.
#pragma once

#include "host/base/json.h"

#include <string>

namespace garland::cli {

struct RefusedWords {
  std::string message;
  std::string fix;
  // Nothing genuine has come to the connection since: it is told nothing. Else forgers, or a second sender.
  bool nothing_comes = false;
};

// `line`: an item of GET /api/integrations/webhooks/refused.
RefusedWords refusedWords(json::value const& line);

} // namespace garland::cli
