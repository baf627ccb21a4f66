#include "tables.h"

namespace garland::resend {
namespace {

namespace rest = sdk::rest;
using namespace sdk::fields;
using sdk::Effect;
using sdk::Kind;
using sdk::errors::Meaning;
using sdk::records::Entity;

// ---- errors: {"statusCode", "name", "message"}
constexpr Meaning meanings[] = {
    {0, "restricted_api_key", Kind::forbidden, Effect::notApplied}, // a key that may only send
    {0, "missing_api_key", Kind::authRevoked, Effect::notApplied},
    {0, "invalid_api_key", Kind::authRevoked, Effect::notApplied},
    {401, "", Kind::authRevoked, Effect::notApplied}, // keys do not expire
    {403, "validation_error", Kind::forbidden, Effect::notApplied,
     true}, // the sender's domain is not verified
    {403, "", Kind::forbidden, Effect::notApplied},
    // The key was used before, for something else or by a request that still runs: look what became of it.
    {0, "invalid_idempotent_request", Kind::conflict, Effect::unknown},
    {0, "concurrent_idempotent_requests", Kind::transient, Effect::unknown},
    {0, "daily_quota_exceeded", Kind::quota, Effect::notApplied},
    {0, "monthly_quota_exceeded", Kind::quota, Effect::notApplied},
    {429, "", Kind::rateLimited, Effect::notApplied},
    {0, "security_error", Kind::forbidden, Effect::notApplied}, // 451
    {400, "", Kind::invalidInput, Effect::notApplied},
    {422, "", Kind::invalidInput, Effect::notApplied, true},
};
constexpr sdk::errors::DelayHeader delays[] = {{"ratelimit-reset", sdk::errors::DelayHeader::Form::seconds}};
constexpr sdk::errors::Mapper mapper{.code = "/name",
                                     .message = "/message",
                                     .meanings = meanings,
                                     .delays = delays,
                                     .left = "ratelimit-remaining"};

// ---- lists, the newest first. A mail may be scheduled thirty days ahead.
constexpr rest::StartingAfter pages{.parameter = "after"};
constexpr rest::StartingAfter short_pages{.parameter = "after", .per_page = 20};
constexpr rest::Resource messages{
    .path = "emails",
    .records = "/data",
    .version = "",
    .paging = pages,
    .changes = rest::Recent{.window = std::chrono::hours(7 * 24), .late = std::chrono::hours(37 * 24)},
    .errors = mapper};
// The list leaves the text out; what came in does not change.
constexpr rest::Resource received_mails{.path = "emails/receiving",
                                        .records = "/data",
                                        .version = "",
                                        .paging = short_pages,
                                        .changes = rest::Recent{.read_again = true},
                                        .errors = mapper};

// ---- records
constexpr Word states[] = {{"scheduled", "scheduled"},
                           {"queued", "queued"},
                           {"sent", "sent"},
                           {"delivered", "delivered"},
                           {"delayed", "delivery_delayed"},
                           {"opened", "opened"},
                           {"clicked", "clicked"},
                           {"bounced", "bounced"},
                           {"complained", "complained"},
                           {"failed", "failed"},
                           {"suppressed", "suppressed"},
                           {"cancelled", "canceled"}};
constexpr Field message[] = {
    {"/status", "/last_event", Words{states, "other"}, Way::in, true},
    {"/from", "/from", Text{}, Way::in, true},
    {"/to", "/to", Texts{}, Way::in, true},
    {"/cc", "/cc", Texts{}},
    {"/bcc", "/bcc", Texts{}},
    {"/reply_to", "/reply_to", Texts{}},
    {"/subject", "/subject"},
    {"/created", "/created_at", Timestamp{}},
    {"/scheduled", "/scheduled_at", Timestamp{}},
    {"/message_id", "/message_id"},
};
constexpr Field received[] = {
    {"/from", "/from", Text{}, Way::in, true},
    {"/received", "/created_at", Timestamp{}, Way::in, true},
    {"/to", "/to", Texts{}},
    {"/cc", "/cc", Texts{}},
    {"/bcc", "/bcc", Texts{}},
    {"/reply_to", "/reply_to", Texts{}},
    {"/subject", "/subject"},
    {"/text", "/text"},
    {"/html", "/html"},
    {"/message_id", "/message_id"},
};
constexpr Entity all[] = {{"messaging.message", messages, message},
                          {"messaging.received", received_mails, received}};

// ---- webhooks: what became of a mail, and mails that came in
constexpr std::string_view mail_id = "/data/email_id";
constexpr sdk::webhooks::Event notices[] = {{"email.scheduled", "messaging.message", mail_id},
                                            {"email.sent", "messaging.message", mail_id},
                                            {"email.delivered", "messaging.message", mail_id},
                                            {"email.delivery_delayed", "messaging.message", mail_id},
                                            {"email.complained", "messaging.message", mail_id},
                                            {"email.bounced", "messaging.message", mail_id},
                                            {"email.opened", "messaging.message", mail_id},
                                            {"email.clicked", "messaging.message", mail_id},
                                            {"email.failed", "messaging.message", mail_id},
                                            {"email.suppressed", "messaging.message", mail_id},
                                            {"email.received", "messaging.received", mail_id}};

// ---- what is sent
constexpr Field sending[] = {
    {"/from", "/from"},
    {"/to", "/to", Texts{}, Way::out, true},
    {"/cc", "/cc", Texts{}},
    {"/bcc", "/bcc", Texts{}},
    {"/reply_to", "/reply_to", Texts{}},
    {"/subject", "/subject", Text{}, Way::out, true},
    {"/text", "/text"},
    {"/html", "/html"},
    {"/scheduled", "/scheduled_at", Timestamp{}},
    {"/tags", "/tags", Pairs{"/name", "/value"}},
};
constexpr std::string_view unchanged[] = {"headers", "attachments"};

} // namespace

std::span<Entity const> const entities = all;
sdk::messaging::Traces const traces{.sent = messages};
Map const mail_map = sending;
std::span<std::string_view const> const as_they_are = unchanged;
sdk::errors::Mapper const errors = mapper;
sdk::webhooks::Table const hooks{.id = {.header = "svix-id"}, .events = notices};

} // namespace garland::resend
