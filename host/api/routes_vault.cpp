// What is sealed: under which master keys, its move to another, its way to another host.
#include "host/api/routes.h"
#include "host/api/shapes.h"

namespace garland::api {
namespace {

json::value shapeOf(custody::Move const& move) {
  json::object out;
  out["key"] = move.key_id;
  out["state"] = custody::name(move.state);
  out["problem"] = move.problem;
  out["started"] = rfc3339(move.started);
  out["updated"] = rfc3339(move.updated);
  out["finished"] = nullptr;
  if (move.finished) out["finished"] = rfc3339(*move.finished);
  return out;
}

json::object shapeOf(custody::Status const& status) {
  json::array keys;
  for (auto const& key : status.keys) {
    json::object one;
    one["id"] = key.id;
    one["held"] = key.held;
    one["seals"] = key.seals;
    one["secrets"] = key.secrets;
    keys.push_back(std::move(one));
  }
  json::object out;
  out["keys"] = std::move(keys);
  out["move"] = nullptr;
  if (status.move) out["move"] = shapeOf(*status.move);
  return out;
}

json::object shapeOf(std::vector<custody::Imported> const& imported) {
  json::array tables;
  for (auto const& each : imported) {
    json::object one;
    one["table"] = each.table;
    one["added"] = each.added;
    one["kept"] = each.kept;
    one["replaced"] = json::array(each.replaced.begin(), each.replaced.end());
    tables.push_back(std::move(one));
  }
  json::object out;
  out["items"] = std::move(tables);
  return out;
}

// It stays nowhere in the request.
Result<Secret> passphraseIn(Request& request) {
  wipe(request.body.data(), request.body.size());
  auto* const given = request.json.as_object().if_contains("passphrase");
  if (given == nullptr || !given->is_string())
    return Error(ErrorKind::invalidInput, "must be a string", "/passphrase");
  auto& text = given->get_string();
  Secret secret{std::string(text)};
  wipe(text.data(), text.size());
  return secret;
}

} // namespace

void Routes::addVaultRoutes(std::vector<Route>& table) {
  auto const add = adder(table);
  add(Route{"GET", "/api/integrations/vault", "getVault",
            "How many secrets are sealed under which master key, and how far a move to another has come.",
            200, "Vault"},
      &Routes::vaultStatus);
  add(Route{"POST", "/api/integrations/vault/rekey", "rekeyVault",
            "Moves every secret to the master key that seals now, or goes on with that; it answers at once.",
            202, "Vault"},
      &Routes::rekeyVault);
  add(Route{"POST",
            "/api/integrations/vault/export",
            "exportVault",
            "Writes connections and their secrets to a file in the data folder, encrypted to a passphrase.",
            200,
            "VaultFile",
            {},
            "VaultExport"},
      &Routes::exportVault);
  add(Route{"POST",
            "/api/integrations/vault/import",
            "importVault",
            "Takes in an export that lies in the data folder, all of it or nothing; the daemon has to be "
            "started "
            "again for it.",
            200,
            "VaultImported",
            {},
            "VaultImport"},
      &Routes::importVault);
}

void Routes::addBackupRoutes(std::vector<Route>& table) {
  adder(table)(
      Route{"POST",
            "/api/integrations/backup",
            "makeBackup",
            "Makes a backup of the whole host in the data folder, while everything goes on; it answers when "
            "that is durable.",
            200,
            "BackupFile",
            {},
            "VaultExport"},
      &Routes::makeBackup);
}

Task<Response> Routes::makeBackup(Request request) {
  if (!with_.backup) co_return Error(ErrorKind::unsupported, "this daemon makes no backups");
  CO_TRY(passphrase, passphraseIn(request));
  auto making = with_.backup(std::move(passphrase));
  CO_TRY(name, co_await std::move(making));
  json::object body;
  body["file"] = name;
  co_return Response(200, body);
}

Result<custody::Custody*> Routes::custody() const {
  if (with_.custody == nullptr)
    return Error(ErrorKind::unsupported, "this daemon does not look after its vault");
  return with_.custody;
}

Task<Response> Routes::vaultStatus(Request) {
  CO_TRY(custody, this->custody());
  CO_TRY(status, co_await custody->status());
  co_return Response(200, shapeOf(status));
}

Task<Response> Routes::rekeyVault(Request) {
  CO_TRY(custody, this->custody());
  CO_TRY(status, co_await custody->rekey());
  co_return Response(202, shapeOf(status));
}

Task<Response> Routes::exportVault(Request request) {
  CO_TRY(custody, this->custody());
  CO_TRY(passphrase, passphraseIn(request));
  auto exporting = custody->exportFile(std::move(passphrase));
  CO_TRY(name, co_await std::move(exporting));
  json::object body;
  body["file"] = name;
  co_return Response(200, body);
}

Task<Response> Routes::importVault(Request request) {
  CO_TRY(custody, this->custody());
  CO_TRY(file, textAt(request.json, "/file"));
  CO_TRY(passphrase, passphraseIn(request));
  auto importing = custody->importFile(std::move(file), std::move(passphrase));
  CO_TRY(imported, co_await std::move(importing));
  co_return Response(200, shapeOf(imported));
}

} // namespace garland::api
