// Which things a request is about: the page of a list that it asks for, the time that it names; and the page
// that answers it.
#pragma once

#include "host/api/http.h"
#include "host/api/router.h"
#include "host/api/shapes.h"
#include "host/base/clock.h"

#include <iterator>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace garland::api {

constexpr int kPage = 100; // things, unless the query says how many

// What a list of things of connections can be asked for: vendor_id, connection_id, state, after, limit. Says
// in a sentence each which states there are, and after what the page goes on.
std::vector<QueryParameter> pageParameters(std::string_view states, std::string_view after);

// As requireId; "" is fine, too.
Result<void> requireIdIfAny(std::string_view prefix, std::string_view text, std::string_view what);

// The page that the query asks for, but for its state: each list has states of its own.
template <class Query> Result<Query> readPage(Request const& request) {
  Query query;
  query.vendor_id = request.text("vendor_id");
  query.connection_id = request.text("connection_id");
  query.after_id = request.text("after");
  query.limit = static_cast<int>(request.integer("limit", kPage));
  TRY_VOID(requireIdIfAny("ven", query.vendor_id, "vendor"));
  TRY_VOID(requireIdIfAny("con", query.connection_id, "connection"));
  return query;
}

// Asks for one thing more than the page holds, by which the last page is known; the answer: what it holds.
template <class Query> int askForOneMore(Query& query) { return query.limit++; }

// {"items": [...], "next_after": ...}: null on the last page, else what the next one goes on after. `limit`:
// what askForOneMore() answered, at least 1.
template <class T, class Place> json::object pageOf(std::vector<T> things, int limit, Place T::* place) {
  bool const more = std::ssize(things) > limit;
  if (more) things.erase(things.begin() + limit, things.end());
  json::object page = listOf(things);
  page["next_after"] = nullptr;
  if (more) page["next_after"] = things.back().*place;
  return page;
}

// The time of a member of the body; none if it is not there.
Result<std::optional<TimePoint>> readTime(json::value const& body, std::string const& pointer);

} // namespace garland::api
