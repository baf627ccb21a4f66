// Of what is sealed.
#include "host/api/schemas.h"

namespace garland::api {

namespace {

constexpr std::string_view text = R"json({
"MasterKeyId": {"type": "string", "pattern": "^[0-9a-f]{16}$", "description": "begin of the key's SHA-256: names it without telling it"},
"Vault": {"type": "object", "required": ["keys", "move"],
  "properties": {
    "keys": {"type": "array", "items": {"type": "object", "required": ["id", "held", "seals", "secrets"],
      "properties": {"id": {"type": "string", "pattern": "^([0-9a-f]{16})?$", "description": "of a master key; empty: the secrets are damaged and name none"},
        "held": {"type": "boolean", "description": "by this daemon; without it these secrets cannot be opened"},
        "seals": {"type": "boolean", "description": "what is sealed now"},
        "secrets": {"type": "integer", "description": "that are sealed under it"}},
      "additionalProperties": false}},
    "move": {"anyOf": [{"type": "null"}, {"type": "object", "required": ["key", "state", "problem", "started", "updated", "finished"],
      "properties": {"key": {"$ref": "#/components/schemas/MasterKeyId"},
        "state": {"enum": ["running", "done", "stuck", "left"], "description": "stuck: some secrets cannot be moved; left: a move to another key began"},
        "problem": {"type": "string", "description": "which secrets cannot be moved; empty if all can"},
        "started": {"$ref": "#/components/schemas/Time"}, "updated": {"$ref": "#/components/schemas/Time"},
        "finished": {"anyOf": [{"$ref": "#/components/schemas/Time"}, {"type": "null"}]}},
      "additionalProperties": false}], "description": "the last one of all secrets to a master key"}},
  "additionalProperties": false},
"Passphrase": {"type": "string", "minLength": 1, "maxLength": 1024},
"VaultExport": {"type": "object", "required": ["passphrase"],
  "properties": {"passphrase": {"$ref": "#/components/schemas/Passphrase"}},
  "additionalProperties": false},
"VaultFile": {"type": "object", "required": ["file"],
  "properties": {"file": {"type": "string", "description": "its name in <data_dir>/exports"}},
  "additionalProperties": false},
"BackupFile": {"type": "object", "required": ["file"],
  "properties": {"file": {"type": "string", "description": "the backup's id, and its name in <data_dir>/exports"}},
  "additionalProperties": false},
"VaultImport": {"type": "object", "required": ["file", "passphrase"],
  "properties": {"file": {"type": "string", "pattern": "^(incoming|export)-[0-9a-f-]{1,60}$",
      "description": "name of an export in <data_dir>/exports, which garland vault import has put there; it is taken away"},
    "passphrase": {"$ref": "#/components/schemas/Passphrase"}},
  "additionalProperties": false},
"VaultImported": {"type": "object", "required": ["items"],
  "properties": {"items": {"type": "array", "items": {"type": "object", "required": ["table", "added", "kept", "replaced"],
    "properties": {"table": {"type": "string"}, "added": {"type": "integer"},
      "kept": {"type": "integer", "description": "rows that were here, and stay as they are"},
      "replaced": {"type": "array", "items": {"type": "string"}, "description": "keys of rows that were here and are another now"}},
    "additionalProperties": false}}},
  "additionalProperties": false}
})json";

} // namespace

std::string_view vaultSchemas() { return text; }

} // namespace garland::api
