// Trying a webhook's signature by hand: what the daemon would say to these bytes. Needs no daemon.
#include "host/cli/commands.h"

#include "host/cli/request_files.h"

#include <algorithm>
#include <charconv>

namespace garland::cli {
namespace {

Error wrong(std::string const& sentence) { return {ErrorKind::invalidInput, sentence}; }

// Of a manifest, its member "webhooks", or that one's member "signature".
Result<webhooks::Scheme> schemeIn(std::string const& text) {
  TRY(document, parseJson(text));
  if (!document.is_object()) return wrong("it must be an object: a connector.json, or its \"webhooks\"");
  if (auto const* inner = find(document, "/webhooks")) return webhooks::Scheme::read(json::value(*inner));
  if (find(document, "/signature") != nullptr) return webhooks::Scheme::read(document);
  if (find(document, "/manifest") != nullptr)
    return wrong("it has no \"webhooks\", so that its connector takes none and there is no signature to "
                 "verify; name a scheme instead (garland webhooks schemes)");
  return webhooks::Scheme::read(json::object{{"signature", document}});
}

Result<webhooks::Scheme> schemeFor(std::string const& word) {
  if (word.find_first_of("/.") == std::string::npos) {
    auto named = webhooks::Scheme::named(word);
    if (!named) return wrong(named.error().message + "; or name a file, such as ./connector.json");
    return named;
  }
  TRY(text, contentOf("--scheme", word));
  auto scheme = schemeIn(text);
  if (!scheme) return wrong("--scheme: " + word + ": " + scheme.error().message);
  return scheme;
}

// As it was registered: its letters are signed.
Result<void> checkUrl(std::string const& url) {
  bool const plain = std::ranges::none_of(url, [](char c) { return c <= ' ' || c == 0x7F; });
  auto const host = url.starts_with("https://") ? 8U : url.starts_with("http://") ? 7U : 0U;
  if (plain && host > 0 && url.find_first_of("/?#:", host) > host && url.size() > host) return {};
  return wrong("--url: must be the whole address, such as https://studio.example/hooks/7");
}

Result<FiledRequest> requestFrom(WebhookWords const& words) {
  TRY(filed, requestFromFiles(words.headers, words.body));
  if (!words.url.empty()) {
    TRY_VOID(checkUrl(words.url));
  }
  filed.request.method = words.method;
  filed.request.url = words.url;
  return filed;
}

Result<webhooks::Keys> keysFrom(WebhookWords const& words) {
  webhooks::Keys keys;
  for (auto const& secret : words.secrets) keys.secrets.emplace_back(secret);
  for (auto const& file : words.secret_files) {
    TRY(text, contentOf("--secret-file", file));
    while (text.ends_with('\n') || text.ends_with('\r')) text.pop_back();
    keys.secrets.emplace_back(std::move(text));
  }
  if (std::ranges::any_of(keys.secrets, [](auto const& secret) { return secret.empty(); }))
    return wrong("a secret is empty, by which nothing can be verified: look at --secret and --secret-file");
  if (!words.certificate.empty()) {
    TRY(certificate, contentOf("--certificate", words.certificate));
    keys.certificate = std::move(certificate);
  }
  for (auto const& parameter : words.parameters) {
    auto const equals = parameter.find('=');
    if (equals == std::string::npos || equals == 0)
      return wrong("--set takes NAME=VALUE, such as channel_id=7f2e; garland webhooks schemes --json tells "
                   "the names");
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
  if (!time) return wrong("--now: must be seconds since 1970, or a time such as 2026-06-13T12:00:00Z");
  return time;
}

// Names of --set that the scheme does not know are mistakes.
Result<void> checkParameters(webhooks::Scheme const& scheme, webhooks::Keys const& keys) {
  for (auto const& parameter : keys.parameters) {
    if (scheme.parameters().contains(parameter.first)) continue;
    std::string known;
    for (auto const& [name, about] : scheme.parameters()) known += (known.empty() ? "" : ", ") + name;
    return wrong("--set: the scheme has no value " + parameter.first +
                 (known.empty() ? "" : "; it has: " + known));
  }
  return {};
}

// "--set channel_id=VALUE (The id that ...)" for each value that is still to be said.
std::string missingParameters(webhooks::Scheme const& scheme, webhooks::Keys const& keys) {
  std::string missing;
  for (auto const& [name, about] : scheme.parameters())
    if (auto const said = keys.parameters.find(name); said == keys.parameters.end() || said->second.empty())
      missing += std::string(missing.empty() ? "" : ", ") + "--set " + name + "=VALUE (" + about + ")";
  return missing;
}

// What to type, where that would change the verdict; "" where it would not.
std::string whatToType(webhooks::Verdict const& verdict, webhooks::Scheme const& scheme,
                       webhooks::Request const& request, webhooks::Keys const& keys) {
  using webhooks::Reason;
  std::string const key = scheme.needsCertificate() ? "--certificate FILE" : "--secret-file FILE";
  bool const has_key = scheme.needsCertificate() ||
                       std::ranges::any_of(keys.secrets, [](auto const& secret) { return !secret.empty(); });
  switch (verdict.reason) {
  case Reason::certificateNeeded: {
    auto const url = webhooks::certificateUrl(scheme, request);
    return "fetch it" + (url ? " from " + *url : std::string()) + " and give it with " + key;
  }
  case Reason::noSecret: return "give it with " + (has_key ? missingParameters(scheme, keys) : key);
  case Reason::badKey: return "give another with " + key;
  case Reason::wrongValue: return keys.parameters.empty() ? "" : "what was agreed on is what --set says";
  case Reason::seenBefore: return "that is what --seen says; without it, it is judged as the first";
  case Reason::tooOld:
  case Reason::tooNew: return "--now TIME judges it as of another time, such as 2026-06-13T12:00:00Z";
  default: return "";
  }
}

struct Judged {
  webhooks::Verdict verdict;
  std::string to_type;
};

Result<Judged> judge(WebhookWords const& words) {
  TRY(scheme, schemeFor(words.scheme));
  TRY(filed, requestFrom(words));
  TRY(keys, keysFrom(words));
  TRY(now, timeFrom(words.now));
  TRY_VOID(checkParameters(scheme, keys));
  if (scheme.needsUrl() && words.url.empty())
    return wrong("this scheme covers the URL: give it with --url, as it was registered");
  if (!scheme.secretsMember().empty() && words.url.empty())
    return wrong("this scheme has its secret in the URL: give that with --url, such as "
                 "https://studio.example/hooks/7?" +
                 scheme.secretsMember() + "=SECRET");
  if (keys.secrets.empty() && keys.certificate.empty())
    return wrong("nothing to verify with: give --secret-file, --secret or --certificate");
  auto verdict = webhooks::verify(scheme, filed.request, keys, VirtualClock(now));
  if (auto spoilt = spoiltByFiles(filed, verdict)) return *std::move(spoilt);
  auto to_type = whatToType(verdict, scheme, filed.request, keys);
  return Judged{std::move(verdict), std::move(to_type)};
}

} // namespace

Exit verifyWebhook(Output& output, WebhookWords const& words) {
  auto const judged = judge(words);
  if (!judged) return output.error(judged.error());
  auto const& verdict = judged->verdict;
  std::string const reason(webhooks::name(verdict.reason));
  bool const accepted = verdict.accepted();
  auto const sentence = verdict.sentence + (judged->to_type.empty() ? "" : "; " + judged->to_type);
  if (output.json()) {
    json::object value{
        {"verdict", accepted ? "accept" : "reject"}, {"reason", reason}, {"message", sentence}};
    if (!verdict.once_key.empty()) value["once"] = verdict.once_key;
    output.value(value);
  } else if (accepted) {
    output.line(output.good("accept") + ": " + sentence);
    if (!verdict.once_key.empty())
      output.line("it may come once only: as a second time it is tried with --seen " +
                  shellQuoted(verdict.once_key));
  } else {
    output.line(output.bad("reject") + " (" + reason + "): " + sentence);
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
