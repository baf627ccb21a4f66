// A studio's calendar on a real server, a fault proxy before it, and a Garland that syncs it.
#pragma once

#include "plugins/calendar/caldav/testing/caldav_servers.h"
#include "tests/end_to_end/fault_proxy.h"
#include "tests/end_to_end/host_test_kit.h"

#include <gtest/gtest.h>

#include <memory>
#include <set>
#include <string>

namespace garland::testing {

inline std::string simpleEvent(std::string const& uid, std::string const& title) {
  return "BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:-//garland//tests//EN\r\nBEGIN:VEVENT\r\nUID:" + uid +
         "\r\nDTSTAMP:20260101T000000Z\r\nDTSTART:20260613T120000Z\r\nDTEND:20260613T200000Z\r\nSUMMARY:" +
         title + "\r\nEND:VEVENT\r\nEND:VCALENDAR\r\n";
}

using caldav::testing::CaldavServer;
using caldav::testing::ServerKind;

class Studio : public ::testing::Test {
protected:
  void SetUp() override {
    server_ = CaldavServer::start(ServerKind::radicale);
    calendar_ = server_->makeCalendar("weddings");
    auto const url = server_->url();
    proxy_ =
        std::make_unique<FaultProxy>(static_cast<unsigned short>(std::stoi(url.substr(url.rfind(':') + 1))));
    host_.start();
    vendor_ = host_.addVendor("Studio");
  }

  std::string viaProxy() const { return "http://127.0.0.1:" + std::to_string(proxy_->port()) + "/"; }
  void putEvent(std::string const& uid, std::string const& title) {
    putIcs(calendar_ + uid + ".ics", simpleEvent(uid, title));
  }
  void putIcs(std::string const& url, std::string const& ics) {
    auto const answer = server_->send("PUT", url, {{"content-type", "text/calendar; charset=utf-8"}}, ics);
    EXPECT_EQ(answer.status / 100, 2) << answer.body << answer.error;
  }
  void addEvents(int count) {
    for (int i = 0; i < count; ++i) {
      auto const uid = "event-" + std::to_string(i);
      putEvent(uid, "Title " + uid);
    }
  }
  // Many events in one request; Radicale makes the collection of them.
  void addArchive(int count) {
    std::string ics = "BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:-//garland//tests//EN\r\n";
    for (int i = 0; i < count; ++i)
      ics += "BEGIN:VEVENT\r\nUID:archive-" + std::to_string(i) +
             "\r\nDTSTAMP:20260101T000000Z\r\nDTSTART:20230613T120000Z\r\nDTEND:20230613T130000Z\r\nSUMMARY:"
             "Booking " +
             std::to_string(i) + "\r\nEND:VEVENT\r\n";
    putIcs(server_->url() + server_->username() + "/archive/", ics + "END:VCALENDAR\r\n");
  }
  std::string connectStudio() {
    return host_.connect(vendor_, viaProxy(), server_->username(), server_->password());
  }

  // The uids of the vendor's records, each checked to be there once.
  std::set<std::string> uids() {
    std::set<std::string> found;
    for (auto const& record : host_.records(vendor_)) {
      auto const uid = textOr(record, "/data/uid", "?");
      EXPECT_TRUE(found.insert(uid).second) << uid << " is here twice";
    }
    return found;
  }

  // The connection's last run, as `garland sync status` tells it.
  json::value lastRun(std::string const& connection) {
    auto status = host_.ask({"sync", "status", connection});
    for (auto const* pointer : {"/run", "/last_run"})
      if (auto const* run = find(status, pointer); run != nullptr && run->is_object()) return *run;
    return status;
  }

  std::unique_ptr<CaldavServer> server_;
  std::unique_ptr<FaultProxy> proxy_;
  Host host_;
  std::string calendar_;
  std::string vendor_;
};

} // namespace garland::testing
