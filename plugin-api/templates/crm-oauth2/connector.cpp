// Starter: clients and projects of a CRM, both ways.
//
// What is particular to this provider stands in tables: what its errors mean, where its lists are, which of
// its members is which of ours. What a row means: garland/sdk/errors.hpp, rest.hpp, fields.hpp.
#include <garland/sdk/crm.hpp>

namespace {

namespace sdk = garland::sdk;
namespace rest = sdk::rest;
using namespace sdk::fields;
using sdk::Kind;
using sdk::crm::Entity;

// ---- errors: {"error": {"code", "message", "field", "scope"}}. What had been done by then, the SDK knows.
constexpr sdk::errors::Meaning meanings[] = {
    {401, "token_expired", Kind::authExpired},
    {401, "", Kind::authRevoked},
    {403, "", Kind::forbidden},
    {422, "", Kind::invalidInput, {}, true},
};
constexpr sdk::errors::Detail details[] = {{"missing_scope", "/error/scope"}};
constexpr sdk::errors::Mapper errors{.code = "/error/code",
                                     .message = "/error/message",
                                     .field = "/error/field",
                                     .meanings = meanings,
                                     .details = details};

// ---- lists: what changed since a token, page after page; what was deleted comes once more, marked
constexpr std::string_view set_by_provider[] = {"id", "version", "created_at", "updated_at", "deleted"};
constexpr rest::Resource resource(std::string_view path) {
  return {.path = path,
          .records = "/items",
          .version = "/version",
          .deleted = "/deleted",
          .paging = rest::Cursor{.parameter = "cursor", .next = "/next_cursor"},
          .changes = rest::SyncToken{.parameter = "since", .next = "/next_since", .expired = 410},
          .writing = {.update = "PATCH",
                      .whole = false,
                      .read_only = set_by_provider,
                      .idempotency = rest::HeaderKey{}},
          .errors = errors};
}
constexpr rest::Resource clients = resource("clients");
constexpr rest::Resource projects = resource("projects");

// ---- fields: ours, theirs, how it is written, which way, required
constexpr Word kinds[] = {{"person", "person"}, {"company", "company"}};
constexpr Field client[] = {
    {"/kind", "/type", Words{kinds, "other"}, Way::both, true},
    {"/name", "/name", Text{}, Way::both, true},
    {"/company", "/company"},
    {"/job_title", "/position"},
    {"/email", "/email", Email{}},
    {"/phones/mobile", "/mobile", Phone{}},
    {"/birthday", "/born_on", Date{}},
};

constexpr Word stages[] = {
    {"lead", "inquiry"}, {"booked", "won"}, {"fulfillment", "in_progress"}, {"completed", "done"}};
constexpr Field project[] = {
    {"/name", "/title", Text{}, Way::both, true},
    {"/stage", "/stage", Words{stages, "other"}, Way::both, true},
    {"/closed", "/archived", Boolean{}},
    {"/event_date", "/event_on", Date{}},
    {"/guest_count", "/guests", Integer{}},
    {"/notes", "/notes"},
    {"/revenue", "/total", Amount{.currency = "/currency"}, Way::in},
};

constexpr Entity all[] = {
    {"crm.client", clients, client, Way::both},
    {"crm.project", projects, project, Way::both},
};

// ---- what no table says
struct Settings {
  std::optional<std::string> url;
  std::optional<std::string> calling_code;
};
GARLAND_RECORD(Settings, url, calling_code)

class Crm final : public sdk::crm::TableConnector {
public:
  sdk::HealthReport check(sdk::Account& account, sdk::Call&) override {
    setBase(account);
    sdk::Request request;
    request.url = "me";
    auto const me = rest::fetch(account, errors, std::move(request));
    auto name = sdk::textOr(me, "/name");
    if (name.empty()) throw sdk::Failure(Kind::providerBug, "the answer of /me: /name: is missing");
    return {std::move(name)};
  }

  // As in the manifest.
  static std::span<sdk::OperationEntry const> operations() {
    static constexpr sdk::OperationEntry table[] = {
        sdk::operation<&Crm::check>("health.check/1"), sdk::operation<&Crm::pull>("crm.pull/1"),
        sdk::operation<&Crm::upsert>("crm.upsert/1"),  sdk::operation<&Crm::remove>("crm.delete/1"),
        sdk::operation<&Crm::get>("records.get/1"),
    };
    return table;
  }

protected:
  std::span<Entity const> entities() const override { return all; }

  sdk::fields::Context begin(sdk::Account& account, Entity const&) override {
    setBase(account);
    return {.calling_code = account.settingsAs<Settings>().calling_code.value_or("")};
  }

private:
  static void setBase(sdk::Account& account) {
    auto url = account.settingsAs<Settings>().url.value_or("https://api.starter.example/v1");
    if (!url.ends_with('/')) url += '/';
    account.setBase(std::move(url));
  }
};

} // namespace

GARLAND_CONNECTOR(Crm)
