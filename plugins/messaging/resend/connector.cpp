// Resend: mails that are sent once, at once or later, one by one or in batches, and mails that come in.
//
// Which records and errors there are: tables.cpp. How a mail whose answer was lost is found again:
// garland/sdk/messaging.hpp. Here is how a mail becomes a request, and what the answer to a batch says.
#include "base64.h"
#include "tables.h"

#include <algorithm>

namespace garland::resend {
namespace {

using sdk::Account;
using sdk::Failure;
using sdk::Kind;
namespace messaging = sdk::messaging;
namespace rest = sdk::rest;
namespace json = boost::json;

// Who waits longer for an answer finds it out sooner by looking.
constexpr auto answers_within = std::chrono::seconds(30);

struct Settings {
  std::optional<std::string> url;
  std::optional<std::string> from;
};
GARLAND_RECORD(Settings, url, from)

json::object tag(std::string_view name, std::string_view value) { return {{"name", name}, {"value", value}}; }

std::string keyOf(json::value const& input) {
  auto key = sdk::textOr(input, "/idempotency_key");
  if (key.empty())
    throw Failure(Kind::invalidInput, "/idempotency_key: is missing").withField("/idempotency_key");
  return key;
}

json::array const& arrayAt(json::value const& document, std::string_view pointer, Kind kind) {
  auto const* items = sdk::find(document, pointer);
  if (items == nullptr || !items->is_array())
    throw Failure(kind, std::string(pointer) + ": must be an array");
  return items->get_array();
}

[[noreturn]] void refuse(std::string const& place, std::string_view why) {
  throw Failure(Kind::invalidInput, place + ": " + std::string(why)).withField(place);
}

// What the provider would take and nobody could use: the rest of a subject behind a line break would be
// header fields of the mail.
void requireUsable(json::value const& message) {
  if (sdk::textOr(message, "/subject").find_first_of("\r\n") != std::string::npos)
    refuse("/subject", "must be one line");
  auto const* files = sdk::find(message, "/attachments");
  if (files == nullptr || !files->is_array()) return;
  std::size_t place = 0;
  for (auto const& file : files->get_array()) {
    if (!isBase64(sdk::textOr(file, "/content")))
      refuse("/attachments/" + std::to_string(place) + "/content", "must be Base64");
    ++place;
  }
}

// A mail has been made: this is its id.
std::string idIn(json::value const& answer) {
  auto id = sdk::textOr(answer, "/id");
  if (id.empty()) throw Failure(Kind::providerBug, "the answer to what was sent has no /id");
  return id;
}

json::value post(Account& account, std::string url, json::value const& body, std::string const& key,
                 std::vector<sdk::Header> headers = {}) {
  sdk::Request request;
  request.method = "POST";
  request.url = std::move(url);
  request.headers = std::move(headers);
  if (!body.is_null()) {
    request.headers.push_back({"Content-Type", "application/json"});
    request.body = json::serialize(body);
  }
  request.idempotency_key = key;
  request.timeout = answers_within;
  return rest::fetch(account, errors, std::move(request));
}

class Resend final : public messaging::MessagingConnector {
public:
  sdk::HealthReport check(Account& account, sdk::Call&) override {
    begin(account);
    json::value shown;
    // A sync that runs takes most of the two requests a second; that is no illness.
    rest::patiently(account.call(), [&] {
      sdk::Request request;
      request.url = "domains";
      shown = rest::fetch(account, errors, std::move(request));
    });
    for (auto const& domain : arrayAt(shown, "/data", Kind::providerBug))
      if (sdk::textOr(domain, "/status") == "verified") return {sdk::textOr(domain, "/name")};
    return {"no verified domain"};
  }

  void pull(Account& account, messaging::PullRequest const& request) override {
    begin(account);
    sdk::records::pull(account, sdk::records::find(entities, request.entity), request.cursor, {});
  }

  messaging::Sent send(Account& account, json::value const& input) override {
    begin(account);
    auto const key = keyOf(input);
    return {idIn(post(account, "emails", bodyOf(input, {tag(messaging::key_tag, key)}), key))};
  }

