// API keys of the daemon, who is signed in, and which role may call what.
#include "host/cli/commands.h"
#include "host/cli/pages.h"

#include "host/base/bytes.h"

#include <iostream>

namespace garland::cli {
namespace {

std::string const kKeys = "/api/integrations/keys";
std::string const kSessions = "/api/integrations/sessions";
constexpr std::int64_t kDay = 86'400; // seconds

std::string keyPath(std::string const& id, std::string const& verb) {
  return kKeys + "/" + percentEncode(id) + "/" + verb;
}

std::string shown(json::value const& key, std::string_view pointer) { return plain(find(key, pointer)); }

Exit tellAnswer(Output& output, Result<json::value> const& answer) {
  if (!answer) return output.error(answer.error());
  tellKey(output, *answer);
  return Exit::ok;
}

// What nobody may is easier to see as a dash.
json::value forReading(json::value matrix) {
  for (auto& line : matrix.at("items").as_array()) {
    bool const key = boolOr(line, "/key", true);
    for (auto& role : line.at("roles").as_object()) {
      if (!key) role.value() = "anyone";
      if (role.value() == "none") role.value() = "-";
    }
  }
  return matrix;
}

} // namespace

void tellKey(Output& output, json::value const& key) {
  if (output.json()) return output.value(key);
  auto const vendor = shown(key, "/vendor_id");
  output.line(shown(key, "/id") + " (" + shown(key, "/name") + "): " + shown(key, "/role") +
              (vendor.empty() ? "" : " " + vendor) + ", " + shown(key, "/state"));
  output.line("expires: " + shown(key, "/expires"));
  if (auto const text = shown(key, "/key"); !text.empty()) output.line("the key is shown this once: " + text);
}

void tellMatrix(Output& output, json::value const& matrix) {
  if (output.json()) return output.value(matrix);
  output.table(forReading(matrix),
               {{"METHOD", "/method"},
                {"PATH", "/path", true},
                {"OPERATOR", "/roles/operator"},
                {"VENDOR", "/roles/vendor"},
                {"PARTNER", "/roles/partner"},
                {"REVIEWER", "/roles/reviewer"},
                {"AUDITOR", "/roles/auditor"}},
               "there are no routes");
  output.line("own: what belongs to the vendor whose key it is; anyone: no key is needed");
}

void tellSession(Output& output, json::value const& session) {
  if (output.json()) return output.value(session);
  output.line(shown(session, "/id") + " of " + shown(session, "/name") +
              " is refused from now on; whoever the provider still lets in may sign in again");
}

Exit addKey(Context with, KeyWords const& words) {
  json::object body;
  body["name"] = words.name;
  body["role"] = words.role;
  if (!words.vendor.empty()) body["vendor_id"] = words.vendor;
  body["life_seconds"] = words.life_days * kDay;
  return tellAnswer(with.output, with.client.post(kKeys, std::move(body)));
}

Exit listKeys(Context with, Page const& page) {
  return showPage(with, "/keys", page,
                  {{"ID", "/id"},
                   {"ROLE", "/role"},
                   {"VENDOR", "/vendor_id"},
                   {"STATE", "/state"},
                   {"EXPIRES", "/expires"},
                   {"LAST USED", "/last_used"},
                   {"REPLACED BY", "/replaced_by"},
                   {"NAME", "/name", true}},
                  "there are no API keys but the one in the key file: garland keys add NAME --role ROLE");
}

namespace {

// "24 hours", "90 seconds".
std::string spanInWords(std::int64_t seconds) {
  auto const words = [](std::int64_t count, char const* unit) {
    return std::to_string(count) + " " + unit + (count == 1 ? "" : "s");
  };
  if (seconds > 0 && seconds % 3600 == 0) return words(seconds / 3600, "hour");
  if (seconds > 0 && seconds % 60 == 0) return words(seconds / 60, "minute");
  return words(seconds, "second");
}

} // namespace

Exit rotateKey(Context with, KeyWords const& words) {
  json::object body;
  body["overlap_seconds"] = words.overlap_seconds;
  auto const answer = with.client.post(keyPath(words.id, "rotate"), std::move(body));
  if (answer && !with.output.json())
    with.output.line(words.id + " goes on for " + spanInWords(words.overlap_seconds) +
                     " at most; in its place:");
  return tellAnswer(with.output, answer);
}

void tellRevoked(Output& output, json::value const& key) {
  tellKey(output, key);
  auto const next = textOr(key, "/replaced_by", "");
  if (output.json() || next.empty()) return;
  output.line("it was rotated to " + next +
              ", a key of its own, which this leaves as it is; to end that too: " + "garland keys revoke " +
              next);
}

Exit revokeKey(Context with, std::string const& id) {
  auto const answer = with.client.post(keyPath(id, "revoke"), json::value());
  if (!answer) return with.output.error(answer.error());
  tellRevoked(with.output, *answer);
  return Exit::ok;
}

Exit listSessions(Context with, Page const& page) {
  return showPage(with, "/sessions", page,
                  {{"ID", "/id"},
                   {"ROLE", "/role"},
                   {"VENDOR", "/vendor_id"},
                   {"SINCE", "/created"},
                   {"EXPIRES", "/expires"},
                   {"LAST USED", "/last_used"},
                   {"WHO", "/name", true}},
                  "nobody is signed in; people sign in at /sign-in, if [oidc] of garland.toml is configured");
}

Exit endSession(Context with, std::string const& id) {
  auto const answer = with.client.remove(kSessions + "/" + percentEncode(id));
  if (!answer) return with.output.error(answer.error());
  tellSession(with.output, *answer);
  return Exit::ok;
}

Exit showRoles(Context with, bool markdown) {
  auto const matrix = with.client.get("/api/integrations/roles");
  if (!matrix) return with.output.error(matrix.error());
  if (markdown)
    std::cout << rolesPage(*matrix);
  else
    tellMatrix(with.output, *matrix);
  return Exit::ok;
}

} // namespace garland::cli
