// Trying a webhook's signature by hand: what the daemon would say to these bytes. Needs no daemon.
#include "host/cli/commands.h"

#include "host/base/file_text.h"
#include "host/webhooks/webhooks.h"

#include <charconv>

namespace garland::cli {
namespace {

constexpr std::string_view kStandardInput = "-";

// Exit code 1 means "reject" here, so that everything that is wrong with the words is wrong usage.
Error unusable(std::string const& option, Error const& error) {
  return {ErrorKind::invalidInput, option + ": " + error.message};
}

Result<std::string> contentOf(std::string const& option, std::string const& file) {
  auto text = readFileText(file == kStandardInput ? "/dev/stdin" : file);
  if (!text) return unusable(option, text.error());
  return text;
}

// A manifest, its member "webhooks", or that one's member "signature".
Result<webhooks::Scheme> schemeFromFile(std::string const& file) {
  TRY(text, contentOf("--scheme", file));
  auto document = parseJson(text);
  if (!document) return unusable("--scheme", document.error());
  if (auto const* inner = find(*document, "/webhooks")) return webhooks::Scheme::read(json::value(*inner));
  if (find(*document, "/signature") != nullptr) return webhooks::Scheme::read(*document);
  return webhooks::Scheme::read(json::object{{"signature", *document}});
}

Result<webhooks::Scheme> schemeFor(std::string const& word) {
  if (word.find_first_of("/.") == std::string::npos) {
    auto named = webhooks::Scheme::named(word);
    if (!named)
      return Error(ErrorKind::invalidInput,
                   named.error().message + "; or name a file, such as ./connector.json");
    return named;
  }
  auto scheme = schemeFromFile(word);
  if (!scheme) return Error(ErrorKind::invalidInput, word + ": " + scheme.error().message);
  return scheme;
}

using Headers = std::vector<std::pair<std::string, std::string>>;

Result<Headers> headersFrom(std::string const& file) {
  TRY(text, contentOf("--headers", file));
  Headers headers;
  std::string_view rest = text;
  for (int number = 1; !rest.empty(); ++number) {
    auto line = rest.substr(0, rest.find('\n'));
    rest.remove_prefix(std::min(line.size() + 1, rest.size()));
    if (line.ends_with('\r')) line.remove_suffix(1);
    if (line.empty()) continue;
    auto const colon = line.find(':');
    if (colon == std::string_view::npos || colon == 0)
      return Error(ErrorKind::invalidInput,
                   "--headers: line " + std::to_string(number) + " of " + file + " is not \"Name: value\"");
    headers.emplace_back(line.substr(0, colon), line.substr(colon + 1));
  }
  return headers;
}

Result<webhooks::Request> requestFrom(WebhookWords const& words) {
  webhooks::Request request;
  request.method = words.method;
  request.url = words.url;
  if (!words.headers.empty()) {
    TRY(headers, headersFrom(words.headers));
    request.headers = std::move(headers);
  }
  if (!words.body.empty()) {
    TRY(body, contentOf("--body", words.body));
    request.body = std::move(body);
  }
  return request;
}

Result<webhooks::Keys> keysFrom(WebhookWords const& words) {
  webhooks::Keys keys;
  for (auto const& secret : words.secrets) keys.secrets.emplace_back(secret);
  for (auto const& file : words.secret_files) {
    TRY(text, contentOf("--secret-file", file));
    while (text.ends_with('\n') || text.ends_with('\r')) text.pop_back();
    keys.secrets.emplace_back(std::move(text));
  }
  if (!words.certificate.empty()) {
    TRY(certificate, contentOf("--certificate", words.certificate));
    keys.certificate = std::move(certificate);
  }
  for (auto const& parameter : words.parameters) {
    auto const equals = parameter.find('=');
    if (equals == std::string::npos || equals == 0)
      return Error(ErrorKind::invalidInput, "--set takes NAME=VALUE");
    keys.parameters[parameter.substr(0, equals)] = parameter.substr(equals + 1);
  }
  keys.seen = [&words](std::string_view key) {
    return std::find(words.seen.begin(), words.seen.end(), key) != words.seen.end();
  };
  return keys;
}

Result<TimePoint> timeFrom(std::string const& word) {
  if (word.empty()) return SystemClock().now();
  constexpr std::int64_t kYear9999 = 253'402'300'799;
  std::int64_t seconds = 0;
  auto const* const end = word.data() + word.size();
  auto const [stopped, problem] = std::from_chars(word.data(), end, seconds);
  if (problem == std::errc() && stopped == end && seconds >= 0 && seconds <= kYear9999)
    return TimePoint(std::chrono::seconds(seconds));
  auto time = parseRfc3339(word);
  if (!time)
    return Error(ErrorKind::invalidInput,
                 "--now: must be seconds since 1970, or a time such as 2026-06-13T12:00:00Z");
  return time;
}

// Names of --set that the scheme does not know are mistakes.
Result<void> checkParameters(webhooks::Scheme const& scheme, webhooks::Keys const& keys) {
  for (auto const& parameter : keys.parameters) {
    if (scheme.parameters().contains(parameter.first)) continue;
    std::string known;
    for (auto const& [name, about] : scheme.parameters()) known += (known.empty() ? "" : ", ") + name;
    return Error(ErrorKind::invalidInput, "--set: the scheme has no value " + parameter.first +
                                              (known.empty() ? "" : "; it has: " + known));
  }
  return {};
}

Result<webhooks::Verdict> verdictOn(WebhookWords const& words) {
  TRY(scheme, schemeFor(words.scheme));
  TRY(request, requestFrom(words));
  TRY(keys, keysFrom(words));
  TRY(now, timeFrom(words.now));
  TRY_VOID(checkParameters(scheme, keys));
  if (scheme.needsUrl() && words.url.empty())
    return Error(ErrorKind::invalidInput,
                 "this scheme covers the URL: give it with --url, as it was registered");
  if (keys.secrets.empty() && keys.certificate.empty())
    return Error(ErrorKind::invalidInput,
                 "nothing to verify with: give --secret-file, --secret or --certificate");
  return webhooks::verify(scheme, request, keys, VirtualClock(now));
}

} // namespace

Exit verifyWebhook(Output& output, WebhookWords const& words) {
  auto const verdict = verdictOn(words);
  if (!verdict) return output.error(verdict.error());
  std::string const reason(webhooks::name(verdict->reason));
  bool const accepted = verdict->accepted();
  if (output.json()) {
    json::object value{
        {"verdict", accepted ? "accept" : "reject"}, {"reason", reason}, {"message", verdict->sentence}};
    if (!verdict->once_key.empty()) value["once"] = verdict->once_key;
    output.value(value);
  } else if (accepted) {
    output.line(output.good("accept") + ": " + verdict->sentence);
  } else {
    output.line(output.bad("reject") + " (" + reason + "): " + verdict->sentence);
  }
  return accepted ? Exit::ok : Exit::findings;
}

Exit listWebhookSchemes(Output& output) {
  json::array list;
  for (auto const& name : webhooks::presetNames()) {
    auto const scheme = webhooks::Scheme::named(name);
    if (!scheme) return output.error(scheme.error());
    json::object parameters;
    for (auto const& [parameter, about] : scheme->parameters()) parameters[parameter] = about;
    list.push_back(
        json::object{{"name", name}, {"summary", scheme->summary()}, {"parameters", std::move(parameters)}});
  }
  output.table(list, {{"NAME", "/name"}, {"WHAT", "/summary"}}, "there are none");
  return Exit::ok;
}

} // namespace garland::cli
