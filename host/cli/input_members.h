// What an operation takes, as rows that a person reads; made from its schema, so that nothing is told twice.
#pragma once

#include "host/base/json.h"

#include <string>

namespace garland::cli {

// {"items": [{"member", "type", "required", "about"}]}: the members of objects by their pointers, inner ones
// too ("/amount/currency"), those of lists as members of their first ("/messages/0/to"). `schema` is one of
// plugin-api/schemas, with local references.
json::value inputMembers(json::value const& schema);

} // namespace garland::cli
