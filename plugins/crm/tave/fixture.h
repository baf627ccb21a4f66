// What the tests of the connector share: a host, a studio, and short ways to ask.
#pragma once

#include "scripted_studio.h"
#include "tests/places/places.h"

#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <set>

namespace garland::tave {

namespace json = boost::json;

class TaveTest : public ::testing::Test {
protected:
  TaveTest() {
    host.serve([this](testing::HttpRequest const& request) { return studio.serve(request); });
    open({{"amounts", "minor"}});
  }

  void open(json::object settings) { ASSERT_TRUE(host.open(std::move(settings)).ok()); }

  testing::Outcome pull(std::string const& entity) {
    host.clear();
    auto outcome = host.run("crm.pull/1", {{"entity", entity}, {"cursor", cursors[entity]}});
    if (!host.checkpoints().empty()) cursors[entity] = host.checkpoints().back();
    return outcome;
  }
  testing::Outcome create(std::string const& entity, json::value const& data, std::string const& key = "k1") {
    return host.run("crm.upsert/1", {{"entity", entity}, {"key", key}, {"data", data}});
  }
  testing::Outcome change(std::string const& entity, std::string const& id, std::string const& version,
                          json::value const& data) {
    return host.run("crm.upsert/1",
                    {{"entity", entity}, {"key", "k2"}, {"id", id}, {"version", version}, {"data", data}});
  }

  // Emitted names, "-ID" for what is gone.
  std::multiset<std::string> names(std::string const& entity) const {
    std::multiset<std::string> result;
    for (auto const& record : host.emitted(entity))
      result.insert(record.at("deleted").as_bool() ? "-" + std::string(record.at("id").as_string())
                                                   : std::string(record.at("data").at("name").as_string()));
    return result;
  }
  json::value only(std::string const& entity) const {
    auto const records = host.emitted(entity);
    return records.size() == 1 ? records.front().at("data") : json::value();
  }
  std::vector<std::string> problems() const {
    std::vector<std::string> texts;
    for (auto const& record : host.emitted("garland.problem"))
      texts.emplace_back(record.at("message").as_string());
    return texts;
  }
  // Ids of the last complete listing; nothing if none was given to its end.
  std::optional<std::set<std::string>> listed() const {
    std::set<std::string> ids;
    bool complete = false;
    for (auto const& part : host.emitted("garland.listing")) {
      if (complete) ids.clear();
      for (auto const& id : part.at("ids").as_array()) ids.emplace(id.as_string());
      complete = part.at("last").as_bool();
    }
    if (!complete) return std::nullopt;
    return ids;
  }
  std::size_t count(std::string const& method, std::string const& part = {}) const {
    return static_cast<std::size_t>(std::count_if(
        host.requests().begin(), host.requests().end(), [&](testing::HttpRequest const& request) {
          return request.method == method && request.url.find(part) != std::string::npos;
        }));
  }
  std::string addJob(std::string const& name) {
    return studio.put("job", {{"name", name}, {"stage", "lead"}});
  }

  ScriptedStudio studio;
  testing::FakeHost host{&garland_entry_v1, testing::readFile(inSources("/plugins/crm/tave/connector.json"))};
  std::map<std::string, json::value> cursors;
};

} // namespace garland::tave
