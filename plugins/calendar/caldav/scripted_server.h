// A CalDAV server in memory for the cases that real servers do not show on demand: paging, refusals,
// odd spellings. What it does right is checked against real servers in server_test.cpp.
#pragma once

#include <garland/testing/fake_host.hpp>

#include <functional>
#include <map>
#include <optional>
#include <string>
#include <vector>

namespace garland::caldav {

std::string simpleIcs(std::string const& uid, std::string const& title);

class ScriptedServer {
public:
  using Reply = std::optional<testing::HttpReply>;

  testing::HttpReply serve(testing::HttpRequest const& request);

  void put(std::string const& file, std::string const& ics);
  void remove(std::string const& file);

  // Looked at first; gives a reply of its own or nothing.
  std::function<Reply(testing::HttpRequest const&)> instead;
  std::size_t page = 1000;                             // items in one answer to sync-collection
  std::string calendar = "/cal/u@example.com/studio/"; // as it stands in hrefs
  std::string privileges;                              // inside of current-user-privilege-set
  std::string components = "<C:comp name=\"VEVENT\"/>";
  bool tags_on_get = true;
  bool forgets_one_in_multiget = false;

  static constexpr auto root = "https://dav.example.com/";
  std::string url() const { return "https://dav.example.com/cal/u%40example.com/studio/"; } // canonical

private:
  struct Item {
    std::string ics;
    int revision;
    bool gone;
  };
  testing::HttpResponse propfind(testing::HttpRequest const& request, std::string const& path) const;
  testing::HttpResponse syncCollection(std::string const& body) const;
  testing::HttpResponse multiget(std::string const& body);
  testing::HttpResponse put(testing::HttpRequest const& request, std::string const& file);
  std::string entry(std::string const& file, Item const& item, bool with_data) const;

  std::map<std::string, Item> items_;
  int revision_ = 0;
};

testing::HttpResponse multistatus(std::string const& inside);

} // namespace garland::caldav
