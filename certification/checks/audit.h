// One operation in a worker that tells of every system call that its sandbox refuses.
#pragma once

#include "certification/check.h"

#include <string>
#include <vector>

namespace garland::certification {

struct Refusal {
  std::string call;  // "socket(AF_INET, SOCK_STREAM, 0)"
  std::string place; // file:line or function, as far as it is known
};

// Runs it once more with the provider's answers of `clean`. Errors: the audit itself could not be made.
Result<std::vector<Refusal>> auditOperation(Trial& trial, Ask const& ask, Journal const& clean);

} // namespace garland::certification
