// Of people and vendors who are exported or erased.
#include "host/api/schemas.h"

namespace garland::api {

namespace {

constexpr std::string_view text = R"json({
"PrivacyInput": {"type": "object",
  "properties": {
    "person": {"type": "array", "minItems": 1, "maxItems": 20, "items": {"type": "string", "minLength": 4, "maxLength": 500},
      "description": "addresses, telephone numbers and whole names of one person; without it, all of the vendor is meant"},
    "vendor_id": {"$ref": "#/components/schemas/VendorId"}},
  "additionalProperties": false},
"PrivacyFile": {"type": "object", "required": ["file"],
  "properties": {"file": {"type": "string", "description": "its name in <data_dir>/exports"}},
  "additionalProperties": false},
"ErasedPlace": {"type": "object", "required": ["place", "removed", "rewritten", "kept", "busy", "why"],
  "properties": {"place": {"type": "string", "description": "a table, or a folder of files"},
    "removed": {"type": "integer"},
    "rewritten": {"type": "integer", "description": "kept with a pseudonym in the person's place"},
    "kept": {"type": "integer", "description": "names the person and stays as it is; of files, those that nobody could look into"},
    "busy": {"type": "integer", "description": "names the person and is under way: erase again when it has ended"},
    "why": {"type": "string", "description": "something was kept; empty if nothing was"}},
  "additionalProperties": false},
"ErasureReceipt": {"type": "object", "required": ["receipt", "signature"],
  "properties": {
    "receipt": {"type": "object", "required": ["receipt", "act", "at", "subject", "vendor", "places", "at_providers",
        "database", "not_reached", "key"],
      "properties": {"receipt": {"type": "string"}, "act": {"enum": ["erase_person", "erase_vendor"]},
        "at": {"$ref": "#/components/schemas/Time"},
        "subject": {"type": "string", "description": "the person's pseudonym, as in the audit chain, or the vendor's id"},
        "vendor": {"type": "string", "description": "empty: of every vendor"},
        "places": {"type": "array", "items": {"$ref": "#/components/schemas/ErasedPlace"}},
        "at_providers": {"type": "object", "additionalProperties": {"type": "integer"},
          "description": "records that the providers of these connections still have"},
        "database": {"type": "object", "required": ["driver", "scrubbed", "problem"],
          "properties": {"driver": {"type": "string"}, "problem": {"type": "string"},
            "scrubbed": {"type": "boolean", "description": "its files were written anew, so that nothing is left in free pages"}},
          "additionalProperties": false},
        "not_reached": {"type": "array", "items": {"type": "string"}},
        "key": {"type": "string", "pattern": "^ed25519:[0-9a-f]{64}$"}},
      "additionalProperties": false},
    "signature": {"type": "string", "description": "Ed25519, in hexadecimal digits, over the words garland erasure receipt 1, a line feed and the receipt in canonical JSON"}},
  "additionalProperties": false}
})json";

} // namespace

std::string_view privacySchemas() { return text; }

} // namespace garland::api
