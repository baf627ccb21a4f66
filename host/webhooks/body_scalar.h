// One value of a JSON body, without a document being made of the body: for what has to be known of each
// delivery before it is durable.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace garland::webhooks {

// The text or whole number at a JSON Pointer. Nothing if it is not there, is there twice or is something
// else, or if the text is not JSON.
std::optional<std::string> bodyScalar(std::string_view text, std::string_view pointer);

} // namespace garland::webhooks
