// Intake: the URL of a hook, and what came in by itself that a person has to look at.
#include "host/cli/commands.h"
#include "host/cli/login_name.h"
#include "host/cli/pages.h"
#include "host/cli/prompt.h"

#include "host/base/bytes.h"
#include "host/webhooks/webhooks.h"

namespace garland::cli {
namespace {

std::string const kBase = "/api/integrations";

std::string itemPath(std::string const& id) { return kBase + "/intake/" + percentEncode(id); }

// Who has to do something about it.
Exit verdictOf(json::value const& item) {
  return textOr(item, "/state", "") == "review" ? Exit::findings : Exit::ok;
}

Exit tell(Output& output, json::value const& item) {
  if (output.json()) {
    output.value(item);
    return verdictOf(item);
  }
  auto const id = textOr(item, "/id", "");
  auto const state = textOr(item, "/state", "");
  output.line(id + " (" + textOr(item, "/source", "") + ", " + textOr(item, "/received", "") +
              "): " + textOr(item, "/summary", ""));
  output.line("state: " + (state == "review"  ? output.bad(state)
                           : state == "taken" ? output.good(state)
                                              : state));
  if (auto const reason = textOr(item, "/reason", ""); !reason.empty()) output.line(reason);
  if (auto const records = integerOr(item, "/records", 0); records > 0)
    output.line("records: " + std::to_string(records));
  if (auto const next = textOr(item, "/next_attempt", ""); !next.empty())
    output.line("next attempt: " + next);
  if (auto const* content = find(item, "/content"); content != nullptr && !content->is_null())
    output.line("content: " + json::serialize(*content));
  if (auto const who = textOr(item, "/accepted_by", ""); !who.empty())
    output.line("accepted as genuine by " + who + ", " + textOr(item, "/accepted", ""));
  if (boolOr(item, "/acceptable", false))
    output.line("if you looked at it and it is genuine: garland intake accept " + id);
  if (state == "review")
    output.line("read it again with: garland intake retry " + id + ", or: garland intake dismiss " + id +
                " --why \"...\"");
  return verdictOf(item);
}

// Waits until the item was read once more, and tells what came of it.
Exit afterReading(Context with, std::string const& id, Result<json::value> const& asked) {
  if (!asked) return with.output.error(asked.error());
  auto const read = with.client.getUntil(itemPath(id), [](json::value const& item) {
    return textOr(item, "/state", "") != "waiting" || integerOr(item, "/attempts", 0) > 0;
  });
  if (!read) return with.output.error(read.error());
  return tell(with.output, *read);
}

Result<json::value> schemeOf(std::string const& word) {
  if (word.find('/') == std::string::npos && word.find('.') == std::string::npos) return json::value(word);
  return readJsonFile(word);
}

// Asked for unless the sender tells it by itself. A scheme that is none is for the daemon to refuse.
bool asksForSecret(json::value const& scheme) {
  auto const read =
      scheme.is_string() ? webhooks::Scheme::named(scheme.get_string()) : webhooks::Scheme::read(scheme);
  return !read || !read->tellsItsSecret();
}

} // namespace

Exit openHook(Context with, HookWords const& words) {
  json::object body{{"rotate", words.rotate}};
  if (words.unsigned_) body["scheme"] = nullptr;
  if (!words.scheme.empty()) {
    auto scheme = schemeOf(words.scheme);
    if (!scheme) return with.output.error(scheme.error());
    if (words.secret_from_stdin || asksForSecret(*scheme)) {
      auto const secret = words.secret_from_stdin
                              ? secretFromStdin()
                              : askSecret("Secret that signs the requests: ", kSecretStdin);
      if (!secret) return with.output.error(secret.error());
      body["secret"] = secret->reveal();
    }
    body["scheme"] = std::move(*scheme);
  }
  auto const hook =
      with.client.post(kBase + "/connections/" + percentEncode(words.connection) + "/hook", std::move(body));
  if (!hook) return with.output.error(hook.error());
  if (with.output.json()) {
    with.output.value(*hook);
    return Exit::ok;
  }
  auto const url = textOr(*hook, "/url", "");
  if (url.empty())
    with.output.line("the hook of " + words.connection + " is there since " + textOr(*hook, "/created", "") +
                     "; its URL was shown then, and --rotate makes another in its place");
  else
    with.output.line(url);
  if (url.starts_with("http://127.0.0.1"))
    with.output.line("nobody outside reaches this address: put a TLS proxy before it, and its name into "
                     "[hooks] public_url of garland.toml");
  with.output.line(boolOr(*hook, "/signed", false)
                       ? "its requests must be signed"
                       : "whoever has this URL may hand items in: keep it secret");
  return Exit::ok;
}

Exit listItems(Context with, Page const& page) {
  return showPage(with, "/intake", page,
                  {{"ID", "/id"},
                   {"STATE", "/state"},
                   {"SOURCE", "/source"},
                   {"CONNECTION", "/connection_id"},
                   {"RECEIVED", "/received"},
                   {"SUMMARY", "/summary"},
                   {"REASON", "/reason"}},
                  "nothing came in");
}

Exit showItem(Context with, std::string const& id) {
  auto const item = with.client.get(itemPath(id));
  if (!item) return with.output.error(item.error());
  return tell(with.output, *item);
}

Exit retryItem(Context with, std::string const& id) {
  if (id.starts_with("con_")) {
    auto const all =
        with.client.post(kBase + "/connections/" + percentEncode(id) + "/intake/retry", json::value());
    if (!all) return with.output.error(all.error());
    if (with.output.json())
      with.output.value(*all);
    else
      with.output.line(std::to_string(integerOr(*all, "/retried", 0)) + " items are read again");
    return Exit::ok;
  }
  return afterReading(with, id, with.client.post(itemPath(id) + "/retry", json::value()));
}

Exit acceptItem(Context with, std::string const& id, std::string const& by) {
  auto const who = by.empty() ? loginName() : by;
  return afterReading(with, id, with.client.post(itemPath(id) + "/accept", json::object{{"by", who}}));
}

Exit dismissItem(Context with, std::string const& id, std::string const& why) {
  auto const item = with.client.post(itemPath(id) + "/dismiss", json::object{{"why", why}});
  if (!item) return with.output.error(item.error());
  return tell(with.output, *item);
}

} // namespace garland::cli
