// Starter: mails that are sent once, and what became of them.
//
// What is particular to this provider stands in tables: what its errors mean, where its list is, which of its
// members is which of ours. What a row means: garland/sdk/errors.hpp, rest.hpp, fields.hpp. A mail is sent
// with its key, so repeating it does it once; one whose answer was lost is found by that key, which stands in
// its tags.
#include <garland/sdk/messaging.hpp>

namespace {

namespace sdk = garland::sdk;
namespace rest = sdk::rest;
namespace messaging = sdk::messaging;
namespace json = boost::json;
using namespace sdk::fields;
using sdk::Effect;
using sdk::Failure;
using sdk::Kind;

// ---- errors: {"error": {"code", "message", "field"}}
constexpr sdk::errors::Meaning meanings[] = {
    {401, "", Kind::authRevoked}, // keys do not expire
    {403, "", Kind::forbidden},
    // The key was used before, for something else: look what became of it.
    {0, "key_used", Kind::conflict, Effect::unknown},
    {422, "", Kind::invalidInput, {}, true}, // the recipient has opted out, say
};
constexpr sdk::errors::Mapper errors{
    .code = "/error/code", .message = "/error/message", .field = "/error/field", .meanings = meanings};

// ---- the list: what changed since a token, or all of it with the newest first
constexpr rest::Cursor pages{.parameter = "cursor", .next = "/next_cursor"};
constexpr rest::Resource messages{
    .path = "messages",
    .records = "/items",
    .version = "",
    .paging = pages,
    .changes = rest::SyncToken{.parameter = "since", .next = "/next_since", .expired = 410},
    .writing = {.idempotency = rest::HeaderKey{}},
    .errors = errors};
constexpr rest::Parameter newest_first[] = {{"order", "newest"}};
constexpr rest::Resource sent{
    .path = "messages", .records = "/items", .query = newest_first, .paging = pages, .errors = errors};
constexpr messaging::Traces traces{.sent = sent, .state = "/status"};

// ---- records: ours, theirs, how it is written, which way, required
constexpr Word states[] = {{"queued", "queued"},   {"sent", "sent"},          {"delivered", "delivered"},
                           {"bounced", "bounced"}, {"failed", "undelivered"}, {"opened", "opened"}};
constexpr Field message[] = {
    {"/status", "/status", Words{states, "other"}, Way::in, true},
    {"/from", "/from", Text{}, Way::in, true},
    {"/to", "/to", Texts{}, Way::in, true},
    {"/cc", "/cc", Texts{}},
    {"/subject", "/subject"},
    {"/created", "/created_at", Timestamp{}},
};
constexpr messaging::Entity all[] = {{"messaging.message", messages, message}};

// ---- what is sent
constexpr Field sending[] = {
    {"/from", "/from"},
    {"/to", "/to", Texts{}, Way::out, true},
    {"/cc", "/cc", Texts{}},
    {"/reply_to", "/reply_to", Texts{}},
    {"/subject", "/subject", Text{}, Way::out, true},
    {"/text", "/text"},
    {"/html", "/html"},
    {"/tags", "/tags", Pairs{"/name", "/value"}},
};

// ---- what no table says
struct Settings {
  std::optional<std::string> from;
  std::optional<std::string> url;
};
GARLAND_RECORD(Settings, from, url)

class Mail final : public messaging::MessagingConnector {
public:
  sdk::HealthReport check(sdk::Account& account, sdk::Call&) override {
    begin(account);
    sdk::Request request;
    request.url = "me";
    auto name = sdk::textOr(rest::fetch(account, errors, std::move(request)), "/name");
    if (name.empty()) throw Failure(Kind::providerBug, "the answer of /me: /name: is missing");
    return {std::move(name)};
  }

  void pull(sdk::Account& account, messaging::PullRequest const& request) override {
    begin(account);
    sdk::records::pull(account, sdk::records::find(all, request.entity), request.cursor, {});
  }

  messaging::Sent send(sdk::Account& account, json::value const& input) override {
    begin(account);
    auto const key = sdk::textOr(input, "/idempotency_key");
    if (key.empty())
      throw Failure(Kind::invalidInput, "/idempotency_key: is missing").withField("/idempotency_key");
    auto id = sdk::textOr(rest::create(account, messages, bodyOf(account, input, key), key), messages.id);
    if (id.empty()) throw Failure(Kind::providerBug, "the answer to what was sent has no /id");
    return {std::move(id)};
  }

  messaging::Found find(sdk::Account& account, messaging::FindRequest const& request) override {
    begin(account);
    return messaging::find(account, traces, request);
  }

  void get(sdk::Account& account, sdk::records::GetRequest const& request) override {
    begin(account);
    sdk::records::get(account, sdk::records::find(all, request.entity), request.ids, {});
  }

  // Not offered.
  messaging::SentBatch sendBatch(sdk::Account&, json::value const&) override { throw unsupported(); }
  messaging::Sent cancel(sdk::Account&, messaging::CancelRequest const&) override { throw unsupported(); }

  // As in the manifest.
  static std::span<sdk::OperationEntry const> operations() {
    static constexpr sdk::OperationEntry table[] = {
        sdk::operation<&Mail::check>("health.check/1"),  sdk::operation<&Mail::pull>("messaging.pull/1"),
        sdk::operation<&Mail::send>("messaging.send/1"), sdk::operation<&Mail::find>("messaging.find/1"),
        sdk::operation<&Mail::get>("records.get/1"),
    };
    return table;
  }

private:
  static Failure unsupported() { return {Kind::unsupported, "this provider cannot do that"}; }

  static void begin(sdk::Account& account) {
    auto url = account.settingsAs<Settings>().url.value_or("https://api.starter.example/v1");
    if (!url.ends_with('/')) url += '/';
    account.setBase(std::move(url));
  }

  static json::object bodyOf(sdk::Account& account, json::value const& input, std::string const& key) {
    auto body = messaging::bodyOf(sending, input);
    if (!body.contains("from")) body["from"] = account.settingsAs<Settings>().from.value_or("");
    if (body.at("from") == json::value(""))
      throw Failure(Kind::invalidInput, "/from: is missing, and the connection has no sender of its own")
          .withField("/from");
    auto& tags = body["tags"];
    if (!tags.is_array()) tags = json::array();
    tags.get_array().push_back(json::object{{"name", messaging::key_tag}, {"value", key}});
    return body;
  }
};

} // namespace

GARLAND_CONNECTOR(Mail)
