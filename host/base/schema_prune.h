// A writer that is newer than the schema may say more than it describes. Leaves that out, so that the rest
// can be checked and kept.
#pragma once

#include "host/base/json.h"

namespace garland {

// `value` without the members of objects that `schema` neither describes nor allows ("additionalProperties":
// false). Follows properties, items, additionalProperties and local references; `value` may be of any shape.
json::value withoutUnknownMembers(json::value const& schema, json::value const& value);

// The schema of an object that has no `member`: what somebody else puts in is neither told nor taken.
json::value withoutMember(json::value schema, std::string_view member);
// What the caller of an action does not give in its input, since it stands beside it.
inline constexpr std::string_view kKeyMember = "idempotency_key";

} // namespace garland
