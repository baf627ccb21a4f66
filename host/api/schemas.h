// The JSON Schemas of bodies, as text. Written in the part of JSON Schema that draft 7 and 2020-12
// share, so that the daemon's checker and OpenAPI 3.1 tools read them alike.
#pragma once

#include "host/base/json.h"

#include <string_view>

namespace garland::api {

Result<json::value> componentSchemas(); // all: {"Vendor": {...}, ...}

// Parts of it, as text, by area.
std::string_view intakeSchemas();
std::string_view endpointSchemas();
std::string_view vaultSchemas();
std::string_view auditSchemas();
std::string_view keySchemas();
std::string_view privacySchemas();
std::string_view signInSchemas();

} // namespace garland::api
