// The audit chain, as it is read by whoever verifies it. Nothing here changes a row.
#include "host/api/routes.h"

#include <charconv>

namespace garland::api {

namespace {

constexpr int kUsual = 500; // of a page

// "CHAIN/NUMBER": after this row.
struct Place {
  std::string chain;
  std::int64_t number = -1;
};

Result<Place> readPlace(std::string const& text) {
  Place place;
  if (text.empty()) return place;
  auto const slash = text.find('/');
  auto const digits = slash == std::string::npos ? std::string() : text.substr(slash + 1);
  auto const [end, wrong] = std::from_chars(digits.data(), digits.data() + digits.size(), place.number);
  if (digits.empty() || wrong != std::errc() || end != digits.data() + digits.size())
    return Error(ErrorKind::invalidInput, "is not the place of a row: take next_after of the page before",
                 "?after");
  place.chain = text.substr(0, slash);
  return place;
}

} // namespace

void Routes::addAuditRoutes(std::vector<Route>& table) {
  auto const add = adder(table);
  add(Route{"GET", "/api/integrations/audit", "getAudit",
            "The key that the audit chain is signed with, and the newest checkpoint.", 200, "Audit"},
      &Routes::showAudit);
  Route rows{"GET",
             "/api/integrations/audit/rows",
             "listAuditRows",
             "What happened, in the order of chains and numbers.",
             200,
             "AuditRowPage"};
  rows.query = {{"after", ParameterType::text, false, "Continue after this row: CHAIN/NUMBER."},
                {"limit", ParameterType::integer, false, "At most so many.", 1, 1000}};
  add(rows, &Routes::listAuditRows);
  Route checkpoints{"GET",
                    "/api/integrations/audit/checkpoints",
                    "listAuditCheckpoints",
                    "The signed checkpoints of all chains, in their order.",
                    200,
                    "AuditCheckpointPage"};
  checkpoints.query = {{"after", ParameterType::integer, false, "Continue after this number.", 0, INT64_MAX},
                       {"limit", ParameterType::integer, false, "At most so many.", 1, 1000}};
  add(checkpoints, &Routes::listAuditCheckpoints);
  add(Route{"POST", "/api/integrations/audit/checkpoints", "sealAudit",
            "Makes and signs a checkpoint of what happened up to now.", 200, "Audit"},
      &Routes::sealAudit);
  Route pseudonym{"POST",
                  "/api/integrations/audit/pseudonym",
                  "findPseudonym",
                  "What a person, or the path of a request, is called in the audit chain.",
                  200,
                  "AuditPseudonym"};
  pseudonym.body = "AuditPseudonymInput";
  add(pseudonym, &Routes::findPseudonym);
}

Result<audit::Book*> Routes::book() const {
  if (with_.audit != nullptr) return with_.audit;
  return Error(ErrorKind::unsupported, "this daemon keeps no audit chain");
}

Task<Response> Routes::showAudit(Request) {
  CO_TRY(book, this->book());
  auto const state = book->state();
  json::object body{{"key", state.key}, {"chain", state.chain}, {"checkpoint", nullptr}};
  if (state.last.number > 0)
    body["checkpoint"] = json::object{{"number", state.last.number}, {"hash", state.last.hash}};
  co_return Response(200, std::move(body));
}

Task<Response> Routes::listAuditRows(Request request) {
  CO_TRY(book, this->book());
  CO_TRY(place, readPlace(request.text("after")));
  auto const limit = static_cast<int>(request.integer("limit", kUsual));
  CO_TRY(rows, co_await book->rows(place.chain, place.number, limit));
  json::array items;
  for (auto const& row : rows) items.push_back(audit::lineOf(row));
  json::object body{{"items", std::move(items)}, {"next_after", nullptr}};
  if (rows.size() == static_cast<std::size_t>(limit))
    body["next_after"] = rows.back().chain + "/" + std::to_string(rows.back().number);
  co_return Response(200, std::move(body));
}

Task<Response> Routes::listAuditCheckpoints(Request request) {
  CO_TRY(book, this->book());
  auto const limit = static_cast<int>(request.integer("limit", kUsual));
  CO_TRY(checkpoints, co_await book->checkpoints(request.integer("after", 0), limit));
  json::array items;
  for (auto const& checkpoint : checkpoints) items.push_back(audit::lineOf(checkpoint));
  json::object body{{"items", std::move(items)}, {"next_after", nullptr}};
  if (checkpoints.size() == static_cast<std::size_t>(limit)) body["next_after"] = checkpoints.back().number;
  co_return Response(200, std::move(body));
}

Task<Response> Routes::sealAudit(Request request) {
  CO_TRY(book, this->book());
  CO_TRY_VOID(co_await book->seal());
  co_return co_await showAudit(std::move(request));
}

Task<Response> Routes::findPseudonym(Request request) {
  CO_TRY(book, this->book());
  json::object body{{"pseudonym", book->pseudonym(textOr(request.json, "/text", ""))}};
  co_return Response(200, std::move(body));
}

} // namespace garland::api
