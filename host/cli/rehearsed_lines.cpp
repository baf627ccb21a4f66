#include "host/cli/rehearsed_lines.h"

#include <algorithm>
#include <iterator>
#include <map>

namespace garland::cli {
namespace {

using certification::Rehearsed;
using certification::RehearsedRequest;

constexpr std::size_t kWidth = 160; // of a record's line

std::string headOf(Rehearsed const& done, json::value const& input) {
  auto head = done.operation;
  if (auto const entity = textOr(input, "/entity", ""); !entity.empty()) head += " " + entity;
  if (auto const id = textOr(input, "/id", ""); !id.empty()) head += " " + id;
  return head;
}

std::string endOf(Rehearsed const& done, Output const& output) {
  if (done.result) return output.good("ok");
  auto const& error = done.result.error();
  return output.bad(std::string(name(error.kind))) + ": " + error.message + " (effect " +
         std::string(name(error.effect)) + ")";
}

std::string requestLine(RehearsedRequest const& request) {
  auto line = request.method + " " + request.url;
  if (!request.body.empty()) line += ", " + counted(std::ssize(request.body), "byte");
  if (request.status == 0) return line + "  no answer: " + request.problem;
  return line + "  " + std::to_string(request.status) + ", " + counted(std::ssize(request.answer), "byte");
}

} // namespace

void tellRehearsed(Output& output, Rehearsed const& done, json::value const& input, bool records) {
  std::map<std::string, std::size_t> kinds;
  for (auto const& [kind, record] : done.records) ++kinds[kind];
  auto line = headOf(done, input) + "  " + endOf(done, output);
  for (auto const& [kind, count] : kinds) line += ", " + std::to_string(count) + " " + kind;
  if (!done.cursors.empty()) line += ", " + counted(std::ssize(done.cursors), "checkpoint");
  output.line(line + ", " + counted(std::ssize(done.requests), "request"));
  for (auto const& request : done.requests) output.line("    " + requestLine(request));
  for (auto const& log : done.logs) output.line("    log " + shortened(log, kWidth));
  for (auto const& [kind, record] : done.records)
    if (records || kind == "garland.problem")
      output.line("    " + kind + " " + shortened(json::serialize(record), kWidth));
  if (records && done.result && !done.result->is_null())
    output.line("    result " + shortened(json::serialize(*done.result), kWidth));
}

json::value rehearsedJson(Rehearsed const& done, json::value const& input) {
  json::object out{{"operation", done.operation}, {"input", input}, {"ok", done.result.has_value()}};
  if (done.result) {
    out["result"] = *done.result;
  } else {
    auto const& error = done.result.error();
    out["error"] = json::object{{"kind", name(error.kind)},
                                {"message", error.message},
                                {"effect", name(error.effect)},
                                {"detail", error.detail}};
  }
  auto& requests = out["requests"].emplace_array();
  for (auto const& request : done.requests) {
    json::object one{{"method", request.method}, {"url", request.url}};
    if (request.status != 0)
      one["status"] = request.status;
    else
      one["problem"] = request.problem;
    requests.push_back(std::move(one));
  }
  auto& records = out["records"].emplace_array();
  for (auto const& [kind, record] : done.records)
    records.push_back(json::object{{"kind", kind}, {"record", record}});
  out["checkpoints"] = json::array(done.cursors.begin(), done.cursors.end());
  out["log"] = json::array(done.logs.begin(), done.logs.end());
  return out;
}

} // namespace garland::cli
