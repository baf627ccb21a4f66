// A studio in memory that answers as VSCO Workspace does, for tests of the connector alone.
#pragma once

#include <garland/testing/fake_host.hpp>

#include <functional>
#include <map>
#include <optional>
#include <string>
#include <vector>

namespace garland::tave {

class ScriptedStudio {
public:
  using Reply = std::optional<testing::HttpReply>;
  static constexpr auto base = "https://workspace.vsco.co/api/v2/";

  testing::HttpReply serve(testing::HttpRequest const& request);

  // Adds or changes a record as somebody at the studio would: with a new time of modification.
  std::string put(std::string const& list, boost::json::object record);
  void remove(std::string const& list, std::string const& id) { lists[list].erase(id); }
  boost::json::object& at(std::string const& list, std::string const& id) { return lists.at(list).at(id); }

  // Records by list ("job") and id.
  std::map<std::string, std::map<std::string, boost::json::object>> lists;
  // Asked before every request; its reply is the answer.
  std::function<Reply(testing::HttpRequest const&)> instead;
  // Told after every answer.
  std::function<void(testing::HttpRequest const&)> after;
  int clock = 0; // seconds; every change takes one

private:
  testing::HttpReply answer(testing::HttpRequest const& request);
  testing::HttpResponse listing(std::string const& list,
                                std::map<std::string, std::string> const& query) const;
  int made_ = 0;
};

// Query parameters, decoded.
std::map<std::string, std::string> queryOf(std::string const& url);
testing::HttpResponse jsonAnswer(int status, boost::json::value const& body);
testing::HttpResponse errorAnswer(int status, char const* type, boost::json::value const& detail);

} // namespace garland::tave
