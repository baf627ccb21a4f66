// prometheus-cpp lives here alone. Labels are routes and kinds, never ids: their number is bounded.
#include "host/api/api.h"

#include <prometheus/counter.h>
#include <prometheus/gauge.h>
#include <prometheus/histogram.h>
#include <prometheus/registry.h>
#include <prometheus/text_serializer.h>

#include <unistd.h>

#include <fstream>
#include <functional>
#include <map>
#include <tuple>

namespace garland::api {

namespace {

using prometheus::Counter;
using prometheus::Family;
using prometheus::Gauge;
using prometheus::Histogram;

std::size_t residentBytes() {
  std::ifstream statm("/proc/self/statm");
  std::size_t total = 0;
  std::size_t resident = 0;
  statm >> total >> resident;
  return resident * static_cast<std::size_t>(sysconf(_SC_PAGESIZE));
}

Family<Counter>& counters(prometheus::Registry& registry, char const* name, char const* help) {
  return prometheus::BuildCounter().Name(name).Help(help).Register(registry);
}

Family<Gauge>& gauges(prometheus::Registry& registry, char const* name, char const* help) {
  return prometheus::BuildGauge().Name(name).Help(help).Register(registry);
}

class PrometheusMetrics final : public Metrics {
public:
  PrometheusMetrics(std::string_view version, std::string_view driver) {
    gauges(registry_, "garland_build_info", "Version and database driver of this daemon; always 1.")
        .Add({{"version", std::string(version)}, {"database", std::string(driver)}})
        .Set(1);
  }

  void requestEnded(std::string_view method, std::string_view route, int status, Milliseconds took) override {
    std::string_view const label = route.empty() ? std::string_view("none") : route;
    // A method that nobody serves must not make a new series each time.
    std::string_view const verb = route.empty() ? std::string_view("other") : method;
    auto known = request_series_.find(std::tuple(label, verb, status));
    if (known == request_series_.end())
      known = request_series_.emplace(std::tuple(label, verb, status), newSeries(verb, label, status)).first;
    auto& series = known->second;
    series.count->Increment();
    series.latency->Observe(static_cast<double>(took.count()) / 1000.0);
  }

  void runEnded(sync::Run const& run) override {
    runs_.Add({{"outcome", run.state}}).Increment();
    count(pulled_, run.pulled);
    count(pushed_, run.pushed);
    echoes_.Increment(static_cast<double>(run.echoes));
  }

  void pluginEvent(runtime::SupervisorEvent const& event) override {
    plugin_events_.Add({{"plugin", event.plugin_id}, {"kind", std::string(runtime::name(event.kind))}})
        .Increment();
  }

  void webhookCame(std::string_view system, std::string_view outcome) override {
    auto known = webhook_counters_.find(std::tuple(system, outcome));
    if (known == webhook_counters_.end()) {
      auto& counter = webhooks_.Add({{"system", std::string(system)}, {"outcome", std::string(outcome)}});
      known = webhook_counters_.emplace(std::tuple(system, outcome), &counter).first;
    }
    known->second->Increment();
  }

  void endpointTold(std::string_view outcome) override {
    endpoints_.Add({{"outcome", std::string(outcome)}}).Increment();
  }
  void streamEnded(std::string_view kind, std::string_view outcome) override {
    streams_ended_.Add({{"kind", std::string(kind)}, {"outcome", std::string(outcome)}}).Increment();
  }

  std::string render(Gauges const& moment) override {
    subscribers_.Set(static_cast<double>(moment.streams.subscribers));
    stream_lag_.Set(static_cast<double>(moment.streams.most_behind));
    stream_memory_.Set(static_cast<double>(moment.streams.tail_bytes));
    handed_out_.Increment(static_cast<double>(moment.streams.handed_out) - handed_out_.Value());
    connections_.Set(static_cast<double>(moment.open_connections));
    show(moment.load);
    if (moment.carrier_connected) carrier_.Add({}).Set(*moment.carrier_connected ? 1 : 0);
    memory_.Set(static_cast<double>(residentBytes()));
    for (auto& [key, gauge] : worker_states_) gauge->Set(0);
    for (runtime::WorkerStatus const& worker : moment.workers) {
      restarts_.Add({{"plugin", worker.plugin_id}}).Set(static_cast<double>(worker.restarts));
      in_flight_.Add({{"plugin", worker.plugin_id}}).Set(static_cast<double>(worker.in_flight));
      auto& gauge = workers_.Add({{"plugin", worker.plugin_id}, {"state", worker.state}});
      worker_states_[worker.plugin_id + "/" + worker.state] = &gauge;
      gauge.Increment();
    }
    return prometheus::TextSerializer().Serialize(registry_.Collect());
  }

private:
  struct RequestSeries {
    Counter* count = nullptr;
    Histogram* latency = nullptr;
  };
  RequestSeries newSeries(std::string_view method, std::string_view route, int status) {
    static Histogram::BucketBoundaries const seconds{0.001, 0.005, 0.02, 0.1, 0.5, 2, 10, 60, 600};
    std::string const label(route);
    auto& count = requests_.Add(
        {{"method", std::string(method)}, {"route", label}, {"status", std::to_string(status)}});
    return RequestSeries{&count, &latency_.Add({{"route", label}}, seconds)};
  }

  void show(sync::Load const& load) {
    auto const set = [](Gauge& gauge, std::size_t value) { gauge.Set(static_cast<double>(value)); };
    auto const reach = [](Counter& counter, std::uint64_t value) {
      counter.Increment(static_cast<double>(value) - counter.Value());
    };
    set(runs_now_, load.runs);
    set(runs_waiting_, load.runs_waiting);
    set(lanes_, load.lanes);
    set(turns_waiting_, load.turns_waiting);
    set(requests_waiting_, load.requests_waiting);
    set(paces_, load.paces);
    reach(requests_held_, load.requests_held);
    reach(requests_refused_, load.requests_refused);
    reach(wake_ups_, load.wake_ups);
  }

