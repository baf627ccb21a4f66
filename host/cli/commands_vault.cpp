// Master keys, and exports of what is sealed under them.
#include "host/cli/commands.h"
#include "host/cli/exports.h"
#include "host/cli/prompt.h"

#include "host/base/file_text.h"
#include "host/base/random.h"
#include "host/vault/vault.h"

#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <map>

namespace garland::cli {
namespace {

namespace fs = std::filesystem;

std::string const kVault = "/api/integrations/vault";

struct Progress {
  std::int64_t all = 0;
  std::int64_t left = 0; // under other keys than that which seals
};

json::array const& listAt(json::value const& value, std::string_view pointer) {
  static json::array const none;
  auto const* list = find(value, pointer);
  return list != nullptr && list->is_array() ? list->get_array() : none;
}

Progress progressOf(json::value const& status) {
  Progress out;
  for (auto const& key : listAt(status, "/keys")) {
    auto const secrets = integerOr(key, "/secrets", 0);
    out.all += secrets;
    if (!boolOr(key, "/seals", false)) out.left += secrets;
  }
  return out;
}

void tellMove(Output& output, json::value const& move) {
  auto const state = textOr(move, "/state", "");
  auto const key = textOr(move, "/key", "");
  if (state == "running")
    output.line("secrets move to " + key + "; begun at " + textOr(move, "/started", ""));
  if (state == "done")
    output.line("all secrets were moved to " + key + " at " + textOr(move, "/finished", ""));
  if (state == "stuck")
    output.line(output.bad("some secrets cannot be moved") + ": " + textOr(move, "/problem", "") +
                "; enter them again, then: garland vault rekey");
}

bool mayGo(json::value const& key, bool moving) {
  return !moving && boolOr(key, "/held", false) && !boolOr(key, "/seals", false) &&
         integerOr(key, "/secrets", 0) == 0;
}

Exit verdictOf(json::value const& status) {
  for (auto const& key : listAt(status, "/keys"))
    if (!boolOr(key, "/held", false)) return Exit::findings;
  return textOr(status, "/move/state", "") == "stuck" ? Exit::findings : Exit::ok;
}

// Asked for twice where nothing else would notice a slip.
Result<Secret> passphraseFrom(VaultWords const& words, bool twice) {
  if (!words.passphrase_file.empty()) return secretFromFile(words.passphrase_file);
  if (words.passphrase_fd >= 0) return secretFromDescriptor(words.passphrase_fd);
  TRY(first, askSecret("Passphrase of the export: ", kPassphraseFile));
  if (!twice) return first;
  TRY(second, askSecret("Once more: ", kPassphraseFile));
  if (vault::equalInConstantTime(first.reveal(), second.reveal())) return first;
  return Error(ErrorKind::invalidInput, "the two passphrases differ");
}

json::object bodyWith(Secret const& passphrase) {
  json::object body;
  body["passphrase"] = passphrase.reveal();
  return body;
}

// What a table of an export holds, in words. A table that is not known here, of a newer daemon, is told by
// its name.
std::string wordsOf(std::string const& table) {
  static std::map<std::string, std::string, std::less<>> const kWords{
      {"vendors", "vendors"},
      {"counters", "numberings of vendors' changes"},
      {"vendor_plugins", "connectors that vendors have enabled"},
      {"connections", "connections"},
      {"connection_storage", "counts of what is stored for connections"},
      {"credentials", "credentials of connections"},
      {"intake_doors", "addresses that hooks and mail come to"},
      {"mailboxes", "mailboxes that are visited"},
      {"webhook_endpoints", "addresses of webhooks in"},
      {"notify_endpoints", "endpoints that are notified"},
      {"oauth_grants", "sign-ins"},
      {"oauth_replies", "answers with tokens that were not taken up yet"},
      {"oauth_authorizations", "sign-ins under way"},
      {"audit_keys", "keys of the audit chain"}};
  auto const found = kWords.find(table);
  return found == kWords.end() ? table : found->second;
}

} // namespace

void tellImported(Output& output, json::value const& answer) {
  for (auto const& table : listAt(answer, "/items")) {
    auto const added = integerOr(table, "/added", 0);
    auto const kept = integerOr(table, "/kept", 0);
    auto const& replaced = listAt(table, "/replaced");
    if (added + kept == 0 && replaced.empty()) continue;
    output.line(wordsOf(textOr(table, "/table", "")) + ": " + std::to_string(added) + " added, " +
                std::to_string(kept) + " left as they were, " + std::to_string(replaced.size()) +
                " replaced");
    for (auto const& key : replaced) output.line("  replaced " + plain(&key));
  }
  output.line("start garlandd again, so that it takes up what came");
}

Exit tellVault(Output& output, json::value const& status) {
  if (output.json()) {
    output.value(status);
    return verdictOf(status);
  }
  bool const moving = textOr(status, "/move/state", "") == "running";
  for (auto const& key : listAt(status, "/keys")) {
    auto const id = textOr(key, "/id", "");
    auto const secrets = integerOr(key, "/secrets", 0);
    auto line = (id.empty() ? std::string("no key") : id) + "  " + counted(secrets, "secret");
    if (boolOr(key, "/seals", false)) line += ", " + output.good("seals");
    if (id.empty()) line += ", " + output.bad("damaged") + ": enter them again";
    if (!id.empty() && !boolOr(key, "/held", false))
      line += ", " + output.bad("is not here") + ": add it to [vault] old_keys and start garlandd again";
    if (mayGo(key, moving)) line += ": it may be taken out of [vault] old_keys";
    output.line(line);
  }
  if (auto const* move = find(status, "/move"); move != nullptr && move->is_object()) tellMove(output, *move);
  return verdictOf(status);
}

Exit vaultStatus(Context with) {
  auto const status = with.client.get(kVault);
  if (!status) return with.output.error(status.error());
  return tellVault(with.output, *status);
}

Exit rekeyVault(Context with, bool wait) {
  auto const begun = with.client.post(kVault + "/rekey", json::value());
  if (!begun) return with.output.error(begun.error());
  if (!wait) return tellVault(with.output, *begun);
  auto const total = progressOf(*begun).left;
  auto const ended = [](json::value const& status) { return textOr(status, "/move/state", "") != "running"; };
  auto const status = with.client.getUntil(kVault, ended, [&](json::value const& now) {
    auto const left = std::min(progressOf(now).left, total);
    with.output.progress(static_cast<std::uint64_t>(total - left), static_cast<std::uint64_t>(total),
                         "secrets");
  });
  with.output.progressDone();
  if (!status) return with.output.error(status.error());
  return tellVault(with.output, *status);
}

Exit exportVault(Context with, Place const& place, VaultWords const& words) {
  auto const folder = exportsFolder(place);
  if (!folder) return with.output.error(folder.error());
  std::error_code ignored;
  if (fs::exists(words.file, ignored))
    return with.output.error(
        Error(ErrorKind::conflict, words.file + " is there already, and is not overwritten"));
  auto const passphrase = passphraseFrom(words, true);
  if (!passphrase) return with.output.error(passphrase.error());
  auto const answer = with.client.post(kVault + "/export", bodyWith(*passphrase));
  if (!answer) return with.output.error(answer.error());
  if (auto const out = moveOut(*folder + "/" + textOr(*answer, "/file", ""), words.file); !out)
    return with.output.error(out.error());
  if (with.output.json())
    with.output.value(json::object{{"file", words.file}});
  else
    with.output.line("exported to " + words.file + "; without the passphrase it is of no use, to you either");
  return Exit::ok;
}

Exit importVault(Context with, Place const& place, VaultWords const& words) {
  auto const folder = exportsFolder(place);
  if (!folder) return with.output.error(folder.error());
  auto const bytes = readFileText(words.file, kLongestExport);
  if (!bytes) return with.output.error(bytes.error());
  auto const passphrase = passphraseFrom(words, false);
  if (!passphrase) return with.output.error(passphrase.error());
  auto const name = "incoming-" + vault::sha256Hex(*bytes).substr(0, 12) + "-" + std::to_string(::getpid());
  auto const path = *folder + "/" + name;
  std::error_code ignored;
  fs::create_directory(*folder, ignored);
  SystemRandom random;
  if (auto const left = vault::createKeyFile(path, *bytes, random); !left)
    return with.output.error(left.error());
  auto body = bodyWith(*passphrase);
  body["file"] = name;
  auto const answer = with.client.post(kVault + "/import", std::move(body));
  fs::remove(path, ignored);
  if (!answer) return with.output.error(answer.error());
  if (with.output.json())
    with.output.value(*answer);
  else
    tellImported(with.output, *answer);
  return Exit::ok;
}

} // namespace garland::cli
