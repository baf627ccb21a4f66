// What the routes tell whoever operates the daemon: plugins and their workers, packages, health, nodes and
// metrics.
#include "host/api/testing/connected.h"
#include "host/base/test_carrier.h"

#include <gmock/gmock.h>

namespace garland::api {
namespace {

using ::testing::AllOf;
using testing::base;
using testing::Connected;
using testing::Harness;
using ::testing::HasSubstr;
using ::testing::Not;
using testing::textOf;

TEST(OperatorsRoutes, APluginShowsHowItsWorkersDo) {
  Harness house;
  using Kind = runtime::SupervisorEvent::Kind;
  auto const plugin = house.ask("GET", std::string(base) + "/plugins").json().at("items").at(0);
  auto const id = textOr(plugin, "/id", "");
  auto const digest = textOr(plugin, "/digest", "");
  auto const told = [](std::string plugin_id, Kind kind, std::string reason) {
    runtime::SupervisorEvent event;
    event.plugin_id = std::move(plugin_id);
    event.kind = kind;
    event.reason = std::move(reason);
    return event;
  };
  house.onLoop([&] {
    runtime::WorkerStatus worker;
    worker.plugin_id = id;
    worker.digest = digest;
    worker.state = "quarantined";
    worker.restarts = 1;
    runtime::Standing standing{std::make_shared<runtime::PluginInfo>(testing::somePlugin(id, "")), "", 4};
    house.supervisor.stands = standing;
    worker.quarantine = "it died too often";
    worker.last_crash = TimePoint{};
    house.supervisor.list.push_back(worker);
    house.supervisor.told.push_back(told(id, Kind::crashed, "was killed by SIGSEGV"));
    house.supervisor.told.back().call = runtime::CallPlace{"calendar.pull/1", "ven_1", "con_1", ""};
    house.supervisor.told.push_back(told(id, Kind::halfOpen, "its worker died 5 times"));
    house.supervisor.told.push_back(told("somebody.else", Kind::crashed, "was killed by SIGBUS"));
  });
  auto const shown = house.ask("GET", std::string(base) + "/plugins/" + id).json();
  EXPECT_EQ(textOr(shown, "/state", ""), "quarantined");
  EXPECT_EQ(textOr(shown, "/quarantine", ""), "it died too often");
  EXPECT_EQ(shown.at("restarts").to_number<int>(), 4);
  EXPECT_EQ(textOr(shown, "/last_crash/reason", ""), "was killed by SIGSEGV");
  ASSERT_EQ(shown.at("events").as_array().size(), 2U);
  EXPECT_EQ(textOr(shown, "/events/0/call/connection_id", ""), "con_1");
  EXPECT_EQ(textOr(shown, "/events/1/kind", ""), "half_open");
  EXPECT_TRUE(shown.at("events").at(1).at("call").is_null());
  EXPECT_EQ(shown.at("workers").as_array().size(), 1U);
}

TEST(OperatorsRoutes, TheListOfPluginsAndTheHealthTellQuarantineAndHalfOpen) {
  Harness house;
  auto const listed = [&] {
    return house.ask("GET", std::string(base) + "/plugins").json().at("items").at(0);
  };
  EXPECT_EQ(textOr(listed(), "/state", ""), "stopped");
  EXPECT_EQ(textOr(house.ask("GET", "/health").json(), "/status", ""), "ok");
  runtime::WorkerStatus worker;
  worker.plugin_id = textOr(listed(), "/id", "");
  for (auto const* const state : {"half open", "quarantined"}) {
    worker.state = state;
    house.onLoop([&] { house.supervisor.list = {worker}; });
    EXPECT_EQ(textOr(listed(), "/state", ""), state);
    auto const health = house.ask("GET", "/health").json();
    EXPECT_EQ(textOr(health, "/status", ""), "degraded");
    EXPECT_EQ(textOr(health, "/troubles/0", ""), worker.plugin_id + " is " + state);
  }
}

TEST(OperatorsRoutes, TheVersionThatRunsIsToldFromTheInstalledOne) {
  Harness house;
  auto runs = testing::somePlugin("garland.caldav", "");
  runs.manifest.version = "0.9.0";
  runtime::Standing const standing{std::make_shared<runtime::PluginInfo>(runs), "it dies; 0.9.0 goes on", 0};
  house.onLoop([&] { house.supervisor.stands = standing; });
  auto const listed = house.ask("GET", std::string(base) + "/plugins").json().at("items").at(0);
  EXPECT_EQ(textOr(listed, "/version", ""), "0.9.0");
  EXPECT_EQ(textOr(listed, "/installed_version", ""), "1.0.0");
  EXPECT_EQ(textOr(listed, "/refusal", ""), "it dies; 0.9.0 goes on");
}

TEST(OperatorsRoutes, WhatIsSetAsideAtAConnectionMayBeRetried) {
  Harness house;
  Connected const who(house);
  auto const path = std::string(base) + "/connections/" + who.connection + "/retry";
  EXPECT_EQ(house.ask("POST", path).status, 409);
  house.onLoop([&] { house.engine.set_aside = 2; });
  auto const answer = house.ask("POST", path);
  EXPECT_EQ(answer.status, 200) << answer.body;
  EXPECT_EQ(answer.json(), (json::value{{"retried", 2}}));
}

TEST(OperatorsRoutes, ARescanTellsWhatBecameOfEachPlugin) {
  Harness house;
  runtime::Adoption upgraded;
  upgraded.plugin_id = "garland.caldav";
  upgraded.outcome = runtime::Adoption::Outcome::upgraded;
  upgraded.version = "1.1.0";
  upgraded.words = "garland.caldav 1.1.0 takes new calls";
  house.onLoop([&] { house.supervisor.found = {upgraded}; });
  auto const answer = house.ask("POST", std::string(base) + "/plugins/rescan");
  EXPECT_EQ(answer.status, 200) << answer.body;
  EXPECT_EQ(answer.json(), (json::value{{"items", json::array{runtime::toJson(upgraded)}}}));
  house.ask("POST", std::string(base) + "/plugins/rescan?allow_downgrade=1");
  EXPECT_EQ(house.onLoop([&] { return house.supervisor.rescans; }), (std::vector<bool>{false, true}));
  EXPECT_EQ(house.ask("POST", std::string(base) + "/plugins/rescan?downgrade=1").status, 400);
}

TEST(OperatorsRoutes, APackageIsInstalledByANameInTheDataFolderOnly) {
  Harness house;
  auto const install = [&](std::string const& file) {
    return house.ask("POST", std::string(base) + "/plugins/install", R"({"file":")" + file + R"("})").status;
  };
  EXPECT_EQ(install("incoming-1a"), 200);
  for (auto const* file : {"../../etc/passwd", "incoming-../x", "/tmp/x.gpk", "garland.caldav.gpk"})
    EXPECT_EQ(install(file), 400) << file;
}

TEST(OperatorsRoutes, HealthNamesAStrangersPluginBeforeThoseThatCameWithGarland) {
  Harness house;
  house.onLoop([&] { house.install(testing::somePlugin("zoo.keeper", "")); });
  auto const uncertified = house.ask("GET", "/health").json().at("uncertified").as_array();
  ASSERT_EQ(uncertified.size(), 2U);
  EXPECT_EQ(uncertified.at(0), "zoo.keeper: system build");
  EXPECT_EQ(uncertified.at(1), "garland.caldav: system build");
}

TEST(OperatorsRoutes, HealthNamesWhatRunsWithoutAnAttestationAndWhoseEndsSoon) {
  Harness house;
  auto const health = [&] { return house.ask("GET", "/health").json(); };
  EXPECT_EQ(textOr(health(), "/uncertified/0", ""), "garland.caldav: system build");
  auto& told = house.supervisor.provenance;
  house.onLoop([&] {
    told.kind = runtime::Provenance::Kind::certified;
    told.level = "gold";
    told.expires = house.clock.now() + std::chrono::hours(24 * 15);
  });
  EXPECT_EQ(health().at("uncertified").as_array().size(), 0U);
  EXPECT_EQ(textOr(health(), "/status", ""), "ok");
  house.onLoop([&] { told.expires = house.clock.now() + std::chrono::hours(24 * 13); });
  EXPECT_NE(textOr(health(), "/troubles/0", "").find("garland.caldav is certified until 20"),
            std::string::npos);
  auto const plugin = house.ask("GET", std::string(base) + "/plugins/caldav").json();
  EXPECT_EQ(textOr(plugin, "/certified", "").find("gold until 20"), 0U);
}

TEST(OperatorsRoutes, AReleasedPluginsInstalledBuildIsTakenOverAtOnce) {
  Harness house;
  runtime::Adoption upgraded;
  upgraded.plugin_id = "garland.caldav";
  upgraded.outcome = runtime::Adoption::Outcome::upgraded;
  house.onLoop([&] { house.supervisor.found = {upgraded}; });
  EXPECT_EQ(house.ask("POST", std::string(base) + "/plugins/nothing/release").status, 404);
  EXPECT_EQ(house.ask("POST", std::string(base) + "/plugins/caldav/release").status, 409);
  EXPECT_TRUE(house.onLoop([&] { return house.supervisor.rescans; }).empty());
  house.onLoop([&] { house.supervisor.in_quarantine = true; });
  auto const answer = house.ask("POST", std::string(base) + "/plugins/caldav/release");
  EXPECT_EQ(answer.status, 200) << answer.body;
  EXPECT_EQ(textOr(answer.json(), "/items/0/outcome", ""), "released");
  EXPECT_EQ(textOr(answer.json(), "/items/1/outcome", ""), "upgraded");
}

TEST(OperatorsRoutes, NodesAndMetricsTellWhetherTheCarrierIsThere) {
  TestCarrier carrier;
  Harness house(Options(), testing::kWebhooks, &carrier);
  auto const said = [&] {
    auto const nodes = parseJson(house.ask("GET", std::string(base) + "/nodes").body).value();
    return json::serialize(*find(nodes, "/carrier")) + house.ask("GET", "/metrics").body;
  };
  EXPECT_THAT(said(), AllOf(HasSubstr(R"("connected":true)"), HasSubstr("garland_carrier_connected 1")));
  house.onLoop([&] { carrier.is_connected = false; });
  EXPECT_THAT(said(), AllOf(HasSubstr(R"("connected":false)"), HasSubstr("garland_carrier_connected 0")));
}

TEST(OperatorsRoutes, WithoutACarrierNobodySpeaksOfOne) {
  Harness house;
  EXPECT_THAT(house.ask("GET", std::string(base) + "/nodes").body, Not(HasSubstr("carrier")));
  EXPECT_THAT(house.ask("GET", "/metrics").body, Not(HasSubstr("garland_carrier")));
}

TEST(OperatorsRoutes, MetricsCountRequestsByRouteAndRunsByOutcome) {
  Harness house;
  runtime::WorkerStatus worker;
  worker.plugin_id = "garland.caldav";
  worker.state = "idle";
  worker.restarts = 3;
  house.onLoop([&] { house.supervisor.list.push_back(worker); });
  house.ask("GET", std::string(base) + "/connections/con_1");
  auto const text = house.ask("GET", "/metrics").body;
  EXPECT_NE(
      text.find(
          R"(garland_http_requests_total{method="GET",route="/api/integrations/connections/{connection}",status="404"} 1)"),
      std::string::npos)
      << text;
  EXPECT_NE(text.find(R"(garland_worker_restarts{plugin="garland.caldav"} 3)"), std::string::npos);
  EXPECT_NE(text.find("process_resident_memory_bytes"), std::string::npos);
  auto metrics = Metrics::create("1", "sqlite");
  for (int const status : {200, 200, 404}) metrics->requestEnded("GET", "/a", status, Milliseconds(3));
  metrics->requestEnded("BREW", "", 404, Milliseconds(3));
  sync::Run run;
  run.state = "done";
  run.pulled.created = 60;
  metrics->runEnded(run);
  runtime::SupervisorEvent event;
  event.plugin_id = "garland.caldav";
  event.kind = runtime::SupervisorEvent::Kind::poisoned;
  metrics->pluginEvent(event);
  auto const after = metrics->render(Gauges());
  EXPECT_NE(after.find(R"(garland_plugin_events_total{kind="poisoned",plugin="garland.caldav"} 1)"),
            std::string::npos)
      << after;
  EXPECT_NE(after.find(R"(garland_http_requests_total{method="GET",route="/a",status="200"} 2)"),
            std::string::npos)
      << after;
  EXPECT_NE(after.find(R"(garland_http_requests_total{method="other",route="none",status="404"} 1)"),
            std::string::npos);
  EXPECT_NE(after.find(R"(garland_http_request_seconds_count{route="/a"} 3)"), std::string::npos);
  EXPECT_NE(after.find(R"(garland_sync_runs_total{outcome="done"} 1)"), std::string::npos);
  EXPECT_NE(after.find(R"(garland_records_pulled_total{result="created"} 60)"), std::string::npos);
}

} // namespace
} // namespace garland::api
