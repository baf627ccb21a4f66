// Structured logs: one JSON object a line, secrets scrubbed before a byte is written.
#pragma once

#include "host/base/clock.h"
#include "host/base/json.h"

#include <functional>
#include <mutex>
#include <set>
#include <string>
#include <string_view>

namespace garland {

// Knows the secrets in use and takes them out of any text. [any thread]
class Redactor {
public:
  // Secrets shorter than 4 characters are not registered: they would tear ordinary text apart.
  void add(std::string_view secret);
  void remove(std::string_view secret);
  // The text with every known secret shown as "[secret]", however it is written: see SecretForms.
  std::string scrub(std::string_view text) const;

private:
  mutable std::mutex mutex_;
  std::multiset<std::string, std::greater<>> forms_;
};

enum class LogLevel { debug, info, warn, error };
std::string_view name(LogLevel level);

// [any thread]
class Log {
public:
  using Sink = std::function<void(std::string_view line)>; // line ends with '\n'
  Log(Clock const& clock, Redactor const& redactor, LogLevel least, Sink sink);

  // Whether such a line is written: what is costly to say is made only then.
  bool writes(LogLevel level) const { return level >= least_; }
  void write(LogLevel level, std::string_view message, json::object fields = {}) const;
  void debug(std::string_view m, json::object f = {}) const { write(LogLevel::debug, m, std::move(f)); }
  void info(std::string_view m, json::object f = {}) const { write(LogLevel::info, m, std::move(f)); }
  void warn(std::string_view m, json::object f = {}) const { write(LogLevel::warn, m, std::move(f)); }
  void error(std::string_view m, json::object f = {}) const { write(LogLevel::error, m, std::move(f)); }

private:
  Clock const& clock_;
  Redactor const& redactor_;
  LogLevel least_;
  Sink sink_;
  mutable std::mutex mutex_;
};

// Writes to standard error.
Log::Sink stderrSink();

} // namespace garland
