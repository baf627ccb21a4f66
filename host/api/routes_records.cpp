// A vendor's records, their occurrences in time, and the feed of what changed.
#include "host/api/problem.h"
#include "host/api/routes.h"
#include "host/api/selection.h"
#include "host/api/shapes.h"

#include "host/calendar/calendar.h"

#include <charconv>

namespace garland::api {

namespace {

QueryParameter const vendor_parameter{"vendor_id", ParameterType::text, true,
                                      "The vendor that owns the records."};

// "If-Match: 3" or "If-Match: \"3\"" (our ETags); 0 for none or "*".
Result<std::int64_t> versionAsked(Request const& request) {
  auto const* header = request.header("if-match");
  if (header == nullptr || *header == "*") return std::int64_t{0};
  std::string_view text = *header;
  if (text.size() >= 2 && text.front() == '"' && text.back() == '"') text = text.substr(1, text.size() - 2);
  std::int64_t version = 0;
  auto const [end, code] = std::from_chars(text.data(), text.data() + text.size(), version);
  if (code == std::errc() && end == text.data() + text.size() && version > 0) return version;
  return Error(ErrorKind::invalidInput, "If-Match must be a record's version, such as 3");
}

Response tagged(int status, sync::Record const& record) {
  Response response(status, shape(record));
  response.headers.push_back(Header{"etag", "\"" + std::to_string(record.version) + "\""});
  return response;
}

// RFC 9110: a failed If-Match is 412, not 409.
Response lostRace(Error error, Request const& request) {
  error.message += " (it is not at the version named by If-Match: read it again)";
  return problem(error, request.id, 412);
}

Result<TimePoint> timeParameter(Request const& request, std::string_view name) {
  return parseRfc3339(request.text(name));
}

} // namespace

void Routes::addRecordRoutes(std::vector<Route>& table) {
  Route list{"GET",
             "/api/integrations/records",
             "listRecords",
             "Records of a vendor, by id, page by page.",
             200,
             "RecordPage",
             bind(&Routes::listRecords)};
  list.query = {
      vendor_parameter,
      {"kind", ParameterType::text, false, "Only this kind, such as calendar.event."},
      {"after", ParameterType::text, false, "Continue after this record id (next_after of the page before)."},
      {"limit", ParameterType::integer, false, "Most records on the page; 100 if not given.", 1, 1000},
      {"include_deleted", ParameterType::flag, false, "Deleted records too."}};
  table.push_back(list);

  table.push_back(Route{"POST", "/api/integrations/records", "addRecord",
                        "Adds a record that the connection's next sync creates at the provider.", 201,
                        "Record", bind(&Routes::addRecord), "RecordInput"});

  Route show{"GET",
             "/api/integrations/records/{record}",
             "getRecord",
             "One record; its ETag is its version.",
             200,
             "Record",
             bind(&Routes::showRecord)};
  show.query = {vendor_parameter};
  table.push_back(show);

  Route put{"PUT",
            "/api/integrations/records/{record}",
            "putRecord",
            "Replaces a record's data; with If-Match only if it is still at that version.",
            200,
            "Record",
            bind(&Routes::putRecord),
            "RecordEdit"};
  put.if_match = true;
  table.push_back(put);

  table.push_back(Route{"POST", "/api/integrations/records/{record}/retry", "retryRecord",
                        "Lets the next sync try again what of a record's writes was set aside.", 200,
                        "Record", bind(&Routes::retryRecord), "RecordRetry"});

  Route remove{"DELETE",
               "/api/integrations/records/{record}",
               "deleteRecord",
               "Deletes a record here, and at the provider with the next sync.",
               204,
               "",
               bind(&Routes::deleteRecord)};
  remove.query = {vendor_parameter};
  remove.if_match = true;
  table.push_back(remove);

  Route dates{"GET",
              "/api/integrations/records/{record}/occurrences",
              "listOccurrences",
              "When a calendar event takes place, recurrence and exceptions applied.",
              200,
              "OccurrenceList",
              bind(&Routes::occurrences)};
  dates.query = {
      vendor_parameter,
      {"from", ParameterType::time, true, "Start of the window."},
      {"until", ParameterType::time, true, "End of the window, exclusive."},
      {"zone", ParameterType::text, false, "IANA zone of all-day and floating events; UTC if not given."},
      {"limit", ParameterType::integer, false, "Most occurrences; 500 if not given.", 1, 5000}};
  table.push_back(dates);

  Route changes{"GET",
                "/api/integrations/changes",
                "listChanges",
                "What changed, in order, for one vendor.",
                200,
                "ChangePage",
                bind(&Routes::listChanges)};
  changes.query = {vendor_parameter,
                   {"after", ParameterType::integer, false,
                    "Continue after this sequence number; 0: from the first that is kept. 410: what comes "
                    "after it is not kept any more.",
                    0, INT64_MAX},
                   {"limit", ParameterType::integer, false, "Most changes; 100 if not given.", 1, 1000}};
  table.push_back(changes);

  Route conflicts{"GET",
                  "/api/integrations/conflicts",
                  "listConflicts",
                  "Edits that met an edit at the provider and what became of them, newest first.",
                  200,
                  "ConflictList",
                  bind(&Routes::listConflicts)};
  conflicts.query = {vendor_parameter,
                     {"limit", ParameterType::integer, false, "Most conflicts; 100 if not given.", 1, 1000}};
  table.push_back(conflicts);
}

Task<Response> Routes::listRecords(Request request) {
  sync::RecordQuery query;
  query.vendor_id = request.text("vendor_id");
  CO_TRY_VOID(requireId("ven", query.vendor_id, "vendor"));
  query.kind = request.text("kind");
  query.after_id = request.text("after");
  query.include_deleted = request.flag("include_deleted");
  query.limit = static_cast<int>(request.integer("limit", kPage));
  auto const limit = askForOneMore(query);
  CO_TRY(records, co_await with_.engine.records(query));
  co_return Response(200, pageOf(std::move(records), limit, &sync::Record::id));
}

Task<Response> Routes::showRecord(Request request) {
  CO_TRY_VOID(requireId("rec", request.text("record"), "record"));
  CO_TRY(record, co_await with_.engine.record(request.text("vendor_id"), request.text("record")));
  co_return tagged(200, record);
}

Task<Response> Routes::addRecord(Request request) {
  std::string const vendor = textOr(request.json, "/vendor_id", "");
  std::string const kind = textOr(request.json, "/kind", "");
  std::string const connection = textOr(request.json, "/connection_id", "");
  CO_TRY_VOID(requireId("ven", vendor, "vendor"));
  CO_TRY_VOID(requireId("con", connection, "connection"));
  json::value data = request.json.at("data");
  CO_TRY(record, co_await with_.engine.addRecord(vendor, kind, std::move(data), connection));
  Response response = tagged(201, record);
  response.headers.push_back(
      Header{"location", "/api/integrations/records/" + record.id + "?vendor_id=" + vendor});
  co_return response;
}

Task<Response> Routes::putRecord(Request request) {
  CO_TRY_VOID(requireId("rec", request.text("record"), "record"));
  CO_TRY(version, versionAsked(request));
  std::string const vendor = textOr(request.json, "/vendor_id", "");
  CO_TRY_VOID(requireId("ven", vendor, "vendor"));
  json::value data = request.json.at("data");
  auto put = co_await with_.engine.putRecord(vendor, request.text("record"), std::move(data), version);
  if (put) co_return tagged(200, *put);
  if (version != 0 && put.error().kind == ErrorKind::conflict) co_return lostRace(put.error(), request);
  co_return put.error();
}

Task<Response> Routes::deleteRecord(Request request) {
  CO_TRY_VOID(requireId("rec", request.text("record"), "record"));
  CO_TRY_VOID(requireId("ven", request.text("vendor_id"), "vendor"));
  CO_TRY(version, versionAsked(request));
  auto gone = co_await with_.engine.deleteRecord(request.text("vendor_id"), request.text("record"), version);
  if (gone) co_return Response(204);
  if (version != 0 && gone.error().kind == ErrorKind::conflict) co_return lostRace(gone.error(), request);
  co_return gone.error();
}

Task<Response> Routes::retryRecord(Request request) {
  CO_TRY_VOID(requireId("rec", request.text("record"), "record"));
  std::string const vendor = textOr(request.json, "/vendor_id", "");
  CO_TRY_VOID(requireId("ven", vendor, "vendor"));
  CO_TRY(record, co_await with_.engine.retryRecord(vendor, request.text("record")));
  co_return tagged(200, record);
}

Task<Response> Routes::occurrences(Request request) {
  CO_TRY_VOID(requireId("rec", request.text("record"), "record"));
  CO_TRY(from, timeParameter(request, "from"));
  CO_TRY(until, timeParameter(request, "until"));
  if (until <= from)
    co_return Error(ErrorKind::invalidInput, "\"until\" must be later than \"from\"", "?until");
  CO_TRY(record, co_await with_.engine.record(request.text("vendor_id"), request.text("record")));
  if (record.kind != "calendar.event")
    co_return Error(ErrorKind::unsupported,
                    "only calendar events take place in time; this is a " + record.kind);
  auto const limit = static_cast<std::size_t>(request.integer("limit", 500));
  CO_TRY(found, calendar::occurrences(record.data, from, until, request.text("zone", "UTC"), limit));
  json::array items;
  for (auto const& one : found)
    items.push_back(json::object{{"start", rfc3339(one.start)},
                                 {"end", rfc3339(one.end)},
                                 {"all_day", one.all_day},
                                 {"title", one.title}});
  json::object body;
  body["items"] = std::move(items);
  co_return Response(200, body);
}

Task<Response> Routes::listChanges(Request request) {
  CO_TRY_VOID(requireId("ven", request.text("vendor_id"), "vendor"));
  auto const after = request.integer("after", 0);
  auto const limit = static_cast<int>(request.integer("limit", kPage));
  CO_TRY(changes, co_await with_.engine.changes(request.text("vendor_id"), after, limit));
  // From 0 on is from the first that is kept.
  if (after > 0 && !changes.empty() && changes.front().sequence > after + 1) {
    std::vector<std::string> const vendor(1, request.text("vendor_id"));
    CO_TRY(spans, co_await with_.engine.feedSpans(vendor));
    auto const last = spans.empty() ? changes.back().sequence : spans[0].last;
    co_return gone(request.id, changes.front().sequence, last);
  }
  json::object body = listOf(changes);
  body["next_after"] = after;
  if (!changes.empty()) body["next_after"] = changes.back().sequence;
  co_return Response(200, body);
}

Task<Response> Routes::listConflicts(Request request) {
  CO_TRY_VOID(requireId("ven", request.text("vendor_id"), "vendor"));
  auto const limit = static_cast<int>(request.integer("limit", kPage));
  CO_TRY(conflicts, co_await with_.engine.conflicts(request.text("vendor_id"), limit));
  co_return Response(200, listOf(conflicts));
}

} // namespace garland::api
