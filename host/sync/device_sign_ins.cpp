#include "host/sync/device_sign_ins.h"

#include "host/sync/errand.h"
#include "host/sync/sign_ins.h"

namespace garland::sync {
namespace {

json::value typedInto(ConnectRequest const& request, std::string const& slot) {
  json::value fields = json::object();
  for (auto const& [name, typed] : request.credentials)
    for (auto const& [field, secret] : typed)
      if (name == slot) fields.as_object()[field] = secret.reveal();
  return fields;
}

} // namespace

// All that is checked without the provider, each time anew: much may have changed meanwhile.
Task<DeviceSignIns::Prepared> DeviceSignIns::prepare(ConnectRequest request) {
  CO_TRY_VOID(co_await vendors_.require(request.vendor_id));
  CO_TRY(plugin, co_await vendors_.usable(request.vendor_id, request.plugin_id));
  auto const* slot = slotWith(plugin->manifest, "/device_url");
  if (slot == nullptr)
    co_return Error(ErrorKind::unsupported,
                    plugin->manifest.name +
                        " cannot be signed in to on another device; connect it at its "
                        "provider's own page (garland connections authorize), or with what "
                        "it signs in with: garland connections connect");
  if (request.settings.is_null()) request.settings = json::object();
  request.signs_in = slot->name;
  CO_TRY_VOID(checkConnectRequest(plugin->manifest, request));
  Session session;
  session.plugin = plugin;
  session.connection.vendor_id = request.vendor_id;
  session.connection.settings = request.settings;
  session.connection.allow_private_network = request.allow_private_network;
  auto fields = typedInto(request, slot->name);
  auto use = useOf(context_, session, *slot, fields);
  wipeTexts(fields);
  if (!use) co_return use.error();
  Prepared prepared;
  prepared.request = std::move(request);
  prepared.use = std::move(*use);
  co_return Result<Prepared>(std::move(prepared));
}

Task<oauth::DeviceSignIn> DeviceSignIns::begin(ConnectRequest request) {
  CO_TRY(prepared, co_await prepare(std::move(request)));
  auto errand = errandOf(prepared.request);
  co_return co_await context_.devices->begin(std::move(prepared.use), std::move(errand));
}

void DeviceSignIns::tick() {
  if (looks_ || context_.stopping) return;
  looks_ = true;
  asking_.spawn(askAll());
}

// Each for itself: a provider that takes its time keeps no other waiting.
Task<void> DeviceSignIns::askAll() {
  auto due = co_await context_.devices->due();
  looks_ = false;
  if (!due) {
    context_.doors.log.warn("sign-ins on other devices could not be looked at: " + due.error().message);
    co_return due.error();
  }
  for (auto& one : *due) asking_.spawn(ask(std::make_shared<oauth::Devices::Due const>(std::move(one))));
  co_return Result<void>();
}

Task<void> DeviceSignIns::ask(std::shared_ptr<oauth::Devices::Due const> due) {
  auto const asked = co_await connectOrNot(due);
  if (!asked && !context_.stopping)
    context_.doors.log.warn("what became of a sign-in on another device could not be kept: " +
                                asked.error().message,
                            json::object{{"authorization", due->authorization.id}});
  co_return Result<void>();
}

// What was given is durable with the mark that it was taken, before the account is tried.
Task<void> DeviceSignIns::connectOrNot(std::shared_ptr<oauth::Devices::Due const> due) {
  auto const& devices = context_.devices;
  CO_TRY(request, requestOf(due->authorization, due->errand));
  auto prepared = co_await prepare(std::move(request));
  if (!prepared && prepared.error().kind == ErrorKind::transient) co_return prepared.error();
  if (!prepared) co_return co_await devices->end(due->authorization, std::string(), prepared.error().message);
  CO_TRY(given, co_await devices->ask(due.get(), std::move(prepared->use)));
  if (!given) co_return Result<void>();
  prepared->request.given = std::move(given);
  prepared->request.takes = devices->takes(*due);
  auto const connected = co_await connections_.connect(std::move(prepared->request));
  std::string id;
  std::string why;
  if (connected)
    id = connected->connection.id;
  else
    why = connected.error().message;
  if (connected) connected_(connected->connection);
  co_return co_await devices->end(due->authorization, std::move(id), std::move(why));
}

} // namespace garland::sync
