// Requests to twin.serve/1 and back: JSON as plugin-api/schemas/twin.serve.1.*.json have it.
#pragma once

#include "host/api/http.h"
#include "host/api/twin_codec.h"
#include "host/base/clock.h"
#include "host/base/result.h"
#include "host/runtime/runtime.h"

#include <string>
#include <vector>

namespace garland::api {

struct TwinWebhook {
  std::string id;
  std::string url;
  std::vector<Header> headers;
  std::string body;
  std::string scheme; // "": unsigned
  std::string secret;
  Milliseconds delay{0};
};

struct TwinTransport {
  std::string kind; // "": the answer is sent plainly
  std::size_t bytes = 0;
  Milliseconds delay{0};
};

struct TwinResult {
  TwinAnswer answer;
  TwinTransport transport;
  std::vector<TwinWebhook> webhooks;
};

json::value twinInput(Request const& request, TimePoint now, std::string const& fallback_origin);
Result<TwinResult> readTwinResult(json::value const& result);

// A twin asks nothing of the host.
class TwinCallHost final : public runtime::CallHost {
public:
  explicit TwinCallHost(Log const& log) : log_(log) {}
  Task<runtime::HttpAnswer> http(runtime::HttpAsk ask) override;
  Task<void> emit(std::string kind, std::string record_json) override;
  Task<void> checkpoint(std::string cursor_json) override;
  Task<runtime::KvEntry> kvGet(std::string key) override;
  Task<void> kvPut(std::string key, Bytes value, std::uint64_t if_version, Milliseconds ttl) override;
  void log(LogLevel level, std::string message, std::string fields_json) override;
  void progress(std::uint64_t done, std::uint64_t total, std::string what) override;

private:
  Log const& log_;
};

} // namespace garland::api
