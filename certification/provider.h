// The provider as a case has it: the connector's twin in a worker of its own, asked in process, without a
// socket. One that is served over HTTP: served_provider.h.
#pragma once

#include "host/runtime/runtime.h"

#include <string>
#include <utility>

namespace garland::certification {

struct ProviderRequest {
  std::string method;
  std::string target; // path and query
  std::string origin; // "https://api.example.com"
  std::vector<std::pair<std::string, std::string>> headers;
  std::string body;
};

class Provider {
public:
  Provider() = default;
  Provider(Provider const&) = delete;
  Provider& operator=(Provider const&) = delete;
  virtual ~Provider() = default;
  // As host/egress would tell it, transport faults of the twin included. An error with provider_code
  // "twin_failed" is trouble of the harness.
  virtual Task<runtime::HttpAnswer> serve(ProviderRequest request) = 0;
  // A reserved path, "/_twin/state"; the answer's JSON.
  virtual Task<json::value> control(std::string method, std::string path, json::value body) = 0;
  // What it sent by itself since the last time, as a twin tells it.
  virtual json::array takeNotices() { return json::array(); }
  // How far its clock is ahead of the connector's.
  void setAhead(Milliseconds span) { ahead_ = span; }
  Milliseconds ahead() const { return ahead_; }

private:
  Milliseconds ahead_{0};
};

// Everything must outlive it. [loop thread]
class OwnTwin final : public Provider {
public:
  OwnTwin(runtime::Supervisor& supervisor, runtime::PluginClock const& clock, Log const& log,
          runtime::PluginInfo const& twin, std::uint64_t seed, std::int64_t volume);

  Task<runtime::HttpAnswer> serve(ProviderRequest request) override;
  Task<json::value> control(std::string method, std::string path, json::value body) override;
  json::array takeNotices() override { return std::exchange(notices_, json::array()); }

private:
  Task<json::value> ask(ProviderRequest request);

  runtime::Supervisor& supervisor_;
  runtime::PluginClock const& clock_;
  Log const& log_;
  runtime::PluginInfo const& twin_;
  std::string account_;
  json::array notices_; // sent and not taken yet
};

} // namespace garland::certification
