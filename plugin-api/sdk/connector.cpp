// The edge between a connector and the C ABI: the descriptor, instances, and the one place where
// exceptions end.
#include <garland/sdk/advice.hpp>
#include <garland/sdk/connector.hpp>

#include "span.h"

#include <new>

namespace garland::sdk::detail {
namespace {

// Set by garland_entry_v1, before anything else of the object runs; the host keeps both valid.
garland_host const* the_host = nullptr;
Definition const* the_definition = nullptr;

struct Instance {
  AccountInfo info;
  std::unique_ptr<Connector> connector;
};

// Tells the host without allocating, so that it works when memory has run out.
garland_status failPlainly(garland_call* call, garland_status kind, std::string_view message,
                           Effect effect) noexcept {
  garland_error error{};
  error.size = sizeof error;
  error.kind = kind;
  error.effect = static_cast<garland_effect>(effect);
  error.retry_after_ms = -1;
  error.message = span(message);
  error.user_message = span(adviceFor(static_cast<Kind>(kind)));
  return the_host->fail(the_host->ctx, call, &error);
}

// A refusal speaks for its own request: after another one that perhaps was applied, nobody can say that
// nothing was.
Effect effectOf(Failure const& failure, Call const* call) {
  if (call == nullptr) return failure.effect.value_or(Effect::notApplied);
  if (failure.effect == Effect::notApplied && call->perhapsWroteBefore()) return Effect::unknown;
  return failure.effect.value_or(call->effectSoFar());
}

garland_status fail(garland_call* call, Failure const& failure, Effect effect) {
  json::object detail = failure.detail;
  if (!failure.field.empty()) detail["field"] = failure.field;
  auto const detail_text = detail.empty() ? std::string() : json::serialize(detail);
  // A rate limit always carries a delay; 0 says that the provider named none.
  std::int64_t const unnamed = failure.kind == Kind::rateLimited ? 0 : -1;

  garland_error error{};
  error.size = sizeof error;
  error.kind = static_cast<garland_status>(failure.kind);
  error.effect = static_cast<garland_effect>(effect);
  error.http_status = failure.http_status;
  error.retry_after_ms = failure.retry_after ? failure.retry_after->count() : unnamed;
  error.message = span(failure.message);
  if (!failure.provider_code.empty()) error.provider_code = span(failure.provider_code);
  error.user_message = span(failure.user_message.empty() ? adviceFor(failure.kind) : failure.user_message);
  if (!detail_text.empty()) error.detail = jsonSpan(detail_text);
  return the_host->fail(the_host->ctx, call, &error);
}

// Runs `work`; whatever it throws becomes the call's failure.
template <class Work> garland_status guarded(garland_call* handle, Call const* call, Work&& work) noexcept {
  auto const effect = [&] { return call != nullptr ? call->effectSoFar() : Effect::notApplied; };
  try {
    try {
      return work();
    } catch (Failure const& failure) {
      return fail(handle, failure, effectOf(failure, call));
    }
  } catch (std::bad_alloc const&) {
    return failPlainly(handle, GARLAND_E_HOST_LIMIT, "the connector ran out of memory", effect());
  } catch (std::exception const& other) {
    return failPlainly(handle, GARLAND_E_PLUGIN_BUG, other.what(), effect());
  } catch (...) {
    return failPlainly(handle, GARLAND_E_PLUGIN_BUG, "the connector threw something that is no exception",
                       effect());
  }
}

garland_op findOperation(garland_str id) noexcept {
  for (auto const& entry : the_definition->operations)
    if (entry.id == view(id)) return entry.run;
  return nullptr;
}

garland_status open(garland_call* call, garland_json account, garland_instance** out) noexcept {
  return guarded(call, nullptr, [&] {
    auto instance = std::make_unique<Instance>();
    instance->info = decode<AccountInfo>(parse(view(account), Kind::invalidInput), Kind::invalidInput);
    instance->connector = the_definition->make();
    *out = reinterpret_cast<garland_instance*>(instance.release());
    return garland_status{GARLAND_OK};
  });
}

void close(garland_instance* self) noexcept { delete reinterpret_cast<Instance*>(self); }

void shutdown() noexcept {}

} // namespace

garland_status enter(garland_host const* host, garland_plugin* plugin,
                     Definition const& definition) noexcept {
  // Everything the SDK calls; appended members would be asked for one by one.
  if (host->abi_major != GARLAND_ABI_MAJOR || !GARLAND_HAS_FN(host, alloc)) return GARLAND_E_UNSUPPORTED;
  if (!GARLAND_HAS(plugin, shutdown)) return GARLAND_E_UNSUPPORTED;
  the_host = host;
  the_definition = &definition;

  plugin->concurrency = GARLAND_SERIAL;
  plugin->id = span(definition.id);
  plugin->version = span(definition.version);
  plugin->build_id = {};
  plugin->find_op = &findOperation;
  plugin->open = &open;
  plugin->close = &close;
  plugin->export_state = nullptr;
  plugin->import_state = nullptr;
  plugin->shutdown = &shutdown;
  plugin->size = offsetof(garland_plugin, shutdown) + sizeof plugin->shutdown;
  return GARLAND_OK;
}

garland_status run(garland_instance* self, garland_call* handle, garland_json input, Body body) noexcept {
  auto& instance = *reinterpret_cast<Instance*>(self);
  Call call(*the_host, handle);
  return guarded(handle, &call, [&] {
    Account account(instance.info, call);
    auto const asked = parse(view(input), Kind::invalidInput);
    auto const text = json::serialize(body(*instance.connector, account, call, asked));
    return the_host->result(the_host->ctx, handle, jsonSpan(text));
  });
}

} // namespace garland::sdk::detail
