// Starting a sync and following it, by polling or by one long answer.
#include "host/api/routes.h"
#include "host/api/shapes.h"

#include "host/base/ids.h"

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>

#include <optional>

namespace garland::api {

namespace {

// The engine's wait goes on by itself when the client's time is over, so it owns what it writes to.
struct Waiting {
  Waiting(asio::any_io_executor const& executor, Milliseconds limit) : ended(executor, limit) {}
  asio::steady_timer ended;
  std::optional<Result<sync::Run>> result;
};

std::shared_ptr<Waiting> waitInBackground(Dependencies const& with, std::string run_id, Milliseconds limit) {
  auto waiting = std::make_shared<Waiting>(with.executor, limit);
  asio::co_spawn(with.executor, with.engine.waitForRun(std::move(run_id)),
                 [waiting](std::exception_ptr failed, Result<sync::Run> run) {
                   if (!failed) waiting->result = std::move(run);
                   waiting->ended.cancel();
                 });
  return waiting;
}

bool hasEnded(sync::Run const& run) { return run.finished.has_value(); }

} // namespace

void Routes::addSyncRoutes(std::vector<Route>& table) {
  Route start{"POST",
              "/api/integrations/sync/{connection}",
              "startSync",
              "Starts a sync, or joins the one that runs; with wait=1 the answer is the ended run (200).",
              202,
              "Run",
              bind(&Routes::startSync)};
  start.query = {
      {"wait", ParameterType::flag, false, "Answer when the run has ended, at most ten minutes later."}};
  start.other_success = 200;
  table.push_back(start);

  Route hint{
      "POST",
      "/api/integrations/connections/{connection}/hints",
      "syncHinted",
      "Fetches only these records from the provider, now: by a run of its own, or at the end of the one "
      "that runs.",
      202,
      "Run",
      bind(&Routes::hint),
      "HintInput"};
  table.push_back(hint);

  table.push_back(Route{"GET", "/api/integrations/status/{id}", "getStatus",
                        "How a run stands (run_...), or a connection with its last run (con_...).", 200,
                        "Status", bind(&Routes::status)});
}

Task<sync::Run> Routes::waited(sync::Run run) {
  if (hasEnded(run)) co_return run;
  auto const waiting = waitInBackground(with_, run.id, wait_limit_);
  boost::system::error_code ignored;
  if (!waiting->result)
    co_await waiting->ended.async_wait(asio::redirect_error(asio::use_awaitable, ignored));
  if (waiting->result) co_return std::move(*waiting->result);
  co_return co_await with_.engine.run(run.id);
}

Task<Response> Routes::startSync(Request request) {
  CO_TRY_VOID(requireId("con", request.text("connection"), "connection"));
  CO_TRY(started, co_await with_.engine.startSync(request.text("connection")));
  sync::Run run = std::move(started);
  if (request.flag("wait")) {
    CO_TRY(later, co_await waited(run));
    run = std::move(later);
  }
  Response response(hasEnded(run) ? 200 : 202, shape(run));
  response.headers.push_back(Header{"location", "/api/integrations/status/" + run.id});
  co_return response;
}

Task<Response> Routes::hint(Request request) {
  CO_TRY_VOID(requireId("con", request.text("connection"), "connection"));
  std::vector<sync::Hint> hints;
  for (auto const& hint : request.json.at("hints").as_array())
    hints.push_back(sync::Hint{textOr(hint, "/kind", ""), textOr(hint, "/external_id", "")});
  CO_TRY(run, co_await with_.engine.syncHinted(request.text("connection"), std::move(hints)));
  Response response(202, shape(run));
  response.headers.push_back(Header{"location", "/api/integrations/status/" + run.id});
  co_return response;
}

Task<Response> Routes::status(Request request) {
  std::string const id = request.text("id");
  if (isId("run", id)) {
    CO_TRY(run, co_await with_.engine.run(id));
    co_return Response(200, shape(run));
  }
  CO_TRY_VOID(requireId("con", id, "connection (con_...) or run (run_...)"));
  CO_TRY(connection, co_await with_.engine.connection(id));
  CO_TRY(last, co_await with_.engine.lastRun(id));
  json::object body;
  body["connection"] = shapeFor(request, connection);
  body["last_run"] = nullptr;
  if (last) body["last_run"] = shape(*last);
  co_return Response(200, body);
}

} // namespace garland::api
