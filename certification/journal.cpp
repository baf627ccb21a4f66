#include "certification/journal.h"

namespace garland::certification {

std::string_view name(HostCall::Kind kind) {
  switch (kind) {
  case HostCall::Kind::http: return "http";
  case HostCall::Kind::checkpoint: return "checkpoint";
  case HostCall::Kind::kvGet: return "kv_get";
  case HostCall::Kind::kvPut: return "kv_put";
  }
  return "http";
}

std::string listOf(runtime::HttpAsk const& ask) {
  return ask.method + " " + ask.url.substr(0, ask.url.find('?'));
}

std::size_t lastRequest(Journal const& journal) {
  std::size_t out = 0;
  for (std::size_t i = 0; i < journal.calls.size(); ++i)
    if (journal.calls[i].kind == HostCall::Kind::http) out = i;
  return out;
}

std::string Journal::ending() const {
  if (death != Death::none) return death_words;
  if (result) return "it ended well";
  auto const& error = result.error();
  return std::string(garland::name(error.kind)) + " (effect " + std::string(garland::name(error.effect)) +
         "): " + error.message;
}

} // namespace garland::certification
