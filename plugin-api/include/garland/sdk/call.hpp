// Call: what a running operation may ask of the host. Valid until the operation returns.
//
// Functions marked [suspends] let other calls run meanwhile. They may be used inside a catch handler:
// the thread's exception state is put aside while the host has the thread. They throw Failure with
// what the host answered; Kind::cancelled means "stop now", so let it through.
#pragma once

#include <garland/sdk/error.hpp>
#include <garland/sdk/http.hpp>
#include <garland/sdk/json.hpp>
#include <garland/sdk/time.hpp>

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace garland::sdk {

enum class LogLevel : garland_log_level {
  debug = GARLAND_LOG_DEBUG,
  info = GARLAND_LOG_INFO,
  warn = GARLAND_LOG_WARN,
  error = GARLAND_LOG_ERROR,
};

class Call {
public:
  Call(garland_host const& host, garland_call* handle) : host_(host), handle_(handle) {}
  Call(Call const&) = delete;
  Call& operator=(Call const&) = delete;

  // Adds one record to the operation's stream; its schema is emit.<kind>.json. [suspends]
  void emit(std::string_view kind, json::value const& record);
  // Returns when everything emitted so far is durable together with `cursor`. [suspends]
  void checkpoint(json::value const& cursor);
  // One item cannot be read, the rest goes on; `place` is its URL or id; empty: it has none. [suspends]
  void problem(std::string_view place, Failure const& failure);
  // `total` 0: not known. `what` in the plural: "events".
  void progress(std::uint64_t done, std::uint64_t total, std::string_view what);
  void log(LogLevel level, std::string_view message, json::object const& fields = {});

  bool cancelled() const;
  // Throws Failure(cancelled) if the host wants the operation to stop.
  void stopIfCancelled() const;
  TimePoint now() const;
  std::chrono::nanoseconds remaining() const; // until the host gives the call up; not below zero
  void sleep(Milliseconds span);              // [suspends]

  struct Stored {
    std::string value;
    std::uint64_t version = 0;
  };
  // Small durable state of this account. [suspends]
  std::optional<Stored> load(std::string_view key);
  // Failure(conflict) unless the stored version is `if_version`; 0 writes in any case.
  // `keep_for` 0: for ever. [suspends]
  void store(std::string_view key, std::string_view value, std::uint64_t if_version = 0,
             Milliseconds keep_for = {});

  // Carries out a request whose url is absolute; an absent slot is anonymous. Any status is an
  // answer; Failure if there was none. Account::send fills in slot and base. [suspends]
  Response send(Request const& request);

  // What the writes sent so far did: notApplied if none left this machine or all were refused, else unknown.
  // A status of success does not count as applied: if the call fails after it, its answer was not
  // understood, and a proxy's page has that status, too. It is the effect of a Failure that does not say.
  Effect effectSoFar() const;
  // A write before the latest request may have been applied: what a refusal of the latest says of itself is
  // not true of the whole call.
  bool perhapsWroteBefore() const { return perhaps_before_; }

  garland_call* handle() const { return handle_; }
  garland_host const& host() const { return host_; }

private:
  void noteWrite(Effect effect);

  garland_host const& host_;
  garland_call* handle_;
  bool perhaps_ = false; // something may have been written
  bool perhaps_before_ = false;
};

} // namespace garland::sdk
