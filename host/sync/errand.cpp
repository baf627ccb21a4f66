#include "host/sync/errand.h"

#include "host/sync/sign_ins.h"

#include <algorithm>

namespace garland::sync {

runtime::AuthSlot const* slotWith(runtime::Manifest const& manifest, std::string_view member) {
  auto const slot = std::ranges::find_if(manifest.auth, [&](runtime::AuthSlot const& one) {
    return isSignIn(one) && find(one.oauth2, member) != nullptr;
  });
  return slot == manifest.auth.end() ? nullptr : &*slot;
}

Secret errandOf(ConnectRequest const& request) {
  json::object typed;
  for (auto const& [slot, fields] : request.credentials) {
    json::object of_slot;
    for (auto const& [name, secret] : fields) of_slot[name] = secret.reveal();
    typed[slot] = std::move(of_slot);
  }
  json::value errand =
      json::object{{"allow_private_network", request.allow_private_network}, {"signs_in", request.signs_in}};
  errand.as_object()["settings"] = request.settings;
  errand.as_object()["credentials"] = std::move(typed);
  Secret text(json::serialize(errand));
  wipeTexts(errand);
  return text;
}

Result<ConnectRequest> requestOf(oauth::Authorization const& authorization, Secret const& errand) {
  TRY(read, parseJson(errand.reveal()));
  ConnectRequest request;
  request.vendor_id = authorization.vendor_id;
  request.plugin_id = authorization.plugin_id;
  request.allow_private_network = boolOr(read, "/allow_private_network", false);
  request.signs_in = textOr(read, "/signs_in", "");
  if (auto const* settings = find(read, "/settings")) request.settings = *settings;
  if (auto const* slots = find(read, "/credentials"); slots != nullptr && slots->is_object())
    for (auto const& slot : slots->get_object()) {
      std::vector<std::pair<std::string, Secret>> fields;
      for (auto const& field : slot.value().as_object())
        fields.emplace_back(std::string(field.key()), Secret(textOr(field.value(), "", "")));
      request.credentials.emplace_back(std::string(slot.key()), std::move(fields));
    }
  if (auto* typed = read.as_object().if_contains("credentials")) wipeTexts(*typed);
  return request;
}

} // namespace garland::sync
