// A package that is named by its version alone, as `garland pack` calls its file: ID-VERSION.gpk.
#pragma once

#include "host/base/result.h"

#include <string>

namespace garland::cli {

// The path that `word` names: itself, if something is there or it is no version; else the one package of this
// version in the folder. Errors: notFound if there is none, invalidInput if there are several.
Result<std::string> packedVersion(std::string const& word, std::string const& folder = ".");

} // namespace garland::cli
