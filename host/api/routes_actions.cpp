// Actions: taking one in, looking at them, settling one whose effect nobody saw.
#include "host/api/routes.h"
#include "host/api/selection.h"
#include "host/api/shapes.h"

namespace garland::api {

namespace {

sync::ActionRequest readRequest(Request& request) {
  sync::ActionRequest wish;
  wish.connection_id = request.text("connection");
  wish.operation = textOr(request.json, "/operation", "");
  wish.key = textOr(request.json, "/idempotency_key", "");
  wish.input = std::move(request.json.as_object()["input"]);
  return wish;
}

Result<sync::ActionQuery> readQuery(Request const& request) {
  TRY(query, readPage<sync::ActionQuery>(request));
  auto const state = request.text("state");
  if (state.empty()) return query;
  query.state = sync::actionStateNamed(state);
  if (!query.state)
    return Error(ErrorKind::invalidInput,
                 "\"" + state + "\" is no state; they are waiting, sent, done, failed and unknown", "?state");
  return query;
}

} // namespace

void Routes::addActionRoutes(std::vector<Route>& table) {
  auto const add = adder(table);
  Route run{
      "POST",
      "/api/integrations/connections/{connection}/actions",
      "acceptAction",
      "Has something done once, such as a payment. 202: it is durable and will be done; 200: the same was "
      "asked for before under this key, and this is how it stands; 409: the key meant something else.",
      202,
      "Action",
      {},
      "ActionInput"};
  run.other_success = 200;
  add(run, &Routes::acceptAction);
  Route list{"GET", "/api/integrations/actions", "listActions", "Actions, oldest first.", 200, "ActionPage",
             {}};
  list.query = pageParameters("waiting, sent, done, failed or unknown.", "Continue after this action.");
  add(list, &Routes::listActions);
  add(Route{"GET",
            "/api/integrations/actions/{action}",
            "getAction",
            "How one action stands.",
            200,
            "Action",
            {}},
      &Routes::showAction);
  add(
      Route{
          "POST",
          "/api/integrations/actions/{action}/settle",
          "settleAction",
          "Says what a person found out at the provider about an unknown action; not_applied also calls off "
          "one that waits. 409: it has another end, or is on its way.",
          200,
          "Action",
          {},
          "ActionSettlement"},
      &Routes::settleAction);
}

Task<Response> Routes::acceptAction(Request request) {
  CO_TRY_VOID(requireId("con", request.text("connection"), "connection"));
  auto wish = readRequest(request);
  CO_TRY(accepted, co_await with_.engine.actions().accept(std::move(wish)));
  Response response(accepted.known ? 200 : 202, shape(accepted.action));
  response.headers.push_back(Header{"location", "/api/integrations/actions/" + accepted.action.id});
  co_return response;
}

Task<Response> Routes::listActions(Request request) {
  CO_TRY(query, readQuery(request));
  auto const limit = askForOneMore(query);
  CO_TRY(actions, co_await with_.engine.actions().list(std::move(query)));
  co_return Response(200, pageOf(std::move(actions), limit, &sync::Action::id));
}

Task<Response> Routes::showAction(Request request) {
  CO_TRY_VOID(requireId("act", request.text("action"), "action"));
  CO_TRY(action, co_await with_.engine.actions().one(request.text("action")));
  co_return Response(200, shape(action));
}

Task<Response> Routes::settleAction(Request request) {
  CO_TRY_VOID(requireId("act", request.text("action"), "action"));
  sync::Settlement settlement;
  settlement.applied = textOr(request.json, "/effect", "") == "applied";
  if (auto const* output = find(request.json, "/output")) settlement.output = *output;
  CO_TRY(action, co_await with_.engine.actions().settle(request.text("action"), std::move(settlement)));
  co_return Response(200, shape(action));
}

} // namespace garland::api
