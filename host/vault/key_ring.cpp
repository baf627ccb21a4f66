#include "host/vault/key_ring.h"

#include "host/base/bytes.h"
#include "host/base/secret.h"
#include "host/vault/vault.h"

#include <algorithm>

namespace garland::vault {
namespace {

constexpr std::string_view kKeyLabel = "garland vault 1 data key ";

std::string_view text(std::span<std::byte const> bytes) {
  return {reinterpret_cast<char const*>(bytes.data()), bytes.size()};
}

Error otherKey(std::string const& wanted, std::vector<std::string> const& held) {
  std::string names;
  for (auto const& id : held) names += (names.empty() ? "" : ", ") + id;
  return {
      ErrorKind::invalidInput,
      "the secret was sealed under master key " + wanted + ", but this vault holds master key " + names +
          "; start with the master key that it was sealed under, as [vault] master_key or one of old_keys"};
}

} // namespace

DataKey::~DataKey() { wipe(bytes.data(), bytes.size()); }

void KeyRing::add(LockedMemory key) {
  auto id = sha256(text(key.bytes())).substr(0, kKeyIdBytes);
  bool const known = std::ranges::any_of(keys_, [&](Master const& one) { return one.id == id; });
  if (!known) keys_.push_back(Master{std::move(id), std::move(key)});
}

std::vector<std::string> KeyRing::ids() const {
  std::vector<std::string> ids;
  for (auto const& one : keys_) ids.push_back(hex(one.id));
  return ids;
}

void KeyRing::wrap(DataKey const& data_key, std::string nonce, Envelope& envelope) const {
  auto const& master = keys_.front();
  envelope.key_id = master.id;
  envelope.wrapped_key =
      encrypt(master.key.bytes(), std::move(nonce), text(data_key.bytes), std::string(kKeyLabel) + master.id);
}

Result<void> KeyRing::unwrap(Envelope const& envelope, DataKey& data_key) const {
  auto const master =
      std::ranges::find_if(keys_, [&](Master const& one) { return one.id == envelope.key_id; });
  if (master == keys_.end()) return otherKey(hex(envelope.key_id), ids());
  if (decrypt(master->key.bytes(), envelope.wrapped_key, std::string(kKeyLabel) + master->id, data_key.bytes))
    return {};
  return Error(ErrorKind::invalidInput, "the sealed secret is damaged; enter the secret again");
}

} // namespace garland::vault
