// The provider of the soak: counts what was done to it. It is the witness that nothing is lost or done twice.
#pragma once

#include "host/runtime/runtime.h"

#include <cstdint>
#include <vector>

namespace garland::soak {

// [loop thread] Every request "https://example.test/N/0" is one change, of the N-th call.
class Provider final : public runtime::CallHost {
public:
  explicit Provider(std::size_t calls) : applied_(calls) {}

  // How often the change of this call was made.
  int applied(std::size_t call) const { return applied_.at(call); }
  std::uint64_t strangers() const { return strangers_; } // requests that no call of the soak makes

  Task<runtime::HttpAnswer> http(runtime::HttpAsk ask) override;
  Task<void> emit(std::string kind, std::string record_json) override;
  Task<void> checkpoint(std::string cursor_json) override;
  Task<runtime::KvEntry> kvGet(std::string key) override;
  Task<void> kvPut(std::string key, Bytes value, std::uint64_t if_version, Milliseconds ttl) override;
  void log(LogLevel, std::string, std::string) override {}
  void progress(std::uint64_t, std::uint64_t, std::string) override {}

private:
  std::vector<std::uint8_t> applied_;
  std::uint64_t strangers_ = 0;
};

} // namespace garland::soak
