// Words that those who read a package and those who make one share.
#pragma once

#include "host/base/json.h"
#include "host/marketplace/marketplace.h"

namespace garland::marketplace {

std::string listLine(PackedFile const& file); // of SHA256SUMS
std::string signaturePath(Role role);
json::value signatureStatement(Role role, std::string_view digest);

} // namespace garland::marketplace
