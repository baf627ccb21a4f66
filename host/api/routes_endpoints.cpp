// Endpoints of vendors that are told what has changed, and what was sent to them.
#include "host/api/routes.h"
#include "host/api/selection.h"
#include "host/api/shapes.h"

namespace garland::api {

namespace {

constexpr std::int64_t kOverlapSeconds = 86'400;

constexpr std::string_view kAll = "/api/integrations/endpoints";
constexpr std::string_view kOne = "/api/integrations/endpoints/{endpoint}";

Response showWithSecret(int status, notify::WithSecret const& made) {
  auto body = shape(made.endpoint);
  body["secret"] = made.secret.reveal();
  return Response(status, std::move(body));
}

std::optional<std::vector<std::string>> readEvents(json::value const& body) {
  auto const* list = find(body, "/events");
  if (list == nullptr || !list->is_array()) return std::nullopt;
  std::vector<std::string> events;
  for (auto const& event : list->get_array()) events.emplace_back(event.as_string());
  return events;
}

std::optional<std::string> readText(json::value const& body, std::string_view pointer) {
  auto const* text = find(body, pointer);
  if (text == nullptr || !text->is_string()) return std::nullopt;
  return std::string(text->get_string());
}

std::optional<bool> readFlag(json::value const& body, std::string_view pointer) {
  auto const* flag = find(body, pointer);
  if (flag == nullptr || !flag->is_bool()) return std::nullopt;
  return flag->get_bool();
}

Result<std::optional<notify::DeliveryState>> readState(std::string const& word, std::string const& field) {
  if (word.empty()) return std::optional<notify::DeliveryState>();
  auto const state = notify::deliveryStateNamed(word);
  if (!state)
    return Error(ErrorKind::invalidInput, "a state is waiting, delivered, failed or dropped", field);
  return state;
}

void addOne(std::function<void(Route)> const& add, std::string_view method, std::string_view id,
            std::string_view summary, std::string_view body = "") {
  Route route{method, kOne, id, summary, 200, "Endpoint"};
  route.body = body;
  add(std::move(route));
}

} // namespace

void Routes::addEndpointRoutes(std::vector<Route>& table) {
  auto const add = adder(table);
  auto const under = [&add](Method method) {
    return [&add, method](Route route) { add(std::move(route), method); };
  };
  Route made{"POST",
             kAll,
             "addEndpoint",
             "An address of a vendor that is told what changes, from now on. Its secret is shown this once.",
             201,
             "EndpointWithSecret"};
  made.body = "EndpointInput";
  add(made, &Routes::addEndpoint);
  Route list{"GET", kAll, "listEndpoints", "The endpoints of a vendor, or of all.", 200, "EndpointList"};
  list.query = {{"vendor_id", ParameterType::text, false, "Only those of this vendor."}};
  add(list, &Routes::listEndpoints);
  addOne(under(&Routes::showEndpoint), "GET", "getEndpoint", "One endpoint, and how it goes.");
  addOne(under(&Routes::changeEndpoint), "PATCH", "changeEndpoint",
         "Changes what is named; the place in the feed, the secret and what waits stay.", "EndpointEdit");
  add(Route{"DELETE", kOne, "removeEndpoint", "Forgets the endpoint and its deliveries.", 204},
      &Routes::removeEndpoint);
  Route rotate{"POST",
               "/api/integrations/endpoints/{endpoint}/rotate",
               "rotateEndpoint",
               "Makes a new secret; requests are signed with the one before, too, for a while.",
               200,
               "EndpointWithSecret"};
  rotate.body = "EndpointRotation";
  add(rotate, &Routes::rotateEndpoint);
  Route enable{"POST",
               "/api/integrations/endpoints/{endpoint}/enable",
               "enableEndpoint",
               "Goes on where it stopped, or from now on. 409: it is enabled.",
               200,
               "Endpoint"};
  enable.body = "EndpointStart";
  add(enable, &Routes::enableEndpoint);
  Route disable{"POST",
                "/api/integrations/endpoints/{endpoint}/disable",
                "disableEndpoint",
                "Sends nothing until it is enabled; what waits is kept.",
                200,
                "Endpoint"};
  disable.body = "EndpointStop";
  add(disable, &Routes::disableEndpoint);
  Route deliveries{"GET",
                   "/api/integrations/endpoints/{endpoint}/deliveries",
                   "listEndpointDeliveries",
                   "What it was told, or is to be told; in the order of the change feed.",
                   200,
                   "EndpointDeliveryPage"};
  deliveries.query = {{"state", ParameterType::text, false, "waiting, delivered, failed or dropped."},
                      {"after", ParameterType::integer, false, "Continue after this sequence.", 0, INT64_MAX},
                      {"limit", ParameterType::integer, false, "At most so many.", 1, 1000}};
  add(deliveries, &Routes::listEndpointDeliveries);
  add(Route{"GET", "/api/integrations/endpoints/{endpoint}/deliveries/{delivery}", "getEndpointDelivery",
            "One delivery with its body and every attempt.", 200, "EndpointDelivery"},
      &Routes::showEndpointDelivery);
  add(Route{"POST", "/api/integrations/endpoints/{endpoint}/deliveries/{delivery}/resend", "resendDelivery",
            "Sends it now, whatever became of it, under the same webhook-id. 409: the endpoint is disabled.",
            200, "EndpointDelivery"},
      &Routes::resendDelivery);
  Route range{"POST",
              "/api/integrations/endpoints/{endpoint}/resend",
              "resendDeliveries",
              "Sends many again: those in a state, those of a time; as many as may wait at one time.",
              200,
              "Resent"};
  range.body = "ResendRange";
  add(range, &Routes::resendDeliveries);
}

Result<notify::Notifier*> Routes::notifier(Request const& request) const {
  if (with_.notifier == nullptr)
    return Error(ErrorKind::unsupported, "this daemon tells no endpoints anything");
  if (request.parameters.contains("endpoint")) {
    TRY_VOID(requireId("epo", request.text("endpoint"), "endpoint"));
  }
  return with_.notifier;
}

Task<Response> Routes::addEndpoint(Request request) {
  CO_TRY(notifier, this->notifier(request));
  notify::NewEndpoint endpoint;
  endpoint.vendor_id = textOr(request.json, "/vendor_id", "");
  CO_TRY_VOID(requireId("ven", endpoint.vendor_id, "vendor"));
  endpoint.url = textOr(request.json, "/url", "");
  endpoint.description = textOr(request.json, "/description", "");
  endpoint.events = readEvents(request.json).value_or(std::vector<std::string>());
  endpoint.ordered = boolOr(request.json, "/ordered", false);
  endpoint.allow_private_network = boolOr(request.json, "/allow_private_network", false);
  if (auto const after = integerOr(request.json, "/after", -1); after >= 0) endpoint.after = after;
  CO_TRY(made, co_await notifier->add(std::move(endpoint)));
  co_return showWithSecret(201, made);
}

Task<Response> Routes::listEndpoints(Request request) {
  CO_TRY(notifier, this->notifier(request));
  auto vendor = request.text("vendor_id");
  CO_TRY_VOID(requireIdIfAny("ven", vendor, "vendor"));
  CO_TRY(endpoints, co_await notifier->list(std::move(vendor)));
  co_return Response(200, listOf(endpoints));
}

Task<Response> Routes::showEndpoint(Request request) {
  CO_TRY(notifier, this->notifier(request));
  CO_TRY(endpoint, co_await notifier->one(request.text("endpoint")));
  co_return Response(200, shape(endpoint));
}

Task<Response> Routes::changeEndpoint(Request request) {
  CO_TRY(notifier, this->notifier(request));
  notify::EndpointChange change;
  change.url = readText(request.json, "/url");
  change.description = readText(request.json, "/description");
  change.events = readEvents(request.json);
  change.ordered = readFlag(request.json, "/ordered");
  change.allow_private_network = readFlag(request.json, "/allow_private_network");
  CO_TRY(endpoint, co_await notifier->change(request.text("endpoint"), std::move(change)));
  co_return Response(200, shape(endpoint));
}

Task<Response> Routes::removeEndpoint(Request request) {
  CO_TRY(notifier, this->notifier(request));
  CO_TRY_VOID(co_await notifier->remove(request.text("endpoint")));
  co_return Response(204);
}

Task<Response> Routes::rotateEndpoint(Request request) {
  CO_TRY(notifier, this->notifier(request));
  std::chrono::seconds const overlap(integerOr(request.json, "/overlap_seconds", kOverlapSeconds));
  CO_TRY(made, co_await notifier->rotate(request.text("endpoint"), overlap));
  co_return showWithSecret(200, made);
}

Task<Response> Routes::enableEndpoint(Request request) {
  CO_TRY(notifier, this->notifier(request));
  bool const from_now = boolOr(request.json, "/from_now", false);
  CO_TRY(endpoint, co_await notifier->enable(request.text("endpoint"), from_now));
  co_return Response(200, shape(endpoint));
}

Task<Response> Routes::disableEndpoint(Request request) {
  CO_TRY(notifier, this->notifier(request));
  auto why = textOr(request.json, "/why", "");
  CO_TRY(endpoint, co_await notifier->disable(request.text("endpoint"), std::move(why)));
  co_return Response(200, shape(endpoint));
}

Task<Response> Routes::listEndpointDeliveries(Request request) {
  CO_TRY(notifier, this->notifier(request));
  notify::DeliveryQuery query;
  query.endpoint_id = request.text("endpoint");
  CO_TRY(state, readState(request.text("state"), "?state"));
  query.state = state;
  query.after = request.integer("after", 0);
  query.limit = static_cast<int>(request.integer("limit", kPage));
  auto const limit = askForOneMore(query);
  CO_TRY(deliveries, co_await notifier->deliveries(std::move(query)));
  co_return Response(200, pageOf(std::move(deliveries), limit, &notify::Delivery::sequence));
}

Task<Response> Routes::showEndpointDelivery(Request request) {
  CO_TRY(notifier, this->notifier(request));
  CO_TRY(detail, co_await notifier->delivery(request.text("endpoint"), request.text("delivery")));
  auto body = shape(detail.delivery);
  body["body"] = detail.body;
  body["tried"] = std::move(listOf(detail.attempts)["items"]);
  co_return Response(200, std::move(body));
}

Task<Response> Routes::resendDelivery(Request request) {
  CO_TRY(notifier, this->notifier(request));
  CO_TRY(delivery, co_await notifier->resend(request.text("endpoint"), request.text("delivery")));
  co_return Response(200, shape(delivery));
}

Task<Response> Routes::resendDeliveries(Request request) {
  CO_TRY(notifier, this->notifier(request));
  notify::ResendRange range;
  range.endpoint_id = request.text("endpoint");
  CO_TRY(state, readState(textOr(request.json, "/state", ""), "/state"));
  range.state = state;
  CO_TRY(from, readTime(request.json, "/from"));
  range.from = from;
  CO_TRY(until, readTime(request.json, "/until"));
  range.until = until;
  range.after = integerOr(request.json, "/after", 0);
  if (!range.state && !range.from)
    co_return Error(ErrorKind::invalidInput, "say which: state or from", "/state");
  CO_TRY(resent, co_await notifier->resendRange(std::move(range)));
  json::object body;
  body["resent"] = resent.count;
  body["next_after"] = nullptr;
  if (resent.next_after) body["next_after"] = *resent.next_after;
  co_return Response(200, std::move(body));
}

} // namespace garland::api
