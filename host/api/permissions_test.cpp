// Every route that is served, tried with a key of every role and with another vendor's key.
#include "host/api/permissions.h"
#include "host/api/testing/harness.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>

namespace garland::api {
namespace {

using access::Role;
using testing::Answer;
using testing::Harness;
using ::testing::IsEmpty;

constexpr auto kRoot = "/api/integrations";

// A body for each operation that takes one; V and C stand for a vendor and its connection.
std::map<std::string, std::string> const kBodies{
    {"addVendor", R"({"name":"Ada"})"},
    {"addKey", R"({"name":"a","role":"auditor"})"},
    {"rotateKey", "{}"},
    {"exportVault", R"({"passphrase":"correct horse battery"})"},
    {"importVault", R"({"file":"export-0a","passphrase":"correct horse battery"})"},
    {"makeBackup", R"({"passphrase":"correct horse battery"})"},
    {"exportPersonalData", R"({"person":["rosa@studio.example"]})"},
    {"erasePersonalData", R"({"person":["rosa@studio.example"]})"},
    {"findPseudonym", R"({"text":"rosa@studio.example"})"},
    {"installPlugin", R"({"file":"incoming-1a"})"},
    {"connect", R"({"vendor_id":"V","plugin":"caldav","settings":{"url":"https://x.example/"}})"},
    {"authorize", R"({"vendor_id":"V","plugin":"caldav","settings":{"url":"https://x.example/"}})"},
    {"authorizeDevice", R"({"vendor_id":"V","plugin":"caldav","settings":{"url":"https://x.example/"}})"},
    {"changeSettings", R"({"settings":{"url":"https://y.example/"}})"},
    {"syncHinted", R"({"hints":[{"kind":"calendar.event","external_id":"/cal/a.ics"}]})"},
    {"addRecord", R"({"vendor_id":"V","kind":"calendar.event","connection_id":"C","data":
      {"uid":"u","title":"Wedding","status":"confirmed","busy":true,"start":{"date":"2026-06-13"},"end":{"date":"2026-06-14"}}})"},
    {"putRecord", R"({"vendor_id":"V","data":
      {"uid":"u","title":"Wedding","status":"confirmed","busy":true,"start":{"date":"2026-06-13"},"end":{"date":"2026-06-14"}}})"},
    {"retryRecord", R"({"vendor_id":"V"})"},
    {"issueStreamTicket", R"({"vendor_id":"V"})"},
    {"acceptAction",
     R"({"operation":"payments.create/1","idempotency_key":"invoice-7","input":{"amount":1200}})"},
    {"settleAction", R"({"effect":"not_applied"})"},
    {"openHook", R"({"rotate":true})"},
    {"acceptItem", R"({"by":"rosa"})"},
    {"dismissItem", R"({"why":"a test"})"},
    {"openMailbox", R"({"rotate":true})"},
    {"watchMailbox", R"({"url":"imaps://imap.example.com","user":"rosa","password":"secret"})"},
    {"setUpWebhook", R"({"name":"acct_1","secret":"s3cret"})"},
    {"replayWebhooks", R"({"connection_id":"C"})"},
    {"dropWebhook", R"({"why":"a test"})"},
    {"addEndpoint", R"({"vendor_id":"V","url":"https://studio.example/hooks"})"},
    {"changeEndpoint", R"({"events":["crm.*"]})"},
    {"rotateEndpoint", "{}"},
    {"enableEndpoint", "{}"},
    {"disableEndpoint", R"({"why":"a test"})"},
    {"resendDeliveries", R"({"state":"failed"})"},
    {"importCsv", "name,email\nAda,ada@example.com\n"},
};

// What a query must hold; V stands for a vendor.
std::map<std::string, std::string> const kQueries{
    {"getRecord", "?vendor_id=V"},
    {"deleteRecord", "?vendor_id=V"},
    {"listRecords", "?vendor_id=V"},
    {"listChanges", "?vendor_id=V"},
    {"listConflicts", "?vendor_id=V"},
    {"openStream", "?vendor_id=V"},
    {"listOccurrences", "?vendor_id=V&from=2026-06-01T00:00:00Z&until=2026-07-01T00:00:00Z"},
    {"importCsv", "?file=clients.csv"},
};

std::string replaced(std::string text, std::string_view what, std::string_view by) {
  for (auto at = text.find(what); at != std::string::npos; at = text.find(what, at + by.size()))
    text.replace(at, what.size(), by);
  return text;
}

class Matrix : public ::testing::Test {
protected:
  Matrix() : file_key_(house_.key) {
    rosa_ = addVendor("Rosa");
    ada_ = addVendor("Ada");
    for (auto const role : access::kRoles) {
      auto const made = house_.newKey(role, role == Role::vendor ? rosa_ : "");
      keys_[role] = std::string(made.text.reveal());
      if (role == Role::vendor) rosas_key_id_ = made.key.id;
    }
    adas_key_ = std::string(house_.newKey(Role::vendor, ada_).text.reveal());
  }

  std::string addVendor(std::string name) {
    auto const id = house_.await(house_.engine.addVendor(std::move(name))).value().id;
    house_.await(house_.engine.enablePlugin(id, "garland.caldav")).value();
    return id;
  }
  std::vector<json::value> lines() {
    house_.key = file_key_;
    auto const matrix = house_.ask("GET", std::string(kRoot) + "/roles").json();
    auto const& items = matrix.at("items").as_array();
    return {items.begin(), items.end()};
  }

  // Things of Rosa's, made anew wherever the request before has taken them away.
  std::string connection() {
    sync::ConnectRequest wish;
    wish.vendor_id = rosa_;
    wish.plugin_id = "garland.caldav";
    wish.settings = json::object();
    return house_.await(house_.engine.connect(std::move(wish))).value().connection.id;
  }
  std::string thing(std::string const& kind) {
    if (kind == "vendor") return rosa_;
    if (kind == "connection" || kind == "id") return connection();
    if (kind == "plugin" || kind == "system") return "caldav";
    if (kind == "delivery") return "msg_1";
    if (kind == "endpoint") {
      notify::NewEndpoint wish;
      wish.vendor_id = rosa_;
      wish.url = "https://studio.example/hooks";
      return house_.await(house_.notifier.add(std::move(wish))).value().endpoint.id;
    }
    if (kind == "key") return asks_as_rosa_ ? rosas_key_id_ : house_.newKey(Role::auditor).key.id;
    if (kind == "record") {
      auto adding = house_.engine.addRecord(rosa_, "calendar.event", json::object(), connection());
      return house_.await(std::move(adding)).value().id;
    }
    auto const id = newId(kind == "action" ? "act" : kind == "item" ? "itm" : "whk", house_.clock, random_);
    auto const connection_id = connection();
    house_.onLoop([&] {
      auto& engine = house_.engine;
      if (kind == "action") own(engine.fake_actions.all[id], id, connection_id).created = house_.clock.now();
      if (kind == "item") own(engine.fake_intake.all[id], id, connection_id).received = house_.clock.now();
      if (kind == "webhook")
        own(engine.fake_webhooks.all[id], id, connection_id).received = house_.clock.now();
    });
    return id;
  }
  template <class T> T& own(T& one, std::string const& id, std::string const& connection_id) const {
    one.id = id;
    one.vendor_id = rosa_;
    one.connection_id = connection_id;
    return one;
  }
  std::string filled(std::string path) {
    for (auto open = path.find('{'); open != std::string::npos; open = path.find('{')) {
      auto const close = path.find('}', open);
      path.replace(open, close - open + 1, thing(path.substr(open + 1, close - open - 1)));
    }
    return path;
  }

  Answer ask(json::value const& line, std::string const& key) {
    auto const id = textOr(line, "/operation_id", "");
    asks_as_rosa_ = key == keys_[Role::vendor];
    auto target = filled(textOr(line, "/path", ""));
    if (auto const query = kQueries.find(id); query != kQueries.end())
      target += replaced(query->second, "V", rosa_);
    std::string body;
    if (auto const known = kBodies.find(id); known != kBodies.end())
      body = replaced(replaced(known->second, "\"V\"", "\"" + rosa_ + "\""), "\"C\"",
                      "\"" + connection() + "\"");
    house_.key = key;
    house_.onLoop([&] { house_.book.told.clear(); });
    auto const answer = house_.ask(textOr(line, "/method", ""), target, body,
                                   id == "importCsv" ? "Content-Type: text/csv\r\n" : "");
    house_.key = file_key_;
    return answer;
  }
  // Why the last request was refused at the door, as the audit chain tells it.
  std::vector<std::string> refusals() {
    return house_.onLoop([&] {
      std::vector<std::string> out;
      for (auto const& event : house_.book.told)
        if (event.kind == audit::Kind::refusal && event.facts.contains("why"))
          out.emplace_back(event.facts.at("why").as_string());
      return out;
    });
  }
  static std::string nameOf(json::value const& line) {
    return textOr(line, "/method", "") + " " + textOr(line, "/path", "");
  }
  // Of many vendors' things; a stream is none, since it has no end.
  static bool isList(json::value const& line) {
    return textOr(line, "/method", "") == "GET" && textOr(line, "/roles/vendor", "") == "own" &&
           textOr(line, "/path", "").find('{') == std::string::npos &&
           textOr(line, "/operation_id", "") != "openStream";
  }
  // How many things a list holds; -1: the answer is no list.
  std::ptrdiff_t held(std::string const& target) {
    auto const answer = house_.ask("GET", target);
    auto const body = answer.status == 200 ? answer.json() : json::value();
    auto const* items = find(body, "/items");
    return items != nullptr && items->is_array() ? std::ssize(items->get_array()) : -1;
  }

  Harness house_;
  SeededRandom random_{11};
  std::string file_key_, rosa_, ada_, adas_key_, rosas_key_id_;
  bool asks_as_rosa_ = false;
  std::map<Role, std::string> keys_;
};

TEST_F(Matrix, EveryRouteLetsInTheRolesThatItSaysAndNoOthers) {
  for (auto const& line : lines()) {
    if (!boolOr(line, "/key", false)) continue;
    for (auto const role : access::kRoles) {
      auto const word = textOr(line, "/roles/" + std::string(access::name(role)), "");
      auto const answer = ask(line, keys_[role]);
      auto const what = nameOf(line) + " as " + std::string(access::name(role)) + ": " + answer.body;
      if (word == "none") {
        EXPECT_EQ(answer.status, 403) << what;
        EXPECT_THAT(refusals(), ::testing::ElementsAre("role")) << what;
      } else {
        EXPECT_THAT(refusals(), IsEmpty()) << what;
        EXPECT_TRUE(answer.status != 401 && answer.status != 403 && answer.status < 500) << what;
      }
    }
  }
}

TEST_F(Matrix, NoRouteLetsAVendorReachAnothersThings) {
  int tried = 0;
  for (auto const& line : lines()) {
    if (textOr(line, "/roles/vendor", "") != "own") continue;
    // Without a word of whose they are, a list holds the vendor's own only: see below.
    if (isList(line) && !kQueries.contains(textOr(line, "/operation_id", ""))) continue;
    auto const answer = ask(line, adas_key_);
    EXPECT_TRUE(answer.status == 403 || answer.status == 404)
        << nameOf(line) << ": " << answer.status << answer.body;
    EXPECT_THAT(refusals(), ::testing::ElementsAre("vendor")) << nameOf(line) << answer.body;
    ++tried;
  }
  EXPECT_GT(tried, 50);
}

TEST_F(Matrix, WithoutAKeyOnlyOpenRoutesAnswer) {
  for (auto const& line : lines()) {
    if (!boolOr(line, "/key", false)) continue;
    auto client = house_.client();
    client.send(textOr(line, "/method", "") + " " + filled(textOr(line, "/path", "")) +
                " HTTP/1.1\r\nHost: " + house_.host() + "\r\nContent-Length: 0\r\n\r\n");
    EXPECT_EQ(client.read().status, 401) << nameOf(line);
  }
}

TEST_F(Matrix, AListHoldsTheThingsOfTheKeysVendorOnly) {
  for (auto const* kind : {"connection", "record", "action", "item", "webhook", "endpoint"}) thing(kind);
  int tried = 0;
  for (auto const& line : lines()) {
    if (!isList(line)) continue;
    auto const list = textOr(line, "/path", "");
    house_.key = adas_key_;
    EXPECT_EQ(held(list), 0) << list;
    EXPECT_EQ(house_.ask("GET", list + "?vendor_id=" + rosa_).status, 403) << list;
    EXPECT_EQ(house_.ask("GET", list + "?vendor_id=").status, 403) << list << ": nobody is not everybody";
    house_.key = keys_[Role::vendor];
    EXPECT_EQ(held(list), 1) << list;
    EXPECT_EQ(held(list + "?vendor_id=" + rosa_), 1) << list;
    ++tried;
  }
  EXPECT_EQ(tried, 8);
}

TEST_F(Matrix, WhatIsAnothersAndWhatIsNobodysLookAlike) {
  auto const one = [&](std::string const& id) {
    house_.key = adas_key_;
    auto const answer = house_.ask("GET", std::string(kRoot) + "/connections/" + id);
    EXPECT_EQ(answer.status, 404);
    return replaced(textOr(answer.json(), "/detail", ""), id, "ID");
  };
  auto const nobodys = newId("con", house_.clock, random_);
  EXPECT_EQ(one(connection()), one(nobodys));
}

TEST_F(Matrix, ARecordIsNotPutIntoAnothersConnection) {
  auto const body = replaced(replaced(kBodies.at("addRecord"), "\"V\"", "\"" + ada_ + "\""), "\"C\"",
                             "\"" + connection() + "\"");
  house_.key = adas_key_;
  EXPECT_EQ(house_.ask("POST", std::string(kRoot) + "/records", body).status, 404);
}

TEST_F(Matrix, AVendorReplaysItsOwnWebhooksOnlyAndSaysWhich) {
  house_.key = keys_[Role::vendor];
  auto const replay = std::string(kRoot) + "/webhooks/replay";
  EXPECT_EQ(house_.ask("POST", replay, R"({"state":"dead"})").status, 403);
  EXPECT_EQ(house_.ask("POST", replay, R"({"connection_id":")" + connection() + "\"}").status, 200);
}

TEST_F(Matrix, AVendorRotatesTheKeyThatItShowsAndNoOther) {
  auto const first = house_.newKey(Role::vendor, rosa_);
  auto const rotate = [&](std::string const& id) {
    return house_.ask("POST", std::string(kRoot) + "/keys/" + id + "/rotate", "{}");
  };
  house_.key = std::string(first.text.reveal());
  EXPECT_EQ(rotate(rosas_key_id_).status, 404) << "nor another one of the same vendor";
  EXPECT_EQ(rotate(house_.newKey(Role::vendor, ada_).key.id).status, 404);
  EXPECT_EQ(rotate(house_.newKey(Role::operator_).key.id).status, 404);
  auto const answer = rotate(first.key.id);
  ASSERT_EQ(answer.status, 201) << answer.body;
  auto const next = answer.json();
  EXPECT_EQ(textOr(next, "/role", ""), "vendor");
  EXPECT_EQ(textOr(next, "/vendor_id", ""), rosa_);
  EXPECT_EQ(parseRfc3339(textOr(next, "/expires", "")).value(), first.key.expires) << "as long a life";
  EXPECT_EQ(rotate(first.key.id).status, 409) << "once";
  house_.key = textOr(next, "/key", "");
  auto const list = std::string(kRoot) + "/connections?vendor_id=";
  EXPECT_EQ(house_.ask("GET", list + rosa_).status, 200);
  EXPECT_EQ(house_.ask("GET", list + ada_).status, 403);
  EXPECT_EQ(rotate(first.key.id).status, 404) << "it is not the one that is shown";
}

TEST_F(Matrix, OnlyAnOperatorAllowsAPrivateNetwork) {
  auto const wish = [&](std::string const& key) {
    house_.key = key;
    auto const body =
        R"({"vendor_id":")" + rosa_ + R"(","url":"https://10.0.0.7/hooks","allow_private_network":true})";
    return house_.ask("POST", std::string(kRoot) + "/endpoints", body).status;
  };
  EXPECT_EQ(wish(keys_[Role::vendor]), 403);
  EXPECT_EQ(wish(keys_[Role::operator_]), 201);
}

TEST_F(Matrix, WhatMayReachAPrivateNetworkIsChangedByAnOperatorOnly) {
  auto const endpoint = thing("endpoint");
  house_.onLoop([&] { house_.notifier.all[endpoint].allow_private_network = true; });
  auto const change = [&](std::string const& key) {
    house_.key = key;
    return house_
        .ask("PATCH", std::string(kRoot) + "/endpoints/" + endpoint, R"({"url":"https://10.0.0.9/"})")
        .status;
  };
  EXPECT_EQ(change(keys_[Role::vendor]), 403);
  EXPECT_EQ(change(keys_[Role::operator_]), 200);
}

// It is visited by the rules of its connection.
TEST_F(Matrix, AMailboxInAPrivateNetworkIsNamedByAnOperatorOnly) {
  sync::ConnectRequest wish;
  wish.vendor_id = rosa_;
  wish.plugin_id = "garland.caldav";
  wish.settings = json::object();
  wish.allow_private_network = true;
  auto const inside = house_.await(house_.engine.connect(std::move(wish))).value().connection.id;
  auto const watch = [&](std::string const& key) {
    house_.key = key;
    return house_
        .ask("PUT", std::string(kRoot) + "/connections/" + inside + "/imap",
             R"({"url":"imaps://10.0.0.9","user":"rosa","password":"secret"})")
        .status;
  };
  EXPECT_EQ(watch(keys_[Role::vendor]), 403);
  EXPECT_EQ(watch(keys_[Role::operator_]), 200);
}

TEST_F(Matrix, AVendorIsNotToldOfTheCrashesOfOthersCalls) {
  house_.onLoop([&] {
    for (auto const& vendor : {rosa_, ada_}) {
      runtime::SupervisorEvent event;
      event.plugin_id = "garland.caldav";
      event.call.emplace();
      event.call->vendor_id = vendor;
      house_.supervisor.told.push_back(std::move(event));
    }
  });
  auto const seen = [&](std::string const& key) {
    house_.key = key;
    return house_.ask("GET", std::string(kRoot) + "/plugins/caldav").json().at("events").as_array().size();
  };
  EXPECT_EQ(seen(adas_key_), 1U);
  EXPECT_EQ(seen(keys_[Role::reviewer]), 2U);
}

TEST_F(Matrix, TheDocumentTellsTheSame) {
  auto const document = house_.ask("GET", "/openapi.json").json();
  std::size_t operations = 0;
  for (auto const& line : lines()) {
    auto method = textOr(line, "/method", "");
    for (char& c : method) c = static_cast<char>(c + 32);
    auto const& operation = document.at("paths").at(textOr(line, "/path", "")).at(method);
    EXPECT_EQ(operation.at("x-garland-roles"), line.at("roles")) << nameOf(line);
    ++operations;
  }
  EXPECT_EQ(operations, permissions().size());
}

TEST(Permissions, WhatNobodyButAnOperatorMayIsKnownByHeart) {
  for (auto const* id :
       {"addKey", "revokeKey", "rekeyVault", "exportVault", "importVault", "makeBackup", "exportPersonalData",
        "erasePersonalData", "addVendor", "listVendors", "enablePlugin", "disablePlugin"})
    for (auto const role : access::kRoles)
      EXPECT_EQ(allows(*permissionOf(id), role), role == Role::operator_) << id;
  for (auto const& row : permissions()) {
    bool const reads_people = row.reach != Reach::nobodys;
    for (auto const role : {Role::partner, Role::reviewer, Role::auditor})
      if (reads_people) EXPECT_FALSE(allows(row, role)) << row.operation_id;
  }
}

Route some(std::string_view id) { return Route{"GET", "/x", id, "A route."}; }

std::string problemWith(std::vector<Route> const& routes) {
  auto const checked = checkPermissions(routes);
  return checked ? "" : checked.error().message;
}

TEST(Permissions, ARouteThatNobodyHasDecidedAboutIsNotServed) {
  EXPECT_THAT(problemWith({some("listSecrets")}), ::testing::HasSubstr("no row"));
  auto open = some("getVault");
  open.open = true;
  EXPECT_THAT(problemWith({open}), ::testing::HasSubstr("not by both"));
  EXPECT_THAT(problemWith({some("listConnections")}), ::testing::HasSubstr("takes no vendor_id"));
  EXPECT_THAT(problemWith({some("getVault")}), ::testing::HasSubstr("which is no route"));
}

} // namespace
} // namespace garland::api
