// What a person typed, where the API names a member of its own documents: "/settings/url" is --set url.
#pragma once

#include "host/base/result.h"

#include <string>
#include <string_view>

namespace garland::cli {

// `field`: a JSON Pointer into a request's body, or "?state". "" if nothing was typed for it, or the sentence
// about it says by itself what is meant.
std::string typedPlace(std::string_view field);
// The sentence of an error that the daemon answered, with the place in typed words: "--key: must not be
// empty".
std::string inTypedWords(Error const& error);

} // namespace garland::cli
