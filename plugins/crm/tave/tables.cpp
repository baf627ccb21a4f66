#include "tables.h"

namespace garland::tave {
namespace {

namespace rest = sdk::rest;
using namespace sdk::fields;
using sdk::Effect;
using sdk::Kind;
using sdk::crm::Entity;
using sdk::crm::Variant;
using sdk::errors::Meaning;

// ---- errors: {"type", "title", "detail", "status"}
constexpr Meaning meanings[] = {
    {401, "", Kind::authRevoked, Effect::notApplied}, // a key does not expire
    {403, "", Kind::forbidden, Effect::notApplied},   // a read-only key
    {0, "quota-limit", Kind::rateLimited, Effect::notApplied},
    {0, "not-implemented", Kind::unsupported, Effect::notApplied},
    {0, "validation-error", Kind::invalidInput, Effect::notApplied},
};
constexpr sdk::errors::Mapper mapper{.code = "/type", .message = "/detail", .meanings = meanings};

// ---- resources
constexpr rest::PageNumber pages{.last = "/meta/totalPages"};
constexpr rest::Descending newest_first{
    .parameter = "sortBy", .value = "modified desc", .total = "/meta/totalItems", .created = "/created"};
constexpr rest::Parameter with_hidden[] = {{"includeHidden", "true"}};
constexpr rest::Parameter with_closed[] = {{"includeClosed", "true"}};
// What the studio's own software sets.
constexpr std::string_view set_by_provider[] = {"links", "id", "created", "modified"};
constexpr std::string_view set_by_provider_contact[] = {
    "links", "id", "created", "modified", "accountBalance", "creditBalance", "totalCost", "totalRevenue"};
constexpr std::string_view set_by_provider_job[] = {
    "links",
    "id",
    "created",
    "modified",
    "accountBalance",
    "closedReasonName",
    "creditBalance",
    "jobTypeName",
    "totalCost",
    "leadSourceName",
    "leadStatusName",
    "leadStatusChangedAt",
    "lastClientActivity",
    "totalProfit",
    "totalRevenue",
    "workflowName",
};
constexpr rest::LookupKey own_key{.url = "/url", .parameter = "externalMappingId"};
// Contacts carry our key too, but their list can only be filtered by e-mail address.
constexpr rest::LookupKey own_key_of_contact{.url = "/url", .by = "email", .at = "/email"};

constexpr rest::Resource resource(std::string_view path, std::span<rest::Parameter const> query = {},
                                  rest::Writing writing = {}) {
  return {.path = path,
          .query = query,
          .paging = pages,
          .changes = newest_first,
          .writing = writing,
          .errors = mapper};
}
constexpr rest::Resource contacts = resource(
    "address-book", with_hidden, {.read_only = set_by_provider_contact, .idempotency = own_key_of_contact});
constexpr rest::Resource jobs =
    resource("job", with_closed, {.read_only = set_by_provider_job, .idempotency = own_key});
constexpr rest::Resource participants =
    resource("job-contact", with_hidden, {.read_only = set_by_provider, .idempotency = own_key});
constexpr rest::Resource events =
    resource("event", with_hidden, {.read_only = set_by_provider, .idempotency = own_key});
constexpr rest::Resource orders = resource("order");
constexpr rest::Resource payments = resource("payment");
constexpr rest::Resource notes = resource("note", with_hidden);

// ---- contacts
constexpr Word kinds[] = {
    {"person", "person"}, {"company", "company"}, {"location", "location"}, {"employee", "employee"}};
constexpr Pairs custom_fields{"/fieldId", "/value"};
constexpr Field person[] = {
    {"/kind", "/kind", Words{kinds, "other"}, Way::both, true},
    {"/name", "/firstName", JoinName{"/lastName"}, Way::in},
    {"/first_name", "/firstName"},
    {"/last_name", "/lastName"},
    {"/company", "/companyName"},
    {"/job_title", "/jobTitle"},
    {"/email", "/email", Email{}},
    {"/other_email", "/secondaryEmail", Email{}},
    {"/phones/mobile", "/cellPhone", Phone{}},
    {"/phones/home", "/homePhone", Phone{}},
    {"/phones/work", "/workPhone", Phone{}},
    {"/phones/fax", "/fax", Phone{}},
    {"/url", "/url"},
    {"/birthday", "/birthdate", Date{}},
    {"/anniversary", "/anniversary", Date{}},
    {"/custom", "/customFields", custom_fields},
};
constexpr Field organisation[] = {
    {"/kind", "/kind", Words{kinds, "other"}, Way::both, true},
    {"/name", "/name", Text{}, Way::both, true},
    {"/email", "/email", Email{}},
    {"/other_email", "/secondaryEmail", Email{}},
    {"/phones/main", "/phone", Phone{}},
    {"/phones/mobile", "/cellPhone", Phone{}},
    {"/phones/fax", "/fax", Phone{}},
    {"/url", "/url"},
    {"/custom", "/customFields", custom_fields},
};
constexpr Variant contact_kinds[] = {{"person", person}, {"employee", person}};

// ---- jobs
// Integers in the studio's currency; nobody says of which unit, so the settings do.
constexpr Amount as_studio_counts{AmountForm::account};
constexpr Word stages[] = {
    {"lead", "lead"}, {"booked", "booked"}, {"fulfillment", "fulfillment"}, {"completed", "completed"}};
constexpr Field job[] = {
    {"/name", "/name", Text{}, Way::both, true},
    {"/stage", "/stage", Words{stages, "other"}, Way::both, true},
    {"/closed", "/closed", Boolean{}},
    {"/closed_reason", "/closedReasonName", Text{}, Way::in},
    {"/kind", "/jobTypeName", Text{}, Way::in},
    {"/kind_id", "/jobTypeId"},
    {"/lead_status", "/leadStatusName", Text{}, Way::in},
    {"/lead_status_id", "/leadStatusId"},
    {"/source", "/leadSourceName", Text{}, Way::in},
    {"/source_id", "/leadSourceId"},
    {"/brand_id", "/brandId"},
    {"/event_date", "/eventDate", Date{}},
    {"/inquiry_date", "/inquiryDate", Date{}},
    {"/booking_date", "/bookingDate", Date{}},
    {"/completed_date", "/completedDate", Date{}},
    {"/closed_date", "/closedDate", Date{}},
    {"/guest_count", "/guestCount", Integer{}},
    {"/notes", "/leadNotes"},
    {"/revenue", "/totalRevenue", as_studio_counts, Way::in},
    {"/cost", "/totalCost", as_studio_counts, Way::in},
    {"/balance", "/accountBalance", as_studio_counts, Way::in},
    {"/custom", "/customFields", custom_fields},
};

constexpr Field participant[] = {
    {"/project", "/jobId", Text{}, Way::both, true},
    {"/client", "/contactId", Text{}, Way::both, true},
    {"/is_client", "/client", Boolean{}},
    {"/roles", "/jobRoles", Texts{}},
};

// ---- events. The place is an object whose members are not documented; it stays as it is.
constexpr Word channels[] = {{"in_person", "InPerson"}, {"phone", "Phone"}, {"virtual", "Virtual"}};
constexpr Field event[] = {
    {"/name", "/name", Text{}, Way::both, true},
    {"/project", "/jobId"},
    {"/start", "/startDate", When{"/startTime", "/timezoneName", "/startUtc", "/allDay"}},
    {"/end", "/endDate", When{"/endTime", "/timezoneName", "/endUtc", "/allDay"}},
    {"/channel", "/channel", Words{channels, "other"}},
    {"/confirmed", "/confirmed", Boolean{}},
    {"/kind_id", "/typeId"},
    {"/notes", "/descriptionHtml"},
    {"/url", "/virtualUrl"},
};

// ---- what is only read
constexpr Word order_states[] = {{"draft", "draft"},
                                 {"open", "open"},
                                 {"paid", "paid-in-full"},
                                 {"completed", "completed"},
                                 {"void", "voided"}};
constexpr Field order[] = {
    {"/project", "/jobId"},
    {"/client", "/recipientId"},
    {"/name", "/name"},
    {"/number", "/customNumber"},
    {"/status", "/status", Words{order_states, "other"}, Way::in, true},
    {"/due_date", "/dueDate", Date{}},
    {"/booked_date", "/bookedOn", Date{}},
    {"/total", "/total", as_studio_counts},
    {"/balance", "/balance", as_studio_counts},
};

constexpr Word payment_states[] = {{"scheduled", "future"},
                                   {"scheduled", "confirmed-future"},
                                   {"pending", "pending"},
                                   {"posted", "posted"},
                                   {"failed", "failed"}};
constexpr Field payment[] = {
    {"/project", "/jobId"},
    {"/client", "/payerId"},
    {"/status", "/status", Words{payment_states, "other"}, Way::in, true},
    {"/amount", "/amount", as_studio_counts, Way::in, true},
    {"/refunded", "/refundedAmount", as_studio_counts},
    {"/received_date", "/received", Date{}},
    {"/memo", "/memo"},
    {"/reference", "/transactionId"},
    {"/check_number", "/checkNumber"},
};

constexpr Field note[] = {
    {"/project", "/jobId"},
    {"/client", "/contactId"},
    {"/date", "/date", Date{}},
    {"/text", "/contentHtml", Text{}, Way::in, true},
};

constexpr Entity all[] = {
    {"crm.client", contacts, organisation, Way::both, "/kind", contact_kinds},
    {"crm.project", jobs, job, Way::both},
    {"crm.participant", participants, participant, Way::both},
    {"crm.event", events, event, Way::both},
    {"crm.order", orders, order},
    {"crm.payment", payments, payment},
    {"crm.note", notes, note},
};

// ---- webhooks: the body is the record; what happened to it stands in the address that was registered for it
constexpr sdk::webhooks::Event notices[] = {
    {"contact.created", "crm.client", "/id"},
    {"job.created", "crm.project", "/id"},
    {"order.booked", "crm.order", "/id"},
    {"payment.created", "crm.payment", "/id"},
};

} // namespace

sdk::errors::Mapper const errors = mapper;
std::span<Entity const> const entities = all;
sdk::webhooks::Table const hooks{.event = {.query = "event"}, .id = {}, .events = notices};

} // namespace garland::tave
