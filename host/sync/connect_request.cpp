// Checks what somebody typed to connect an account, against the plugin's manifest.
#include "host/sync/connections.h"
#include "host/sync/sign_ins.h"

#include "host/base/userinfo.h"

#include <algorithm>
#include <set>

namespace garland::sync {
namespace {

// `signs_in`: its token comes of a sign-in at the provider's own page.
Result<void> checkSlot(runtime::AuthSlot const& slot,
                       std::vector<std::pair<std::string, Secret>> const& fields, bool signs_in) {
  std::string const place = "/credentials/" + slot.name;
  std::set<std::string> given;
  for (auto const& [field, secret] : fields) {
    if (std::find(slot.fields.begin(), slot.fields.end(), field) == slot.fields.end())
      return Error(ErrorKind::invalidInput,
                   "the credential \"" + slot.name + "\" has no field \"" + field + "\"",
                   place + "/" + field);
    if (signs_in && isKeptApart(slot, field))
      return Error(ErrorKind::invalidInput,
                   "the field \"" + field + "\" is not typed: the sign-in at the provider gives it",
                   place + "/" + field);
    if (secret.empty())
      return Error(ErrorKind::invalidInput, "the field \"" + field + "\" must not be empty",
                   place + "/" + field);
    given.insert(field);
  }
  for (std::size_t i = 0; i + slot.may_lack < slot.fields.size(); ++i)
    if (auto const& field = slot.fields[i]; !given.contains(field) && !(signs_in && isKeptApart(slot, field)))
      return Error(ErrorKind::invalidInput, "the field \"" + field + "\" is missing", place + "/" + field);
  return Result<void>();
}

// Settings are shown and logged; a password in one of them would be too. `place` is a JSON Pointer.
Result<void> refuseUserinfo(json::value const& setting, std::string const& place) {
  if (auto const* text = setting.if_string(); text != nullptr && hasUserinfo({text->data(), text->size()}))
    return Error(ErrorKind::invalidInput,
                 "the address in " + place +
                     " holds a user name or a password; leave them out of it: Garland signs in with the "
                     "account's own user name and password, which are given apart and kept sealed",
                 place);
  if (auto const* object = setting.if_object())
    for (auto const& member : *object) {
      TRY_VOID(refuseUserinfo(member.value(), place + "/" + std::string(member.key())));
    }
  if (auto const* array = setting.if_array())
    for (std::size_t i = 0; i < array->size(); ++i) {
      TRY_VOID(refuseUserinfo((*array)[i], place + "/" + std::to_string(i)));
    }
  return Result<void>();
}

} // namespace

Result<void> checkSettings(runtime::Manifest const& manifest, json::value const& settings) {
  TRY_VOID(refuseUserinfo(settings, "/settings"));
  if (manifest.settings_schema.is_null()) return Result<void>();
  TRY(schema, Schema::compile(manifest.settings_schema));
  auto const conforms = schema.require(settings, "settings");
  if (conforms) return Result<void>();
  auto error = conforms.error();
  error.field = "/settings" + error.field;
  return error;
}

Result<void> checkConnectRequest(runtime::Manifest const& manifest, ConnectRequest const& request) {
  TRY_VOID(checkSettings(manifest, request.settings));
  for (auto const& [name, fields] : request.credentials) {
    auto const& auth = manifest.auth;
    auto const slot = std::find_if(auth.begin(), auth.end(),
                                   [&, &wanted = name](auto const& a) { return a.name == wanted; });
    if (slot == auth.end())
      return Error(ErrorKind::invalidInput, manifest.name + " has no credential called \"" + name + "\"",
                   "/credentials/" + name);
    TRY_VOID(checkSlot(*slot, fields, name == request.signs_in));
  }
  if (!manifest.auth.empty() && request.credentials.empty())
    return Error(ErrorKind::invalidInput,
                 manifest.name + " needs the credential \"" + manifest.auth.front().name + "\"",
                 "/credentials/" + manifest.auth.front().name);
  return Result<void>();
}

} // namespace garland::sync
