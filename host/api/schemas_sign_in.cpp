// Of people who sign in.
#include "host/api/schemas.h"

namespace garland::api {

namespace {

constexpr std::string_view text = R"json({
"Session": {"type": "object",
  "required": ["id", "name", "role", "vendor_id", "created", "expires", "last_used"],
  "properties": {
    "id": {"type": "string", "pattern": "^ses_[0-9A-HJKMNP-TV-Z]{26}$"},
    "name": {"type": "string", "description": "who it is, in the provider's words: an e-mail address if it gives one"},
    "role": {"$ref": "#/components/schemas/Role"},
    "vendor_id": {"type": ["string", "null"], "description": "of the role vendor only: whose it is"},
    "created": {"$ref": "#/components/schemas/Time"},
    "expires": {"$ref": "#/components/schemas/Time"},
    "last_used": {"$ref": "#/components/schemas/Time"}},
  "additionalProperties": false},
"SessionPage": {"type": "object", "required": ["items", "next_after"],
  "properties": {"items": {"type": "array", "items": {"$ref": "#/components/schemas/Session"}},
    "next_after": {"type": ["string", "null"], "description": "ask again with this to continue; null: there is no more now"}},
  "additionalProperties": false}
})json";

} // namespace

std::string_view signInSchemas() { return text; }

} // namespace garland::api
