// What a running call may ask of the host: HTTP through egress with the connection's policy and
// credential, its key-value state, logs, and (for a pull) a sink for what it emits.
#pragma once

#include "host/sync/audit.h"
#include "host/sync/session.h"

#include <memory>
#include <string>
#include <vector>

namespace garland::sync {

// Where emitted records go. Null for operations that emit nothing.
class EmitSink {
public:
  virtual ~EmitSink() = default;
  virtual Task<void> emit(std::string kind, std::string record_json) = 0;
  virtual Task<void> checkpoint(std::string cursor_json) = 0;
  virtual void progress(std::uint64_t done, std::uint64_t total) = 0;
  virtual void restarted() = 0; // the call goes on in another worker
};

// Lives as long as its call.
class PluginCallHost final : public runtime::CallHost {
public:
  PluginCallHost(Context& context, AuditTrail& audit, Session const& session, std::string operation,
                 EmitSink* sink, Milliseconds deadline);
  ~PluginCallHost() override;
  PluginCallHost(PluginCallHost const&) = delete;
  PluginCallHost& operator=(PluginCallHost const&) = delete;

  Task<runtime::HttpAnswer> http(runtime::HttpAsk ask) override;
  Task<void> emit(std::string kind, std::string record_json) override;
  Task<void> checkpoint(std::string cursor_json) override;
  Task<runtime::KvEntry> kvGet(std::string key) override;
  Task<void> kvPut(std::string key, Bytes value, std::uint64_t if_version, Milliseconds ttl) override;
  void restarted() override;
  void log(LogLevel level, std::string message, std::string fields_json) override;
  void progress(std::uint64_t done, std::uint64_t total, std::string what) override;
  Milliseconds waited() const override;

  // Whether any request went out: there is no other way to the provider.
  bool asked() const { return asked_; }

private:
  // Opened for one request; its strings stay with the redactor until the call ends, because a
  // provider may quote them in an answer that the plugin then logs.
  Task<egress::Credential> openCredential(std::string slot);
  Result<json::value> fieldsOf(runtime::AuthSlot const& slot);
  Task<egress::Credential> signIn(runtime::AuthSlot const* slot, json::value* fields);
  runtime::AuthSlot const* slotNamed(std::string_view name) const; // null: there is none
  // `used`: the secret that went with it.
  Task<runtime::HttpAnswer> exchange(runtime::HttpAsk ask, Secret* used);
  void redact(std::string_view secret);
  Result<void> putOnTrial(std::string const& key, Bytes value, std::uint64_t if_version);
  store::Unit makePut(std::string const& key, Bytes value, std::uint64_t if_version, Milliseconds ttl) const;
  Milliseconds left() const; // of the call's own time
  // For the provider's limit, as long as it lives.
  struct Wait {
    explicit Wait(PluginCallHost& host_in);
    Wait(Wait const&) = delete;
    Wait& operator=(Wait const&) = delete;
    ~Wait();
    PluginCallHost& host;
  };
  Milliseconds patience(Limits::Asker const& asker) const;
  Task<void> waitForLimit(Limits::Asker asker);
  Limits::Asker asker(egress::Credential const& credential) const;
  egress::Request requestFor(runtime::HttpAsk ask) const;
  egress::Policy policy() const;
  Result<void> refuseIfLate() const;

  Context& context_;
  AuditTrail& audit_;
  Session const& session_;
  std::string operation_;
  EmitSink* sink_;
  Milliseconds deadline_;
  Monotonic begun_;
  Monotonic waited_{0};
  Monotonic waits_since_{0};
  int waits_ = 0; // requests that wait now
  bool asked_ = false;
  std::vector<Secret> redacted_;
  std::map<std::string, runtime::KvEntry> trial_state_;
};

// One call to the connection's plugin: input and output checked against their schemas, errors free of
// secrets. An output that does not conform is pluginBug with the effect unknown. `asked`, if given, says
// whether any request went out.
Task<json::value> callPlugin(Context* context, AuditTrail* audit, Session const* session,
                             std::string operation, json::value input, EmitSink* sink, Milliseconds deadline,
                             bool* asked = nullptr);

} // namespace garland::sync
