// Of API keys and roles.
#include "host/api/schemas.h"

namespace garland::api {

namespace {

constexpr std::string_view text = R"json({
"Role": {"enum": ["operator", "vendor", "partner", "reviewer", "auditor"]},
"KeyId": {"type": "string", "pattern": "^key_[0-9A-HJKMNP-TV-Z]{26}$"},
"Key": {"type": "object",
  "required": ["id", "name", "role", "vendor_id", "state", "created", "expires", "revoked", "last_used", "replaced_by"],
  "properties": {
    "id": {"$ref": "#/components/schemas/KeyId"},
    "name": {"type": "string", "description": "whose it is, or what for"},
    "role": {"enum": ["operator", "vendor", "partner", "reviewer", "auditor", "unknown"],
      "description": "unknown: a newer version made the key; it is good for nothing here"},
    "vendor_id": {"type": ["string", "null"], "description": "of the role vendor only: whose it is"},
    "state": {"enum": ["active", "expired", "revoked"]},
    "created": {"$ref": "#/components/schemas/Time"}, "expires": {"$ref": "#/components/schemas/Time"},
    "revoked": {"anyOf": [{"$ref": "#/components/schemas/Time"}, {"type": "null"}]},
    "last_used": {"anyOf": [{"$ref": "#/components/schemas/Time"}, {"type": "null"}], "description": "at most a minute late"},
    "replaced_by": {"type": ["string", "null"], "description": "the key that it was rotated to"},
    "key": {"type": "string", "description": "its text; only in the answer that it is made by"}},
  "additionalProperties": false},
"KeyIssued": {"allOf": [{"$ref": "#/components/schemas/Key"}], "required": ["key"]},
"KeyPage": {"type": "object", "required": ["items", "next_after"],
  "properties": {"items": {"type": "array", "items": {"$ref": "#/components/schemas/Key"}},
    "next_after": {"type": ["string", "null"], "description": "ask again with this to continue; null: there is no more now"}},
  "additionalProperties": false},
"KeyInput": {"type": "object", "required": ["name", "role"],
  "properties": {
    "name": {"type": "string", "minLength": 1, "maxLength": 200},
    "role": {"$ref": "#/components/schemas/Role"},
    "vendor_id": {"$ref": "#/components/schemas/VendorId"},
    "life_seconds": {"type": "integer", "minimum": 60, "maximum": 315360000, "description": "365 days if not given"}},
  "additionalProperties": false},
"KeyRotation": {"type": "object",
  "properties": {"overlap_seconds": {"type": "integer", "minimum": 0, "maximum": 2592000,
    "description": "how long the key before goes on; a day if not given"}},
  "additionalProperties": false},
"RoleMatrix": {"type": "object", "required": ["roles", "items"],
  "properties": {"roles": {"type": "array", "items": {"$ref": "#/components/schemas/Role"}},
    "items": {"type": "array", "items": {"type": "object",
      "required": ["operation_id", "method", "path", "key", "roles"],
      "properties": {"operation_id": {"type": "string"}, "method": {"type": "string"}, "path": {"type": "string"},
        "key": {"type": "boolean", "description": "whether a key is needed"},
        "roles": {"type": "object", "description": "for each role",
          "additionalProperties": {"enum": ["all", "own", "none"]}}},
      "additionalProperties": false}}},
  "additionalProperties": false}
})json";

} // namespace

std::string_view keySchemas() { return text; }

} // namespace garland::api
