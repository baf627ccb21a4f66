// Every route of the table becomes an operation; nothing is described that is not served.
#include "host/api/openapi.h"

#include "host/api/permissions.h"
#include "host/api/problem.h"
#include "host/api/schemas.h"

#include <algorithm>

namespace garland::api {

namespace {

json::object refTo(std::string_view schema) {
  return json::object{{"$ref", "#/components/schemas/" + std::string(schema)}};
}

json::object contentOf(std::string_view type, json::object schema) {
  json::object media;
  media["schema"] = std::move(schema);
  json::object content;
  content[type] = std::move(media);
  return content;
}

json::object typeOf(QueryParameter const& parameter) {
  switch (parameter.type) {
  case ParameterType::integer:
    return json::object{{"type", "integer"}, {"minimum", parameter.minimum}, {"maximum", parameter.maximum}};
  case ParameterType::flag: return json::object{{"enum", json::array{"1", "true", "0", "false"}}};
  case ParameterType::time: return json::object{{"type", "string"}, {"format", "date-time"}};
  case ParameterType::text: break;
  }
  return json::object{{"type", "string"}, {"maxLength", 512}};
}

void addPathParameters(std::string_view pattern, json::array& out) {
  for (auto open = pattern.find('{'); open != std::string_view::npos; open = pattern.find('{', open + 1)) {
    auto const name = pattern.substr(open + 1, pattern.find('}', open) - open - 1);
    json::object schema{{"type", "string"}};
    json::object parameter{{"name", name}, {"in", "path"}, {"required", true}};
    parameter["schema"] = std::move(schema);
    out.push_back(std::move(parameter));
  }
}

json::array parametersOf(Route const& route) {
  json::array out;
  addPathParameters(route.pattern, out);
  for (QueryParameter const& query : route.query) {
    json::object parameter{{"name", query.name}, {"in", "query"}, {"required", query.required}};
    parameter["description"] = query.description;
    parameter["schema"] = typeOf(query);
    out.push_back(std::move(parameter));
  }
  if (route.if_match) {
    json::object parameter{{"name", "If-Match"}, {"in", "header"}, {"required", false}};
    parameter["description"] =
        "The version that was read, such as 3 (the record's ETag): if the record is at "
        "another by now, nothing is changed and the answer is 412.";
    parameter["schema"] = json::object{{"type", "string"}};
    out.push_back(std::move(parameter));
  }
  return out;
}

json::object failureOf(std::string_view description) {
  json::object response{{"description", description}};
  response["content"] = contentOf("application/problem+json", refTo("Problem"));
  return response;
}

json::object successOf(Route const& route) {
  json::object response{{"description", route.summary}};
  if (!route.answer.empty())
    response["content"] = contentOf(route.answer_type, refTo(route.answer));
  else if (route.answer_type != "application/json")
    response["content"] = contentOf(route.answer_type, json::object{{"type", "string"}});
  return response;
}

json::object operationOf(Route const& route) {
  json::object responses;
  responses[std::to_string(route.success)] = successOf(route);
  if (route.other_success != 0) responses[std::to_string(route.other_success)] = successOf(route);
  if (route.if_match) responses["412"] = failureOf("The record is not at the version that If-Match names.");
  responses["default"] = failureOf("Any failure, as a problem document.");
  if (route.answer_type == "text/html") {
    responses["default"] = successOf(route);
    responses["default"].as_object()["description"] = "Any failure, as a page.";
  }

  json::object operation{{"operationId", route.operation_id}, {"summary", route.summary}};
  operation["parameters"] = parametersOf(route);
  if (!route.body.empty()) {
    json::object body{{"required", true}};
    body["content"] = contentOf("application/json", refTo(route.body));
    operation["requestBody"] = std::move(body);
  }
  if (!route.raw_body.empty()) {
    json::object body{{"required", true}};
    body["content"] = contentOf(route.raw_body, json::object{{"type", "string"}, {"format", "binary"}});
    operation["requestBody"] = std::move(body);
  }
  operation["responses"] = std::move(responses);
  if (route.open) operation["security"] = json::array();
  if (auto const* permission = permissionOf(route.operation_id); permission != nullptr)
    operation["x-garland-roles"] = rolesOf(*permission);
  return operation;
}

std::string lower(std::string_view text) {
  std::string out(text);
  std::transform(out.begin(), out.end(), out.begin(),
                 [](char c) { return static_cast<char>(c - 'A' + 'a'); });
  return out;
}

// A schema that becomes part of the document: its own "#/..." references now start further down.
void rebase(json::value& value, std::string const& place) {
  if (value.is_array())
    for (auto& element : value.as_array()) rebase(element, place);
  if (!value.is_object()) return;
  for (auto& member : value.as_object()) {
    bool const reference = member.key() == "$ref" && member.value().is_string();
    if (reference && member.value().as_string().starts_with("#")) {
      std::string moved = "#" + place;
      moved += std::string_view(member.value().as_string().subview(1));
      member.value() = moved;
    } else {
      rebase(member.value(), place);
    }
  }
}

void addRecordSchemas(json::object& schemas, std::vector<std::pair<std::string, json::value>> const& kinds) {
  json::array any_of;
  // Of several kinds the engine takes the one that the record is of, and tells the member that is wrong;
  // "none of them" would tell nothing.
  json::object written;
  for (auto const& [kind, schema] : kinds) {
    json::value copy = schema;
    rebase(copy, "/components/schemas/" + kind);
    if (auto* object = copy.if_object()) {
      object->erase("$id");
      object->erase("$schema");
    }
    schemas[kind] = std::move(copy);
    any_of.push_back(refTo(kind));
  }
  if (kinds.size() == 1) written = refTo(kinds.front().first);
  if (kinds.size() != 1) {
    written["type"] = "object";
    written["description"] = "as the schema named like the record's kind says";
  }
  any_of.push_back(json::object{{"type", "null"}});
  json::object data{
      {"description", "as the record's kind says; null once nothing is left of a deleted record"}};
  if (kinds.empty())
    data["type"] = json::array{"object", "null"};
  else
    data["anyOf"] = std::move(any_of);
  schemas["RecordData"] = std::move(data);
  schemas["RecordDataInput"] = std::move(written);
}

json::object securitySchemes() {
  json::object bearer{{"type", "http"},
                      {"scheme", "bearer"},
                      {"description",
                       "The key in <data_dir>/api.key, which may do everything, or one "
                       "made by addKey; x-garland-roles says what a role may: all, own (what belongs to the "
                       "key's vendor) or none."}};
  json::object header{{"type", "apiKey"}, {"in", "header"}, {"name", "X-Api-Key"}};
  json::object schemes;
  schemes["bearer"] = std::move(bearer);
  schemes["header"] = std::move(header);
  schemes["session"] = json::object{
      {"type", "apiKey"},
      {"in", "cookie"},
      {"name", "__Host-garland"},
      {"description",
       "Of somebody who signed in at /sign-in. What changes something needs the header X-Garland: 1 "
       "as well."}};
  return schemes;
}

} // namespace

Result<json::value> openApiDocument(std::vector<Route> const& routes, std::string_view version,
                                    std::vector<std::pair<std::string, json::value>> const& record_schemas) {
  TRY(schemas, componentSchemas());
  addRecordSchemas(schemas.as_object(), record_schemas);

  json::object paths;
  for (Route const& route : routes) {
    json::value& path = paths[route.pattern];
    if (!path.is_object()) path = json::object();
    path.as_object()[lower(route.method)] = operationOf(route);
  }
  json::object info{{"title", "Garland"}, {"version", version}};
  info["description"] = "Connect a vendor's accounts, sync them, read and edit what came in.";
  json::object components;
  components["schemas"] = std::move(schemas);
  components["securitySchemes"] = securitySchemes();
  json::array security;
  security.push_back(json::object{{"bearer", json::array()}});
  security.push_back(json::object{{"header", json::array()}});
  security.push_back(json::object{{"session", json::array()}});

  json::object document{{"openapi", "3.1.0"}};
  document["info"] = std::move(info);
  document["security"] = std::move(security);
  document["paths"] = std::move(paths);
  document["components"] = std::move(components);
  return json::value(std::move(document));
}

} // namespace garland::api
