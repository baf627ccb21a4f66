#include "host/cli/input_members.h"

#include <gtest/gtest.h>

namespace garland::cli {
namespace {

TEST(InputMembers, AreThoseOfTheSchemaInnerOnesToo) {
  auto const rows = inputMembers(*parseJson(R"({"type": "object", "required": ["amount", "lines"],
    "properties": {
      "amount": {"description": "What is held.", "$ref": "#/definitions/money"},
      "fee": {"$ref": "#/definitions/money"},
      "why": {"description": "Why.", "enum": ["duplicate", "requested"]},
      "lines": {"type": "array", "items": {"type": "object", "required": ["to"], "properties": {
        "to": {"type": "array", "items": {"$ref": "#/definitions/address"}}}}},
      "submit": {"type": "boolean"}},
    "definitions": {
      "address": {"type": "string"},
      "money": {"description": "Money.", "type": "object", "required": ["amount"], "properties": {
        "amount": {"type": "integer", "description": "In minor units."}}}}})"));
  EXPECT_EQ(canonicalJson(rows), canonicalJson(*parseJson(R"({"items": [
    {"member": "/amount", "type": "object", "required": "yes", "about": "What is held."},
    {"member": "/amount/amount", "type": "whole number", "required": "yes", "about": "In minor units."},
    {"member": "/fee", "type": "object", "required": "", "about": "Money."},
    {"member": "/fee/amount", "type": "whole number", "required": "with /fee", "about": "In minor units."},
    {"member": "/why", "type": "duplicate, requested", "required": "", "about": "Why."},
    {"member": "/lines", "type": "list of: object", "required": "yes", "about": ""},
    {"member": "/lines/0/to", "type": "list of: text", "required": "yes", "about": ""},
    {"member": "/submit", "type": "true or false", "required": "", "about": ""}]})")));
}

TEST(InputMembers, ASchemaWithoutMembersHasNone) {
  EXPECT_EQ(canonicalJson(inputMembers(json::object{{"type", "object"}})), R"({"items":[]})");
}

} // namespace
} // namespace garland::cli
