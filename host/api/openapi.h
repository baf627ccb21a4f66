// The OpenAPI 3.1 document, built from the route table that serves.
#pragma once

#include "host/api/router.h"

#include <string>
#include <utility>
#include <vector>

namespace garland::api {

// `record_schemas`: kind and draft-7 schema of its data. pluginBug-like mistakes in our own texts come
// back as invalidInput.
Result<json::value> openApiDocument(std::vector<Route> const& routes, std::string_view version,
                                    std::vector<std::pair<std::string, json::value>> const& record_schemas);

} // namespace garland::api