  static void count(Family<Counter>& family, sync::Counts const& counts) {
    auto const add = [&](char const* result, std::int64_t n) {
      family.Add({{"result", result}}).Increment(static_cast<double>(n));
    };
    add("created", counts.created);
    add("updated", counts.updated);
    add("deleted", counts.deleted);
    add("unchanged", counts.unchanged);
    add("failed", counts.failed);
  }

  prometheus::Registry registry_;
  Family<Counter>& requests_ =
      counters(registry_, "garland_http_requests_total", "Requests answered, by route and status.");
  Family<Histogram>& latency_ = prometheus::BuildHistogram()
                                    .Name("garland_http_request_seconds")
                                    .Help("Time from a complete request to its answer.")
                                    .Register(registry_);
  Family<Counter>& runs_ = counters(registry_, "garland_sync_runs_total", "Sync runs ended, by outcome.");
  Family<Counter>& pulled_ =
      counters(registry_, "garland_records_pulled_total", "Remote items seen by ended runs, by result.");
  Family<Counter>& pushed_ =
      counters(registry_, "garland_records_pushed_total", "Local edits written by ended runs, by result.");
  Family<Counter>& plugin_events_ =
      counters(registry_, "garland_plugin_events_total",
               "Crashes, restarts, quarantines and the like, by plugin and kind.");
  Family<Counter>& webhooks_ = counters(registry_, "garland_webhooks_total",
                                        "Requests to the addresses of webhooks, by connector and outcome.");
  // By system and outcome, and by route, method and status: to look a series up by its labels costs more than
  // most of what it counts.
  std::map<std::tuple<std::string, std::string>, Counter*, std::less<>> webhook_counters_;
  std::map<std::tuple<std::string, std::string, int>, RequestSeries, std::less<>> request_series_;
  Family<Counter>& endpoints_ =
      counters(registry_, "garland_endpoint_attempts_total",
               "Attempts to tell an endpoint of a vendor what has changed, by outcome; and what followed: "
               "deliveries given up, endpoints disabled.");
  Counter& echoes_ =
      counters(registry_, "garland_sync_echoes_total", "Own writes that came back and were dropped.").Add({});
  Family<Gauge>& restarts_ = gauges(registry_, "garland_worker_restarts",
                                    "Times the worker of a plugin was restarted since the daemon's start.");
  Family<Gauge>& in_flight_ = gauges(registry_, "garland_worker_calls", "Calls in flight, by plugin.");
  Family<Gauge>& workers_ = gauges(registry_, "garland_workers", "Worker processes, by plugin and state.");
  Gauge& connections_ = gauges(registry_, "garland_http_connections", "Open connections.").Add({});
  Family<Counter>& streams_ended_ = counters(registry_, "garland_streams_ended_total",
                                             "Subscribers that are gone, by kind of stream and outcome.");
  Gauge& subscribers_ =
      gauges(registry_, "garland_stream_subscribers", "Subscribers of the change feed.").Add({});
  Gauge& stream_lag_ = gauges(registry_, "garland_stream_lag_changes",
                              "Changes between the end of a feed and its last subscriber; the largest.")
                           .Add({});
  Gauge& stream_memory_ =
      gauges(registry_, "garland_stream_tail_bytes", "Memory of the changes that subscribers share.").Add({});
  Counter& handed_out_ =
      counters(registry_, "garland_stream_events_total", "Changes handed out to subscribers.").Add({});
  Gauge& runs_now_ = gauges(registry_, "garland_sync_runs", "Sync runs that have not ended.").Add({});
  Gauge& runs_waiting_ =
      gauges(registry_, "garland_sync_runs_waiting", "Of those, the ones that wait for a place.").Add({});
  Gauge& lanes_ = gauges(registry_, "garland_lanes",
                         "Connections that are called, or wait for that; others take no memory.")
                      .Add({});
  Gauge& turns_waiting_ =
      gauges(registry_, "garland_turns_waiting", "Calls that wait for their connection.").Add({});
  Gauge& requests_waiting_ =
      gauges(registry_, "garland_requests_waiting", "Requests that wait for a provider's limit.").Add({});
  Gauge& paces_ = gauges(registry_, "garland_paces",
                         "Connections and apps whose requests were counted in the last seconds.")
                      .Add({});
  Counter& requests_held_ = counters(registry_, "garland_requests_held_total",
                                     "Requests that could not go at once, for a provider's limit.")
                                .Add({});
  Counter& requests_refused_ = counters(registry_, "garland_requests_given_up_total",
                                        "Of those, the ones that would have waited too long.")
                                   .Add({});
  Counter& wake_ups_ =
      counters(registry_, "garland_schedule_wake_ups_total", "Times the schedule looked what is due.")
          .Add({});
  Family<Gauge>& carrier_ =
      gauges(registry_, "garland_carrier_connected",
             "Whether what this daemon does is told to others at once by NATS (1), or found by them within "
             "seconds (0); no series without NATS.");
  Gauge& memory_ =
      gauges(registry_, "process_resident_memory_bytes", "Resident memory of the daemon.").Add({});
  std::map<std::string, Gauge*> worker_states_;
};

} // namespace

std::unique_ptr<Metrics> Metrics::create(std::string_view version, std::string_view database_driver) {
  return std::make_unique<PrometheusMetrics>(version, database_driver);
}

} // namespace garland::api
