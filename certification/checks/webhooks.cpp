// Checks of the signature scheme that a manifest names for what the provider sends: the host verifies by it,
// so what it would let through is the connector's fault.
#include "certification/check.h"

#include "host/webhooks/webhooks.h"

namespace garland::certification {
namespace {

std::string noWebhooks(Subject const& subject) {
  return subject.plugin.manifest.webhooks.is_null() ? "the manifest has no webhooks" : "";
}

TimePoint constexpr kSent{Milliseconds(1'767'225'600'000)};

struct Delivery {
  webhooks::Request request;
  std::vector<std::string> secrets;
  Milliseconds later{1000};
};

// A scheme whose requests carry the secret itself signs nothing: it is put where the scheme looks for it.
bool placeToken(json::value const& words, webhooks::Request& request, std::string const& secret) {
  if (textOr(words, "/signature/algorithm", "") != "token") return false;
  if (auto const name = textOr(words, "/signature/at/query", ""); !name.empty())
    request.url += "?" + name + "=" + secret;
  else if (auto const header = textOr(words, "/signature/at/header", ""); !header.empty())
    request.headers.emplace_back(header, secret);
  else
    return false;
  return true;
}

// What is sent with the secret only; the rest of the request is anybody's.
void refusesWrongTokens(Trial& trial, webhooks::Scheme const& scheme) {
  VirtualClock const clock(kSent);
  auto const accepted = [&](std::string const& sent) {
    webhooks::Request request;
    request.url = "https://hooks.example.test/in/1";
    if (!sent.empty()) placeToken(trial.subject().plugin.manifest.webhooks, request, sent);
    webhooks::Keys keys;
    keys.secrets.emplace_back("old-secret-0123456789abcdef");
    keys.secrets.emplace_back("secret-0123456789abcdef0123");
    return webhooks::verify(scheme, request, keys, clock).accepted();
  };
  std::string const where = "connector.json /webhooks";
  trial.expect(accepted("secret-0123456789abcdef0123"), "a request with the secret is refused", where);
  trial.expect(accepted("old-secret-0123456789abcdef"),
               "it is refused while the secret is being changed, and the old one still counts", where);
  trial.expect(!accepted(""), "it is accepted without the secret", where);
  trial.expect(!accepted("secret-0123456789abcdef0124"), "it is accepted with another secret", where);
  trial.expect(!accepted("secret-0123456789"), "it is accepted with half of the secret", where);
  trial.expect(!accepted("secret-0123456789abcdef01234"), "it is accepted with more than the secret", where);
}

// Whether the time of sending changes what is signed, or what is sent with it.
bool signsATime(webhooks::Scheme const& scheme) {
  webhooks::Request request;
  request.url = "https://hooks.example.test/in/1";
  request.body = R"({"id":"evt_1"})";
  Secret const secret("whsec_Y2VydGlmaWNhdGlvbi1zZWNyZXQtMDAwMQ==");
  auto const now = webhooks::sign(scheme, request, "msg_1", secret, kSent);
  auto const later = webhooks::sign(scheme, request, "msg_1", secret, kSent + std::chrono::hours(1));
  return now && later && *now != *later;
}

// ---- WHK-01
void refusesForgeries(Trial& trial) {
  auto const scheme = webhooks::Scheme::read(trial.subject().plugin.manifest.webhooks);
  if (!trial.expect(scheme.has_value(), scheme ? "" : scheme.error().message, "connector.json /webhooks"))
    return;
  webhooks::Request probe;
  if (placeToken(trial.subject().plugin.manifest.webhooks, probe, "x"))
    return refusesWrongTokens(trial, *scheme);
  Delivery good;
  good.request.method = "POST";
  good.request.url = "https://hooks.example.test/in/1";
  good.request.body = R"({"id":"evt_1","type":"certification","created":1767225600})";
  good.secrets.emplace_back("whsec_Y2VydGlmaWNhdGlvbi1zZWNyZXQtMDAwMQ==");
  auto const signature = webhooks::sign(*scheme, good.request, "msg_1", Secret(good.secrets.front()), kSent);
  if (!signature)
    return trial.giveUp("its scheme's key is not shared, so nothing can be signed here: " +
                        signature.error().message);
  for (auto const& [name, value] : *signature) good.request.headers.emplace_back(name, value);
  auto const accepted = [&](Delivery const& delivery) {
    VirtualClock const clock(kSent + delivery.later);
    webhooks::Keys keys;
    for (auto const& secret : delivery.secrets) keys.secrets.emplace_back(secret);
    for (auto const& [name, sentence] : scheme->parameters()) keys.parameters[name] = "agreed";
    return webhooks::verify(*scheme, delivery.request, keys, clock).accepted();
  };
  auto const refuse = [&](char const* what, auto&& change) {
    auto forged = good;
    change(forged);
    trial.expect(!accepted(forged), std::string("it is accepted ") + what, "connector.json /webhooks");
  };
  trial.expect(accepted(good), "a request that the provider signed is refused", "connector.json /webhooks");
  refuse("with another body", [](Delivery& d) { d.request.body += " "; });
  refuse("without a signature", [](Delivery& d) { d.request.headers.clear(); });
  refuse("with another secret", [](Delivery& d) {
    d.secrets.clear();
    d.secrets.emplace_back("whsec_YW5vdGhlci1zZWNyZXQtMDAwMDAwMDAwMDAyAA==");
  });
  refuse("with half of the signature", [](Delivery& d) {
    for (auto& [name, value] : d.request.headers) value.resize(value.size() / 2);
  });
  // A scheme that signs no time tells an old request by what marks a delivery, and takes it once.
  if (signsATime(*scheme)) {
    // Five minutes are usual; a manifest may ask for a week.
    refuse("an hour after it was sent", [](Delivery& d) { d.later = std::chrono::hours(1); });
  } else {
    auto const& words = trial.subject().plugin.manifest.webhooks;
    VirtualClock const clock(kSent + good.later);
    webhooks::Keys keys;
    for (auto const& secret : good.secrets) keys.secrets.emplace_back(secret);
    for (auto const& [name, sentence] : scheme->parameters()) keys.parameters[name] = "agreed";
    bool const marked = garland::find(words, "/delivery_id") != nullptr ||
                        !webhooks::verify(*scheme, good.request, keys, clock).once_key.empty();
    trial.expect(marked, "it signs no time, and nothing marks a delivery: a month later it is taken again",
                 "connector.json /webhooks/delivery_id");
  }
  auto rotated = good;
  rotated.secrets.insert(rotated.secrets.begin(), "whsec_YW5vdGhlci1zZWNyZXQtMDAwMDAwMDAwMDAyAA==");
  trial.expect(accepted(rotated),
               "it is refused while the secret is being changed, and the old one still counts",
               "connector.json /webhooks");
}

constexpr Check kChecks[] = {
    {.id = "WHK-01", .run = refusesForgeries, .skip = noWebhooks, .needs_twin = false, .calls_plugin = false},
};

} // namespace

std::span<Check const> webhookChecks() { return kChecks; }

} // namespace garland::certification
