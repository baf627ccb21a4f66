// What a connector did in one operation, as the host saw it: requests, records, checkpoints, state, log
// lines.
#pragma once

#include "host/runtime/runtime.h"

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

namespace garland::certification {

// A call of the host that the plugin waits for, so that their order is the same each time. Records are not
// among them: a plugin goes on while the host takes them.
struct HostCall {
  enum class Kind { http, checkpoint, kvGet, kvPut };
  Kind kind = Kind::http;
  std::string place; // "GET https://…", a key
};
std::string_view name(HostCall::Kind kind);

struct Exchange {
  runtime::HttpAsk ask;
  Result<runtime::HttpAnswer> answer{Error()};
  bool reached = false; // the provider
};

// What the pages of one list have in common: "GET https://…/clients".
std::string listOf(runtime::HttpAsk const& ask);

struct Record {
  std::string kind;
  std::string text;         // as the connector wrote it
  json::value value;        // null if it does not parse
  bool durable = false;     // a checkpoint followed
  std::size_t requests = 0; // that went before it
};

struct LogLine {
  LogLevel level = LogLevel::info;
  std::string text; // message and fields
};

// How the worker fared.
enum class Death { none, crashed, hung, violated };

struct Journal {
  std::string operation;
  Result<json::value> result{json::value()};
  std::string result_text;
  std::vector<HostCall> calls; // in order
  std::vector<Exchange> exchanges;
  std::vector<Record> records;
  std::vector<json::value> cursors;
  std::vector<std::pair<std::string, std::string>> stored; // key, value
  std::vector<LogLine> logs;
  std::vector<std::string> printed; // to standard output and error
  Death death = Death::none;
  std::string death_words;
  bool fault_met = false;
  std::shared_ptr<Journal const> at_kill; // as it was when a check killed the worker; null: none was killed
  Milliseconds took{0};                   // on the virtual clock
  Milliseconds cancelled_after{0};        // ... when the ordered fault cancelled the call

  bool ok() const { return result.has_value() && death == Death::none; }
  // What ended it, for a finding: "transient: the provider …".
  std::string ending() const;
};
// The host call of an act that does it, an index into Journal::calls: what comes before only looks.
std::size_t lastRequest(Journal const& journal);

} // namespace garland::certification
