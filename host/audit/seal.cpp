#include "host/audit/seal.h"

#include "host/vault/vault.h"

#include <array>

namespace garland::audit {
namespace {

constexpr char const* kSigning = "signing";
constexpr char const* kPseudonyms = "pseudonyms";

// So that no signature of this key passes for one of another kind of text.
std::string messageOf(std::string_view purpose, std::string_view body) {
  return "garland " + std::string(purpose) + " 1\n" + std::string(body);
}
constexpr char const* kCheckpoint = "audit checkpoint";

std::string placeOf(std::string const& name) { return "audit/keys/" + name; }

Result<store::Statement> newKey(std::string name, vault::Vault& vault, Random& random) {
  std::array<std::byte, vault::kEd25519KeyBytes> bytes{};
  random.fill(bytes);
  Secret const secret(std::string(reinterpret_cast<char const*>(bytes.data()), bytes.size()));
  wipe(bytes.data(), bytes.size());
  TRY(sealed, vault.seal(secret, placeOf(name)));
  std::vector<store::Value> args;
  args.emplace_back(std::move(name));
  args.emplace_back(std::move(sealed));
  return store::Statement("INSERT INTO audit_keys (name,sealed) VALUES ($1,$2) ON CONFLICT (name) DO NOTHING",
                          std::move(args));
}

Result<Keys> opened(std::vector<store::Row> const& rows, vault::Vault& vault) {
  Keys keys;
  for (auto const& row : rows) {
    auto const& name = row.text(0);
    auto secret = vault.open(row.text(1), placeOf(name));
    if (!secret) return std::move(secret).error().within("a key of the audit chain");
    if (name == kSigning) keys.signing = std::move(*secret);
    if (name == kPseudonyms) keys.pseudonyms = std::move(*secret);
  }
  TRY(public_key, vault::publicKeyOf(keys.signing));
  keys.public_key = std::move(public_key);
  return keys;
}

} // namespace

Task<Keys> openKeys(store::Store* store, vault::Vault* vault, Random* random) {
  store::Statement const query("SELECT name, sealed FROM audit_keys ORDER BY name");
  CO_TRY(found, co_await store->read(query));
  if (found.rows.size() < 2) {
    CO_TRY(signing, newKey(kSigning, *vault, *random));
    CO_TRY(pseudonyms, newKey(kPseudonyms, *vault, *random));
    store::Unit unit;
    unit.push_back(std::move(signing));
    unit.push_back(std::move(pseudonyms));
    CO_TRY_VOID(co_await store->commit(std::move(unit)));
    CO_TRY(made, co_await store->read(query));
    found = std::move(made);
  }
  co_return opened(found.rows, *vault);
}

Task<bool> holdsKeys(store::Store& store) {
  store::Statement query("SELECT 1 FROM audit_keys LIMIT 1");
  CO_TRY(rows, co_await store.read(std::move(query)));
  co_return !rows.rows.empty();
}

Result<std::string> sealed(Secret const& signing, std::string_view body) {
  return vault::sign(signing, messageOf(kCheckpoint, body));
}

Result<std::string> signedFor(Secret const& signing, std::string_view purpose, std::string_view text) {
  return vault::sign(signing, messageOf(purpose, text));
}

bool isSigned(std::string_view public_key, std::string_view purpose, std::string_view text,
              std::string_view signature) {
  return vault::isSignature(public_key, messageOf(purpose, text), signature);
}

bool isSealed(std::string_view public_key, std::string_view body, std::string_view signature) {
  return vault::isSignature(public_key, messageOf(kCheckpoint, body), signature);
}

} // namespace garland::audit
