// A writer that is newer than the schema may say more than it describes. Leaves that out, so that the rest
// can be checked and kept.
#pragma once

#include "host/base/json.h"

namespace garland {

// `value` without the members of objects that `schema` neither describes nor allows ("additionalProperties":
// false). Follows properties, items, additionalProperties and local references; `value` may be of any shape.
json::value withoutUnknownMembers(json::value const& schema, json::value const& value);

} // namespace garland
