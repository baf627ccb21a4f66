// A package that is named by its version alone, as `garland pack` calls its file: ID-VERSION.gpk.
#pragma once

#include "host/base/result.h"

#include <string>
#include <utility>

namespace garland::cli {

// The path that `word` names: itself, if something is there or it is no version; else the one package of this
// version in the folder. Errors: notFound if there is none, invalidInput if there are several.
Result<std::string> packedVersion(std::string const& word, std::string const& folder = ".");
// Two of them; where both are versions, of the one connector that has packages of both in the folder.
Result<std::pair<std::string, std::string>>
packedVersions(std::string const& before, std::string const& after, std::string const& folder = ".");

} // namespace garland::cli
