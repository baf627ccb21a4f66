// What the connector may ask of the host in a case. As host/sync has it for a daemon, with egress replaced by
// the twin: the manifest's hosts, the credential, the limits are kept the same way, and everything is written
// down.
#pragma once

#include "certification/bench.h"
#include "certification/provider.h"

#include <functional>
#include <map>
#include <string>

namespace garland::certification {

using Store = std::map<std::string, std::pair<runtime::KvEntry, TimePoint>>; // with when it is forgotten

// Lives as long as its call; what it names outlives it.
class CaseHost final : public runtime::CallHost {
public:
  struct Surroundings {
    Subject const& subject;
    World const& world;
    runtime::PluginClock& clock;
    Provider* provider; // null: there is no twin
    Store& store;
    Journal& journal;
    std::function<void()> cancel;  // the running operation
    std::function<void()> upgrade; // installs another build
    std::optional<std::size_t> upgrade_at = std::nullopt;
    std::function<void()> kill = nullptr; // its worker, at once
  };

  CaseHost(Surroundings with, std::optional<FaultOrder> fault, Milliseconds deadline);

  Task<runtime::HttpAnswer> http(runtime::HttpAsk ask) override;
  Task<void> emit(std::string kind, std::string record_json) override;
  Task<void> checkpoint(std::string cursor_json) override;
  Task<runtime::KvEntry> kvGet(std::string key) override;
  Task<void> kvPut(std::string key, Bytes value, std::uint64_t if_version, Milliseconds ttl) override;
  void log(LogLevel level, std::string message, std::string fields_json) override;
  void progress(std::uint64_t done, std::uint64_t total, std::string what) override;

private:
  // Notes the call; true if the ordered fault meets it.
  bool note(HostCall::Kind kind, std::string place);
  Error cancelled();
  // A place where power may fail: before and after what the host does. [World::intercepts.kill]
  void boundary(bool before);
  std::optional<Error> intercepted(HostCall const& call) const;
  Task<runtime::HttpAnswer> exchange(runtime::HttpAsk ask, bool faulty, bool* reached);
  Result<std::string> addressOf(runtime::HttpAsk const& ask) const;
  Result<ProviderRequest> requestFor(runtime::HttpAsk const& ask) const;
  Result<void> attachCredential(std::string const& slot, ProviderRequest& request) const;
  Milliseconds left() const;

  Surroundings with_;
  std::optional<FaultOrder> fault_;
  TimePoint began_;
  TimePoint ends_;
  bool looping_ = false;
  std::size_t boundaries_ = 0;
  bool killed_ = false;
  std::map<std::string, runtime::HttpAnswer> last_; // by method and path
};

} // namespace garland::certification
