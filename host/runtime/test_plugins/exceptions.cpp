// A C++ connector that parks inside catch handlers and while unwinding, which the rules forbid and the worker
// survives: each call must get its own exception back.
#include <garland/plugin.h>

#include <cerrno>
#include <exception>
#include <stdexcept>
#include <string>
#include <string_view>

namespace {

garland_host const* host;

template <class Span> std::string_view view(Span span) {
  return {span.ptr, static_cast<std::size_t>(span.len)};
}

struct ParkWhileUnwinding {
  garland_call* call;
  ~ParkWhileUnwinding() { host->sleep_ms(host->ctx, call, 1); }
};

// Answers its input, which travels through two exceptions and a few switches, or says what went wrong.
garland_status throwAndPark(garland_instance*, garland_call* call, garland_json input) noexcept {
  std::string answer = "\"lost\"";
  try {
    try {
      ParkWhileUnwinding const park{call};
      throw std::runtime_error(std::string(view(input)));
    } catch (std::runtime_error const&) {
      host->sleep_ms(host->ctx, call, 1);
      errno = static_cast<int>(input.len);
      host->sleep_ms(host->ctx, call, 1);
      if (errno != static_cast<int>(input.len)) return GARLAND_E_PLUGIN_BUG;
      throw;
    }
  } catch (std::exception const& error) {
    answer = error.what();
  }
  if (std::uncaught_exceptions() != 0) answer = "\"another call's exception is in flight\"";
  return host->result(host->ctx, call, {answer.data(), answer.size()});
}

garland_op findOp(garland_str id) noexcept { return view(id) == "test.throw/1" ? throwAndPark : nullptr; }

garland_status openInstance(garland_call*, garland_json, garland_instance** instance) noexcept {
  *instance = reinterpret_cast<garland_instance*>(std::size_t{1});
  return GARLAND_OK;
}

void closeInstance(garland_instance*) noexcept {}

} // namespace

garland_status garland_entry_v1(garland_host const* given, garland_plugin* plugin) noexcept {
  host = given;
  plugin->id = {"test.exceptions", 15};
  plugin->version = {"1.0.0", 5};
  plugin->concurrency = GARLAND_INTERLEAVED;
  plugin->find_op = findOp;
  plugin->open = openInstance;
  plugin->close = closeInstance;
  return GARLAND_OK;
}
