// Webhooks that come in: the address of an account, what came, and what nobody could read.
#include "host/cli/commands.h"
#include "host/cli/pages.h"
#include "host/cli/prompt.h"

#include "host/base/bytes.h"

namespace garland::cli {
namespace {

std::string const kBase = "/api/integrations";

std::string deliveryPath(std::string const& id) { return kBase + "/webhooks/" + percentEncode(id); }

// Who has to do something about it.
Exit verdictOf(json::value const& delivery) {
  return textOr(delivery, "/state", "") == "dead" ? Exit::findings : Exit::ok;
}

Exit tell(Output& output, json::value const& delivery) {
  if (output.json()) {
    output.value(delivery);
    return verdictOf(delivery);
  }
  auto const id = textOr(delivery, "/id", "");
  auto const state = textOr(delivery, "/state", "");
  auto const event = textOr(delivery, "/event", "");
  output.line(id + " (" + textOr(delivery, "/connection_id", "") + ", " + textOr(delivery, "/received", "") +
              ")" + (event.empty() ? "" : ": " + event));
  output.line("state: " + (state == "dead"   ? output.bad(state)
                           : state == "done" ? output.good(state)
                                             : state));
  if (auto const reason = textOr(delivery, "/reason", ""); !reason.empty()) output.line(reason);
  if (state == "done")
    output.line("records that it is about: " + std::to_string(integerOr(delivery, "/hints", 0)));
  if (auto const next = textOr(delivery, "/next_attempt", ""); !next.empty())
    output.line("next attempt: " + next);
  if (auto const* content = find(delivery, "/content"); content != nullptr && !content->is_null())
    output.line("content: " + json::serialize(*content));
  if (auto const raw = fromBase64(textOr(delivery, "/raw", "")); raw && !raw->empty())
    output.line("body: " + json::serialize(json::value(*raw))); // with what a terminal would obey escaped
  if (state == "dead")
    output.line("read it again with: garland dlq replay " + id + ", or: garland dlq drop " + id +
                " --why \"...\"");
  return verdictOf(delivery);
}

// Waits until its connector has read it.
Exit followed(Context with, std::string const& id) {
  auto const read = with.client.getUntil(deliveryPath(id), [](json::value const& delivery) {
    return textOr(delivery, "/state", "") != "waiting" || integerOr(delivery, "/attempts", 0) > 0;
  });
  if (!read) return with.output.error(read.error());
  return tell(with.output, *read);
}

Exit tellReplayed(Output& output, json::value const& answer) {
  if (output.json())
    output.value(answer);
  else
    output.line(std::to_string(integerOr(answer, "/replayed", 0)) + " webhooks are read again");
  return Exit::ok;
}

Exit tellEndpoint(Output& output, json::value const& endpoint) {
  if (output.json()) {
    output.value(endpoint);
    return Exit::ok;
  }
  auto const url = textOr(endpoint, "/url", "");
  auto const connection = textOr(endpoint, "/connection_id", "");
  output.line(url);
  if (auto const scheme = textOr(endpoint, "/scheme", ""); !scheme.empty())
    output.line("verified by: " + scheme);
  if (textOr(endpoint, "/secret", "").empty() && integerOr(endpoint, "/secrets", 0) == 0)
    output.line(
        "every request is refused until its secret is known: register the address at the provider, then "
        "hand over what it shows: garland connections webhook " +
        connection + " --secret");
  else if (!textOr(endpoint, "/secret", "").empty())
    output.line("its secret is shown this once: " + textOr(endpoint, "/secret", ""));
  else
    output.line("live secrets: " + std::to_string(integerOr(endpoint, "/secrets", 0)));
  if (auto const* missing = find(endpoint, "/missing_parameters"); missing != nullptr && missing->is_array())
    for (auto const& name : missing->get_array())
      if (auto const* text = name.if_string())
        output.line("it needs a value that was agreed on: --set " + std::string(*text) + "=...");
  if (auto const note = textOr(endpoint, "/note", ""); !note.empty()) output.line(note);
  if (url.starts_with("http://127.0.0.1"))
    output.line("nobody outside reaches this address: put a TLS proxy before it, and its name into "
                "[hooks] public_url of garland.toml");
  return Exit::ok;
}

Result<json::object> parametersFrom(std::vector<std::string> const& words) {
  json::object parameters;
  for (auto const& word : words) {
    auto const equals = word.find('=');
    if (equals == std::string::npos || equals == 0)
      return Error(ErrorKind::invalidInput, "--set takes NAME=VALUE");
    parameters[word.substr(0, equals)] = word.substr(equals + 1);
  }
  return parameters;
}

} // namespace

Exit setUpWebhook(Context with, EndpointWords const& words) {
  json::object body;
  if (words.rotate) body["rotate"] = true;
  if (!words.name.empty()) body["name"] = words.name;
  if (!words.parameters.empty()) {
    auto parameters = parametersFrom(words.parameters);
    if (!parameters) return with.output.error(parameters.error());
    body["parameters"] = std::move(*parameters);
  }
  if (words.asks_secret || words.secret_from_stdin) {
    auto const secret = words.secret_from_stdin ? secretFromStdin()
                                                : askSecret("Secret that the provider shows: ", kSecretStdin);
    if (!secret) return with.output.error(secret.error());
    body["secret"] = secret->reveal();
  }
  auto const endpoint = with.client.post(
      kBase + "/connections/" + percentEncode(words.connection) + "/webhook", std::move(body));
  if (!endpoint) return with.output.error(endpoint.error());
  return tellEndpoint(with.output, *endpoint);
}

Exit listDeliveries(Context with, Page const& page) {
  return showPage(with, "/webhooks", page,
                  {{"ID", "/id"},
                   {"STATE", "/state"},
                   {"CONNECTION", "/connection_id"},
                   {"RECEIVED", "/received"},
                   {"EVENT", "/event"},
                   {"REASON", "/reason"}},
                  page.state == "dead" ? "nothing is dead" : "no webhook came in");
}

Exit showDelivery(Context with, std::string const& id) {
  auto const delivery = with.client.get(deliveryPath(id));
  if (!delivery) return with.output.error(delivery.error());
  return tell(with.output, *delivery);
}

Exit replayDeliveries(Context with, ReplayWords const& words) {
  if (!words.id.empty()) {
    auto const asked = with.client.post(deliveryPath(words.id) + "/replay", json::value());
    if (!asked) return with.output.error(asked.error());
    return followed(with, words.id);
  }
  json::object body;
  if (!words.connection.empty()) body["connection_id"] = words.connection;
  if (!words.state.empty()) body["state"] = words.state;
  if (!words.from.empty()) body["from"] = words.from;
  if (!words.until.empty()) body["until"] = words.until;
  if (body.empty())
    return with.output.error(Error(ErrorKind::invalidInput,
                                   "name one webhook, or say which with --connection, --state or --from"));
  auto const answer = with.client.post(kBase + "/webhooks/replay", std::move(body));
  if (!answer) return with.output.error(answer.error());
  return tellReplayed(with.output, *answer);
}

Exit retryDead(Context with, std::string const& id) {
  ReplayWords words;
  if (!id.starts_with("con_")) {
    words.id = id;
  } else {
    words.connection = id;
    words.state = "dead";
  }
  return replayDeliveries(with, words);
}

Exit dropDelivery(Context with, std::string const& id, std::string const& why) {
  auto const dropped = with.client.post(deliveryPath(id) + "/drop", json::object{{"why", why}});
  if (!dropped) return with.output.error(dropped.error());
  return tell(with.output, *dropped);
}

} // namespace garland::cli
