// What the tests of the feed connector share: a host, a server that holds one text, and short ways to ask.
#pragma once

#include "tests/places/places.h"

#include <garland/testing/fake_host.hpp>

#include <boost/json/serialize.hpp>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <optional>
#include <set>

namespace garland::ical_feed {

namespace json = boost::json;
using testing::HttpReply;
using testing::HttpRequest;
using testing::HttpResponse;
using testing::Outcome;

// The fake host's day is 2026-01-01.
inline std::string event(std::string const& uid, std::string const& start, std::string const& more = {}) {
  return "BEGIN:VEVENT\r\nUID:" + uid + "\r\nDTSTAMP:20260101T000000Z\r\nDTSTART" + start +
         "\r\nSUMMARY:" + uid + "\r\n" + more + "END:VEVENT\r\n";
}
inline std::string feedOf(std::string const& events, std::string const& lines = {}) {
  return "BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:-//Test//Test//EN\r\n" + lines + events +
         "END:VCALENDAR\r\n";
}

class FeedTest : public ::testing::Test {
protected:
  FeedTest() {
    host.serve([this](HttpRequest const& request) -> HttpReply { return serve(request); });
    if (auto const opened = host.open({{"name", "Bookings"}}); !opened.ok())
      throw std::runtime_error(opened.message);
  }

  HttpReply serve(HttpRequest const& request) const {
    if (status != 200) return HttpResponse{status, {}, "no", {}};
    if (!tag.empty() && request.header("If-None-Match") == tag) return HttpResponse{304, {}, {}, {}};
    HttpResponse response{200, {{"Content-Type", "text/calendar"}}, text, {}};
    if (!tag.empty()) response.headers.emplace_back("ETag", tag);
    return response;
  }

  Outcome pull() {
    host.clear();
    auto outcome = host.run("calendar.pull/1", {{"cursor", cursor}, {"calendars", json::array()}});
    if (!host.checkpoints().empty()) cursor = host.checkpoints().back();
    return outcome;
  }
  Outcome pull(std::string new_text) {
    text = std::move(new_text);
    return pull();
  }

  std::set<std::string> came() const {
    std::set<std::string> uids;
    for (auto const& record : host.emitted("calendar.event")) uids.emplace(record.at("id").as_string());
    return uids;
  }
  json::value dataOf(std::string const& uid) const {
    for (auto const& record : host.emitted("calendar.event"))
      if (record.at("id") == json::value(uid)) return record.at("data");
    return {};
  }
  // Ids of the complete listing; nothing if none was given.
  std::optional<std::set<std::string>> listed() const {
    std::set<std::string> ids;
    bool complete = false;
    for (auto const& part : host.emitted("garland.listing")) {
      for (auto const& id : part.at("ids").as_array()) ids.emplace(id.as_string());
      complete = part.at("last").as_bool();
    }
    return complete ? std::optional(ids) : std::nullopt;
  }
  std::vector<std::string> problems() const {
    std::vector<std::string> texts;
    for (auto const& record : host.emitted("garland.problem"))
      texts.push_back(std::string(record.at("id").as_string()) + ": " +
                      std::string(record.at("message").as_string()));
    return texts;
  }

  std::string text;
  std::string tag;
  int status = 200;
  json::value cursor;
  testing::FakeHost host{&garland_entry_v1,
                         testing::readFile(inSources("/plugins/calendar/ical-feed/connector.json"))};
};

} // namespace garland::ical_feed