  // One that is wrong does not keep the others back.
  messaging::SentBatch sendBatch(Account& account, json::value const& input) override {
    begin(account);
    auto const key = keyOf(input);
    json::array bodies;
    for (auto const& message : arrayAt(input, "/messages", Kind::invalidInput)) {
      auto const place = std::to_string(bodies.size());
      auto wrong = sdk::attempt([&] {
        bodies.push_back(bodyOf(message, {tag(messaging::key_tag, key), tag(messaging::place_tag, place)}));
      });
      if (!wrong) continue;
      wrong->field = "/messages/" + place + wrong->field;
      throw std::move(*wrong).within("/messages/" + place);
    }
    auto const answer = post(account, "emails/batch", bodies, key, {{"x-batch-validation", "permissive"}});
    return resultsOf(answer, bodies.size());
  }

  messaging::Sent cancel(Account& account, messaging::CancelRequest const& request) override {
    begin(account);
    return {idIn(post(account, "emails/" + sdk::percentEncode(request.message) + "/cancel", nullptr,
                      request.idempotency_key))};
  }

  messaging::Found find(Account& account, messaging::FindRequest const& request) override {
    begin(account);
    return messaging::find(account, traces, request);
  }

  void get(Account& account, sdk::records::GetRequest const& request) override {
    begin(account);
    sdk::records::get(account, sdk::records::find(entities, request.entity), request.ids, {});
  }

  sdk::webhooks::Parsed hints(Account&, sdk::webhooks::Delivery const& delivery) override {
    return sdk::webhooks::parse(hooks, delivery);
  }

private:
  void begin(Account& account) {
    auto const settings = account.settingsAs<Settings>();
    auto url = settings.url.value_or("https://api.resend.com");
    if (!url.ends_with('/')) url += '/';
    account.setBase(std::move(url));
    sender_ = settings.from.value_or("");
  }

  json::object bodyOf(json::value const& message, std::initializer_list<json::object> tags) const {
    auto body = messaging::bodyOf(mail_map, message);
    requireUsable(message);
    for (auto const member : as_they_are)
      if (auto const* value = message.as_object().if_contains(member)) body[member] = *value;
    if (!body.contains("from")) body["from"] = sender_;
    if (body.at("from") == json::value(""))
      throw Failure(Kind::invalidInput, "/from: is missing, and the connection has no sender of its own")
          .withField("/from");
    auto& all = body["tags"];
    if (!all.is_array()) all = json::array();
    all.get_array().insert(all.get_array().end(), tags.begin(), tags.end());
    return body;
  }

  // Those that were taken come without their place, in their order; those that were not name it.
  static messaging::SentBatch resultsOf(json::value const& answer, std::size_t size) {
    messaging::SentBatch batch{std::vector<messaging::Entry>(size)};
    if (auto const* refused = sdk::find(answer, "/errors"); refused != nullptr && refused->is_array())
      for (auto const& one : refused->get_array()) {
        auto const* place = sdk::find(one, "/index");
        if (place != nullptr && place->is_int64() && place->get_int64() >= 0 &&
            static_cast<std::size_t>(place->get_int64()) < size)
          batch.messages[static_cast<std::size_t>(place->get_int64())].problem =
              sdk::textOr(one, "/message", "refused without a reason");
      }
    auto const& taken = arrayAt(answer, "/data", Kind::providerBug);
    std::size_t next = 0;
    for (auto& entry : batch.messages)
      if (!entry.problem && next < taken.size()) entry.id = idIn(taken[next++]);
    bool const all = std::ranges::all_of(batch.messages, [](auto const& e) { return e.id || e.problem; });
    if (!all || next != taken.size())
      throw Failure(Kind::providerBug, "the answer to a batch does not fit what was sent");
    return batch;
  }

  std::string sender_;
};

} // namespace
} // namespace garland::resend

GARLAND_CONNECTOR(garland::resend::Resend)
