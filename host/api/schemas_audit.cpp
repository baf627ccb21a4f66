// Of the audit chain: its rows, its checkpoints, and how it stands.
#include "host/api/schemas.h"

namespace garland::api {

namespace {

constexpr std::string_view text = R"json({
"AuditHash": {"type": "string", "pattern": "^[0-9a-f]{64}$"},
"AuditMark": {"type": "object", "description": "a checkpoint: its number, and SHA-256 of its canonical JSON",
  "required": ["number", "hash"],
  "properties": {"number": {"type": "integer", "minimum": 1}, "hash": {"$ref": "#/components/schemas/AuditHash"}},
  "additionalProperties": false},
"Audit": {"type": "object", "required": ["key", "chain", "checkpoint"],
  "properties": {
    "key": {"type": "string", "pattern": "^ed25519:[0-9a-f]{64}$", "description": "public key that checkpoints are signed with"},
    "chain": {"type": "string", "description": "that this daemon writes since its start"},
    "checkpoint": {"anyOf": [{"$ref": "#/components/schemas/AuditMark"}, {"type": "null"}],
      "description": "the newest one that this daemon knows of; it has to be in the list"}},
  "additionalProperties": false},
"AuditRow": {"type": "object", "required": ["chain", "number", "entry", "hash"],
  "properties": {"chain": {"type": "string"}, "number": {"type": "integer", "minimum": 0},
    "entry": {"type": ["object", "string"], "description": "what happened; a text if it is not what Garland wrote"},
    "hash": {"type": "string", "description": "SHA-256, in hexadecimal digits, over the bytes of the hash before it and the entry in canonical JSON"}},
  "additionalProperties": false},
"AuditRowPage": {"type": "object", "required": ["items", "next_after"],
  "properties": {"items": {"type": "array", "items": {"$ref": "#/components/schemas/AuditRow"}},
    "next_after": {"type": ["string", "null"], "description": "ask again with this to continue; null: there is no more now"}},
  "additionalProperties": false},
"AuditCheckpoint": {"type": "object", "required": ["checkpoint", "signature"],
  "properties": {
    "checkpoint": {"type": ["object", "string"], "description": "names the hash of a row and of the checkpoint before"},
    "signature": {"type": "string", "description": "Ed25519, in hexadecimal digits, over the words garland audit checkpoint 1, a line feed and the checkpoint in canonical JSON"}},
  "additionalProperties": false},
"AuditCheckpointPage": {"type": "object", "required": ["items", "next_after"],
  "properties": {"items": {"type": "array", "items": {"$ref": "#/components/schemas/AuditCheckpoint"}},
    "next_after": {"type": ["integer", "null"], "description": "ask again with this to continue; null: there is no more now"}},
  "additionalProperties": false},
"AuditPseudonymInput": {"type": "object", "required": ["text"],
  "properties": {"text": {"type": "string", "minLength": 1, "maxLength": 2000,
    "description": "a name or an address as it was typed, or the path of a request"}},
  "additionalProperties": false},
"AuditPseudonym": {"type": "object", "required": ["pseudonym"],
  "properties": {"pseudonym": {"type": "string", "pattern": "^psn_[0-9a-f]{32}$"}},
  "additionalProperties": false}
})json";

} // namespace

std::string_view auditSchemas() { return text; }

} // namespace garland::api
