#include "host/sync/sign_in_pages.h"

#include "host/sync/errand.h"

#include <algorithm>

namespace garland::sync {
namespace {

constexpr std::size_t kLongestWord = 64;

// Only a word: whoever comes back may write anything there.
Error refusedThere(std::string const& word) {
  bool const good = word.size() <= kLongestWord && std::ranges::all_of(word, [](char c) {
                      return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
                             c == '_' || c == '-' || c == '.';
                    });
  return Error(ErrorKind::forbidden, "the provider did not let it (" +
                                         (good ? word : std::string("with an error that is no word")) +
                                         "); begin the sign-in again");
}

std::string fieldOf(ConnectRequest const& request, runtime::AuthSlot const& slot, std::size_t number) {
  for (auto const& [name, fields] : request.credentials)
    for (auto const& [field, secret] : fields)
      if (name == slot.name && field == slot.fields.at(number)) return std::string(secret.reveal());
  return {};
}

} // namespace

Task<oauth::Authorizations::Begun> SignInPages::begin(ConnectRequest request, std::string redirect_uri,
                                                      std::string session) {
  CO_TRY_VOID(co_await vendors_.require(request.vendor_id));
  CO_TRY(plugin, co_await vendors_.usable(request.vendor_id, request.plugin_id));
  auto const& manifest = plugin->manifest;
  auto const* slot = slotWith(manifest, "/authorize_url");
  if (slot == nullptr)
    co_return Error(ErrorKind::unsupported,
                    manifest.name + " has no page of its own to sign in at; connect it with what it "
                                    "signs in with: garland connections connect");
  if (request.settings.is_null()) request.settings = json::object();
  request.signs_in = slot->name;
  CO_TRY_VOID(checkConnectRequest(manifest, request));
  CO_TRY(provider, oauth::readProvider(slot->oauth2, request.settings));
  oauth::SendOff send_off;
  send_off.vendor_id = request.vendor_id;
  send_off.plugin_id = manifest.id;
  send_off.provider = std::move(provider);
  send_off.client_id = fieldOf(request, *slot, 0);
  send_off.redirect_uri = std::move(redirect_uri);
  send_off.errand = errandOf(request);
  send_off.session = std::move(session);
  co_return co_await context_.authorizations->begin(std::move(send_off));
}

Task<Connected> SignInPages::connect(oauth::Authorizations::Taken taken, SignInReturn back) {
  if (!back.refusal.empty()) co_return refusedThere(back.refusal);
  CO_TRY(request, requestOf(taken.authorization, taken.errand));
  request.code = std::move(taken.code);
  request.code.code = std::move(back.code);
  co_return co_await connections_.connect(std::move(request));
}

// A connection that was made is one, even if it cannot be written down that this sign-in came to it.
Task<Connected> SignInPages::end(SignInReturn back) {
  CO_TRY(taken, co_await context_.authorizations->take(back.ticket, back.browser));
  auto authorization = taken.authorization;
  auto connected = co_await connect(std::move(taken), std::move(back));
  std::string id;
  std::string why;
  if (connected)
    id = connected->connection.id;
  else
    why = connected.error().message;
  auto const told = co_await context_.authorizations->end(authorization, id, why);
  if (!told) context_.doors.log.warn("what came of a sign-in could not be kept: " + told.error().message);
  co_return connected;
}

} // namespace garland::sync
