#include "scripted_studio.h"

#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>
#include <boost/url/parse.hpp>

#include <algorithm>
#include <cstdio>

namespace garland::tave {

namespace json = boost::json;
using testing::HttpReply;
using testing::HttpRequest;
using testing::HttpResponse;

namespace {

// A moment of 2026-06-01, so many seconds in.
std::string moment(int seconds) {
  char text[40];
  std::snprintf(text, sizeof text, "2026-06-01T%02d:%02d:%02dZ", seconds / 3600, seconds / 60 % 60,
                seconds % 60);
  return text;
}

} // namespace

std::map<std::string, std::string> queryOf(std::string const& url) {
  std::map<std::string, std::string> out;
  for (auto const& parameter : boost::urls::parse_uri(url).value().params())
    out[parameter.key] = parameter.value;
  return out;
}

HttpResponse jsonAnswer(int status, json::value const& body) {
  return {status, {{"Content-Type", "application/json"}}, json::serialize(body), {}};
}

HttpResponse errorAnswer(int status, char const* type, json::value const& detail) {
  return jsonAnswer(status, {{"type", type}, {"title", "An error"}, {"detail", detail}, {"status", status}});
}

HttpReply ScriptedStudio::serve(HttpRequest const& request) {
  // A copy, since hooks replace themselves.
  auto const hook = instead;
  Reply early;
  if (hook) early = hook(request);
  auto reply = early ? std::move(*early) : answer(request);
  auto const told = after;
  if (told) told(request);
  return reply;
}

std::string ScriptedStudio::put(std::string const& list, json::object record) {
  if (!record.contains("id")) {
    char id[32];
    std::snprintf(id, sizeof id, "01jy%022d", ++made_);
    record["id"] = id;
    record["created"] = moment(clock + 1);
  }
  record["modified"] = moment(++clock);
  auto const id = std::string(record.at("id").as_string());
  lists[list][id] = std::move(record);
  return id;
}

HttpReply ScriptedStudio::answer(HttpRequest const& request) {
  auto const path = request.url.substr(std::string_view(base).size());
  auto const end = std::min(path.find('?'), path.size());
  auto const slash = path.substr(0, end).find('/');
  auto const list = path.substr(0, std::min(slash, end));
  if (list == "studio")
    return jsonAnswer(200, {{"name", "Barn Studio"}, {"currencyCode", "USD"}, {"timezoneId", "tz"}});
  if (list == "timezone") return jsonAnswer(200, {{"id", "tz"}, {"name", "America/New_York"}});
  if (slash >= end) {
    if (request.method == "GET") return listing(list, queryOf(request.url));
    auto const id = put(list, json::parse(request.body).as_object());
    return jsonAnswer(201, at(list, id));
  }
  auto const id = path.substr(slash + 1, end - slash - 1);
  if (!lists[list].contains(id)) return errorAnswer(404, "unknown", "there is none of this id");
  if (request.method == "DELETE") {
    remove(list, id);
    return HttpResponse{204, {}, "", {}};
  }
  if (request.method == "PUT") {
    auto record = json::parse(request.body).as_object();
    record["id"] = id;
    record["created"] = at(list, id)["created"];
    put(list, std::move(record));
  }
  return jsonAnswer(200, at(list, id));
}

HttpResponse ScriptedStudio::listing(std::string const& list,
                                     std::map<std::string, std::string> const& query) const {
  std::vector<json::object> records;
  auto const wanted = query.find("externalMappingId");
  auto const email = query.find("email");
  if (lists.contains(list))
    for (auto const& [id, record] : lists.at(list)) {
      auto const carries = [&] {
        auto const* mappings = record.if_contains("externalMappings");
        return mappings != nullptr && std::ranges::any_of(mappings->as_array(), [&](json::value const& one) {
                 return one.at("id").as_string() == wanted->second;
               });
      };
      if (wanted != query.end() && !carries()) continue;
      if (email != query.end() &&
          (!record.contains("email") || record.at("email").as_string() != email->second))
        continue;
      records.push_back(record);
    }
  if (query.contains("sortBy"))
    std::ranges::sort(records, std::greater(), [](json::object const& record) {
      return std::string(record.at("modified").as_string()) + std::string(record.at("id").as_string());
    });
  auto const size = query.contains("pageSize") ? std::stoul(query.at("pageSize")) : 100U;
  auto const page = query.contains("page") ? std::stoul(query.at("page")) : 1U;
  json::array items;
  for (auto i = (page - 1) * size; i < std::min(page * size, records.size()); ++i)
    items.push_back(records[i]);
  json::object const meta{{"currentPage", page},
                          {"totalPages", (records.size() + size - 1) / size},
                          {"totalItems", records.size()},
                          {"rows", items.size()}};
  return jsonAnswer(200, {{"type", list + "-collection"}, {"items", items}, {"meta", meta}});
}

} // namespace garland::tave
