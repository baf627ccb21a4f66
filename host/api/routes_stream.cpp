// Following the changes as they come: one address for WebSockets and for event streams, and tickets for
// browsers.
#include "host/api/routes.h"
#include "host/api/shapes.h"

namespace garland::api {

void Routes::addStreamRoutes(std::vector<Route>& table) {
  auto const add = adder(table);
  Route stream{
      "GET", "/api/integrations/stream", "openStream",
      "Changes of a vendor as they come, by WebSocket if the request asks for the upgrade, else as an event "
      "stream. 410, or close code 4410: changes after that number are not kept any more. Close code 4401: "
      "the key "
      "counts no more."};
  stream.answer_type = "text/event-stream";
  stream.other_success = 101;
  stream.ticket = [this](std::string_view ticket) { return stream_door_.knows(ticket); };
  stream.query = {
      {"vendor_id", ParameterType::text, false, "Whose changes; needed unless a ticket says so."},
      {"kinds", ParameterType::text, false, "Only these kinds, separated by commas."},
      {"wedding", ParameterType::text, false, "Only what belongs to the project that is this record."},
      {"after", ParameterType::integer, false,
       "From the change after this number on (Last-Event-ID wins); without it, from now on.", 0, INT64_MAX},
      {"ticket", ParameterType::text, false,
       "Stands for the API key and for all parameters but after; good once."}};
  add(stream, &Routes::openStream);
  add(Route{"POST",
            "/api/integrations/stream/tickets",
            "issueStreamTicket",
            "A ticket with which a browser, which cannot send the API key, opens one stream within a minute.",
            201,
            "StreamTicket",
            {},
            "StreamTicketInput"},
      &Routes::issueTicket);
}

Task<Response> Routes::openStream(Request request) { return stream_door_.open(std::move(request)); }

Task<Response> Routes::issueTicket(Request request) {
  realtime::Filter filter;
  filter.vendor_id = textOr(request.json, "/vendor_id", "");
  filter.wedding = textOr(request.json, "/wedding", "");
  CO_TRY_VOID(requireId("ven", filter.vendor_id, "vendor"));
  if (!filter.wedding.empty()) {
    CO_TRY_VOID(requireId("rec", filter.wedding, "wedding"));
  }
  if (auto const* kinds = find(request.json, "/kinds"); kinds != nullptr && kinds->is_array())
    for (auto const& kind : kinds->get_array()) filter.kinds.emplace_back(kind.as_string());
  CO_TRY_VOID(stream_door_.checkKinds(filter.kinds, "/kinds"));
  // A ticket for nobody would only be found out by the browser.
  std::vector<std::string> asked(1, filter.vendor_id);
  CO_TRY(spans, co_await with_.engine.feedSpans(std::move(asked)));
  if (spans.empty()) co_return Error(ErrorKind::notFound, "there is no vendor " + filter.vendor_id);
  CO_TRY(ticket, stream_door_.issue(StreamTickets::Leave(std::move(filter), request.by_key)));
  json::object body;
  body["ticket"] = ticket.text.reveal();
  body["expires"] = rfc3339(ticket.expires);
  body["path"] = "/api/integrations/stream?ticket=" + std::string(ticket.text.reveal());
  body["sequence"] = spans.front().last;
  co_return Response(201, std::move(body));
}

} // namespace garland::api
