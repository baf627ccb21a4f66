// Files that are handed in: CSV exports of a provider, for a connection.
#include "host/api/import_csv.h"
#include "host/api/routes.h"
#include "host/api/shapes.h"

namespace garland::api {

void Routes::addImportRoutes(std::vector<Route>& table) {
  Route import{
      "POST",
      "/api/integrations/connections/{connection}/import",
      "importCsv",
      "Hands in a CSV file. 202: its rows are durable and will be read by the connector; each item tells of "
      "some of them. The same rows again are the same items. A file that is larger than a request may be is "
      "sent in parts, each with the header.",
      202,
      "Import",
      {}};
  import.raw_body = "text/csv";
  import.query = {
      {"file", ParameterType::text, true, "Name of the file, for people."},
      {"first_row", ParameterType::integer, false,
       "Of a part: the number that its first row after the header has in the whole file.", 1, 1'000'000'000},
      {"kind", ParameterType::text, false, "Refused unless the connector brings records of this kind."},
      {"skip_uneven", ParameterType::flag, false, "Leave out rows that do not fit the header."},
      {"dry_run", ParameterType::flag, false,
       "200: only tell how the file reads, and what its connector would make of the rows that fit the "
       "header."}};
  import.other_success = 200;
  adder(table)(import, &Routes::importCsv);
}

Result<void> Routes::requireKind(std::string const& plugin, std::string const& kind) const {
  TRY(found, this->plugin(plugin));
  auto const* entities = find(found->manifest.document, "/entities");
  auto const* entity = entities == nullptr ? nullptr : entities->as_object().if_contains(kind);
  if (entity != nullptr && boolOr(*entity, "/read", false)) return {};
  return Error(ErrorKind::invalidInput, found->manifest.name + " brings no records of kind \"" + kind + "\"",
               "?kind");
}

Task<json::array> Routes::rehearsed(std::vector<sync::Delivery> deliveries) {
  json::array readings;
  for (auto& delivery : deliveries) {
    auto const summary = delivery.summary;
    CO_TRY(rehearsal, co_await with_.engine.intake().rehearse(std::move(delivery)));
    auto reading = shape(rehearsal);
    reading["summary"] = summary;
    readings.push_back(std::move(reading));
  }
  co_return readings;
}

Task<Response> Routes::importCsv(Request request) {
  CO_TRY_VOID(requireId("con", request.text("connection"), "connection"));
  ImportWish wish;
  wish.connection_id = request.text("connection");
  wish.file = request.text("file");
  wish.skip_uneven = request.flag("skip_uneven");
  if (auto const first = request.integer("first_row", 0); first > 0) wish.first_row = first;
  CO_TRY(connection, co_await with_.engine.connection(wish.connection_id));
  if (auto const kind = request.text("kind"); !kind.empty()) {
    CO_TRY_VOID(requireKind(connection.plugin_id, kind));
  }
  CO_TRY(table, csv::read(request.body));
  json::object answer = csv::toJson(table);
  answer["items"] = json::array();
  if (request.flag("dry_run")) {
    wish.skip_uneven = true; // they are told already
    CO_TRY(deliveries, deliveriesOf(std::move(table), wish));
    CO_TRY(readings, co_await rehearsed(std::move(deliveries)));
    answer["readings"] = std::move(readings);
    co_return Response(200, std::move(answer));
  }
  CO_TRY(deliveries, deliveriesOf(std::move(table), wish));
  for (auto& delivery : deliveries) {
    auto const summary = delivery.summary;
    CO_TRY(accepted, co_await with_.engine.intake().accept(std::move(delivery)));
    json::object item;
    item["id"] = accepted.id;
    item["known"] = accepted.known;
    item["summary"] = summary;
    answer["items"].as_array().push_back(std::move(item));
  }
  co_return Response(202, std::move(answer));
}

} // namespace garland::api
