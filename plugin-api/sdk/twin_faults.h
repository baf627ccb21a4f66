// Faults that a test orders by POST /_twin/fault: which requests they meet and what becomes of the answer.
// Private to the SDK; the list of faults is in sdk-docs/twins.md.
#pragma once

#include <garland/sdk/twin_http.hpp>

#include <functional>
#include <list>
#include <optional>

namespace garland::sdk::twin {

// How the host is to send the answer, other than plainly: "reset", "reset_after_headers", "reset_mid_body",
// "no_answer", "slow_body", "zip_bomb".
struct Transport {
  std::string kind;
  std::int64_t bytes = 0;    // slow_body: of each piece; zip_bomb: unpacked; reset_mid_body: sent before it
  std::int64_t delay_ms = 0; // slow_body: between pieces
};
GARLAND_RECORD(Transport, kind, bytes, delay_ms)

struct FaultOrder {
  std::string fault;
  std::optional<std::string> method;
  std::optional<std::string> path; // "*" stands for any characters; absent: every path
  std::optional<std::int64_t> times;
  std::optional<std::int64_t> skip; // matching requests that go well first
  std::optional<bool> applied;      // the request takes effect all the same
  // For "answer".
  std::optional<int> status;
  std::optional<std::map<std::string, std::string>> headers;
  std::optional<json::value> body;
  // For "change": JSON Pointers into the answer and what to put there or take away.
  std::optional<json::object> set;
  std::optional<std::vector<std::string>> remove;
  std::optional<std::int64_t> bytes;
  std::optional<std::int64_t> delay_ms;
};
GARLAND_RECORD(FaultOrder, fault, method, path, times, skip, applied, status, headers, body, set, remove,
               bytes, delay_ms)

struct Answered {
  Response response;
  std::optional<Transport> transport;
};

class Faults {
public:
  // Failure(invalidInput) for an order that cannot be.
  void add(json::value const& order);
  void clear() { orders_.clear(); }
  json::array list() const;

  // The answer to `request`, `serve` being what answers without a fault.
  Answered answer(Request const& request, std::function<Response()> const& serve);

private:
  FaultOrder* due(Request const& request);
  std::list<FaultOrder> orders_;
};

} // namespace garland::sdk::twin
