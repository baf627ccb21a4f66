// Rounds of one connection: what is due, what its connector says of each, and one unit with the marks and the
// hints.
#include "host/sync/webhook_runner.h"

#include "host/base/store_error.h"
#include "host/base/utf8.h"
#include "host/sync/commits.h"
#include "host/sync/retry.h"

#include <algorithm>

namespace garland::sync {
namespace {

constexpr std::size_t kAtOnce = 16;
constexpr std::int64_t kTogether = 64; // deliveries that one round reads
constexpr std::size_t kMostEvent = 200;
constexpr Milliseconds kDeadline{30'000};
constexpr Milliseconds kPluginAway{300'000};
constexpr Milliseconds kLookAgain{5'000};       // for a connector that was away, if more comes in
constexpr Milliseconds kKept{7LL * 86'400'000}; // after that, what is done is forgotten
constexpr Milliseconds kTickEvery{300'000};
constexpr Milliseconds kTickAmongMany{30'000}; // the net under what other daemons tell

Milliseconds tickEvery(Context const& context) { return context.leases ? kTickAmongMany : kTickEvery; }

bool isPlain(std::string const& text) {
  return std::ranges::none_of(text, [](char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7F; });
}

json::value inputFor(DueWebhook const& due) {
  json::object input{{"headers", json::object()}, {"query", json::object()}, {"content_type", ""}};
  if (auto const* shown = due.content.shown.if_object())
    for (auto const& member : *shown) input[member.key()] = member.value();
  input["body"] = due.content.body;
  return input;
}

bool isOpen(WebhookState state) { return state == WebhookState::waiting || state == WebhookState::dead; }

} // namespace

WebhookRunner::WebhookRunner(Context& context, Connections& connections, AuditTrail& audit, Runs& runs)
    : context_(context), connections_(connections), audit_(audit), store_(context),
      endpoints_(context, connections), courier_(context, connections, store_, runs),
      rounds_(context, kAtOnce, [this](std::string name) { return round(std::move(name)); }),
      inbox_(context, store_, [this](Owner const& owner) { cameIn(owner); }) {}

Task<void> WebhookRunner::start() {
  CO_TRY_VOID(co_await endpoints_.load());
  CO_TRY_VOID(co_await catchUp());
  CO_TRY_VOID(co_await courier_.start());
  next_tick_ = context_.doors.clock.monotonic() + tickEvery(context_);
  rounds_.start();
  co_return Result<void>();
}

// Who has something due, and how much is open, by the table.
Task<void> WebhookRunner::catchUp() {
  CO_TRY(backlogs, co_await store_.backlogs());
  inbox_.forgetAll();
  for (auto const& backlog : backlogs) {
    inbox_.opened(backlog.owner.connection_id, backlog.count, backlog.bytes);
    if (backlog.next_attempt && mine(context_, backlog.owner.connection_id))
      rounds_.due(roundName(backlog.owner), *backlog.next_attempt);
  }
  co_return Result<void>();
}

void WebhookRunner::cameIn(Owner const& owner) {
  auto const name = roundName(owner);
  auto const away = away_.find(name);
  rounds_.due(name, away == away_.end() ? context_.now() : std::max(away->second, context_.now()));
}

Task<void> WebhookRunner::wake() {
  away_.clear();
  CO_TRY_VOID(co_await catchUp());
  co_return co_await courier_.wake();
}

void WebhookRunner::wake(Owner const& owner) {
  away_.erase(roundName(owner));
  rounds_.due(roundName(owner), context_.now());
  courier_.due(owner);
}

Task<void> WebhookRunner::tick() {
  auto const looked = context_.doors.clock.monotonic();
  if (looked < next_tick_) co_return Result<void>();
  next_tick_ = looked + tickEvery(context_);
  if (context_.leases) {
    CO_TRY_VOID(co_await endpoints_.renew());
  }
  CO_TRY_VOID(co_await catchUp());
  CO_TRY_VOID(co_await courier_.catchUp());
  if (!caresFor(context_, "old webhooks")) co_return Result<void>();
  co_return co_await sweep();
}

Task<void> WebhookRunner::stop() {
  CO_TRY_VOID(co_await inbox_.stop());
  CO_TRY_VOID(co_await rounds_.stop());
  co_return co_await courier_.stop();
}

Task<void> WebhookRunner::quiet(Owner owner) {
  CO_TRY_VOID(co_await rounds_.quiet(roundName(owner)));
  co_return co_await courier_.rounds().quiet(roundName(owner));
}

void WebhookRunner::forget(Owner const& owner) {
  away_.erase(roundName(owner));
  rounds_.forget(roundName(owner));
  courier_.rounds().forget(roundName(owner));
  inbox_.forget(owner.connection_id);
  endpoints_.forget(owner.connection_id);
}

Task<std::optional<TimePoint>> WebhookRunner::round(std::string name) {
  auto const owner = ownerNamed(name);
  if (!mine(context_, owner.connection_id)) co_return std::optional<TimePoint>();
  // No sooner than a sync: what a delivery is about is read again by the next one.
  std::string operation(kWebhookOperation);
  CO_TRY(turn, co_await context_.lanes->enter(owner.connection_id, Priority::normal, std::move(operation)));
  if (!mine(context_, owner.connection_id)) co_return std::optional<TimePoint>();
  if (context_.stopping || rounds_.holds(name)) co_return std::optional<TimePoint>(context_.now());
  // First, since deliveries that nobody can read now would be brought here with each that comes in.
  auto const session = co_await connections_.open(owner.connection_id);
  if (!session) co_return co_await cannotOpen(owner, session.error());
  away_.erase(name);
  CO_TRY(due, co_await store_.due(owner, context_.now(), kTogether));
  if (due.empty()) co_return co_await store_.nextDue(owner);
  CO_TRY_VOID(co_await readAll(owner, &*session, std::move(due)));
  if (context_.stopping) co_return std::optional<TimePoint>();
  co_return co_await store_.nextDue(owner);
}

// A connector that is switched off for the moment costs no delivery.
Task<std::optional<TimePoint>> WebhookRunner::cannotOpen(Owner owner, Error error) {
  if (error.kind != ErrorKind::notFound && error.kind != ErrorKind::forbidden &&
      error.kind != ErrorKind::unsupported)
    co_return error;
  auto const there = co_await connections_.one(owner.connection_id);
  if (there) {
    away_[roundName(owner)] = context_.now() + kLookAgain;
    CO_TRY(next, co_await store_.nextDue(owner));
    if (next) next = std::max(*next, context_.now() + kPluginAway);
    co_return next;
  }
  if (there.error().kind != ErrorKind::notFound) co_return there.error();
  CO_TRY_VOID(co_await store_.forgetAll(owner.connection_id));
  forget(owner);
  co_return std::optional<TimePoint>();
}

Task<void> WebhookRunner::readAll(Owner owner, Session const* session, std::vector<DueWebhook> due) {
  std::vector<Read> read;
  for (auto& one : due) {
    if (!read.empty() && givesWay(owner)) break;
    auto parsed = co_await parse(session, &one);
    if (context_.stopping) break;
    read.push_back(settled(std::move(one.webhook), std::move(parsed)));
  }
  if (read.empty()) co_return Result<void>();
  co_return co_await save(std::move(owner), std::move(read));
}

// An action goes first, or the connection is being changed: the rest is another round's.
bool WebhookRunner::givesWay(Owner const& owner) const {
  return context_.lanes->somebodyWaits(owner.connection_id) || rounds_.holds(roundName(owner)) ||
         !mine(context_, owner.connection_id);
}

Task<WebhookRunner::Parsed> WebhookRunner::parse(Session const* session, DueWebhook const* due) {
  if (!isUtf8(due->content.body)) co_return Error(ErrorKind::providerBug, "its body is not UTF-8");
  auto input = inputFor(*due);
  auto const answered = co_await callPlugin(&context_, &audit_, session, std::string(kWebhookOperation),
                                            std::move(input), nullptr, kDeadline);
  if (!answered) co_return answered.error();
  co_return checked(*session, *answered);
}

// A hint that nobody can follow is a mistake of the connector, and so is an id that no table takes.
Result<WebhookRunner::Parsed> WebhookRunner::checked(Session const& session,
                                                     json::value const& output) const {
  Parsed parsed;
  parsed.event = cut(textOr(output, "/event", ""));
  if (parsed.event.size() > kMostEvent) parsed.event = cut(parsed.event.substr(0, kMostEvent));
  auto const* hints = garland::find(output, "/hints");
  if (hints == nullptr || !hints->is_array()) return parsed;
  auto const& manifest = session.plugin->manifest;
  for (auto const& said : hints->get_array()) {
    Hint hint;
    hint.kind = textOr(said, "/kind", "");
    hint.external_id = textOr(said, "/external_id", "");
    auto const* kind = context_.kind(hint.kind);
    if (kind == nullptr || !brings(manifest, kind->kind))
      return Error(ErrorKind::pluginBug, manifest.name + " brings no records of kind \"" + hint.kind +
                                             "\", of which it says that the webhook is about one");
    if (hint.external_id.empty() || !isPlain(hint.external_id))
      return Error(ErrorKind::pluginBug, "the id of a record must not hold control characters");
    parsed.hints.push_back(std::move(hint));
  }
  return parsed;
}

WebhookRunner::Read WebhookRunner::settled(Webhook webhook, Result<Parsed> parsed) const {
  ++webhook.attempts;
  webhook.next_attempt.reset();
  webhook.reason.clear();
  Read read;
  if (parsed) {
    webhook.state = WebhookState::done;
    webhook.event = std::move(parsed->event);
    webhook.hints = std::ssize(parsed->hints);
    webhook.finished = context_.now();
    read.hints = std::move(parsed->hints);
  } else if (passes(parsed.error()) && webhook.attempts < kMostAttempts) {
    webhook.reason = cut("it is read again: " + parsed.error().message);
    webhook.next_attempt =
        context_.now() + pauseAfter(webhook.attempts, parsed.error().retry_after, context_.doors.random);
  } else {
    webhook.state = WebhookState::dead;
    webhook.reason = cut("it could not be read: " + parsed.error().message);
  }
  read.webhook = std::move(webhook);
  return read;
}

// One unit for all. A delivery that somebody dealt with meanwhile keeps what they made of it; that its
// records are read once more does no harm.
Task<void> WebhookRunner::save(Owner owner, std::vector<Read> all) {
  store::Unit unit;
  HintStamps hints;
  for (auto const& one : all) {
    unit.push_back(store_.update(one.webhook));
    // One that is replayed is news again.
    auto const stamp = one.webhook.id + "/" + std::to_string(one.webhook.revision);
    for (auto const& hint : one.hints) hints[{hint.kind, hint.external_id}] = stamp;
  }
  WebhookStore::addHints(unit, owner, hints);
  for (auto const& one : all) store_.tellDead(unit, one.webhook);
  auto const saved = co_await commitOwned(&context_, owner, std::move(unit));
  // After an error, too, they may be there.
  if (!hints.empty()) courier_.due(owner);
  if (!saved) {
    if (ofTheStore(saved.error()) || all.size() == 1) co_return saved.error();
    co_return co_await saveEach(std::move(owner), std::move(all));
  }
  for (std::size_t i = 0; i < all.size(); ++i)
    if (!isOpen(all[i].webhook.state) && (*saved)[i].affected == 1) inbox_.closed(all[i].webhook);
  co_return Result<void>();
}

// Of one of them came something that the database does not take: that one is dead, the others are not kept
// back.
Task<void> WebhookRunner::saveEach(Owner owner, std::vector<Read> all) {
  for (auto& one : all) {
    std::vector<Read> alone{one};
    auto const saved = co_await save(owner, std::move(alone));
    if (saved) continue;
    if (ofTheStore(saved.error())) co_return saved;
    auto& webhook = one.webhook;
    webhook.state = WebhookState::dead;
    webhook.event.clear();
    webhook.finished.reset();
    webhook.next_attempt.reset();
    webhook.reason = "what came of it could not be stored";
    auto const buried = co_await store_.saveOwned(webhook);
    if (!buried && buried.error().kind != ErrorKind::conflict) co_return buried;
  }
  co_return Result<void>();
}

Task<Webhook> WebhookRunner::replay(std::string id) {
  CO_TRY(webhook, co_await store_.one(std::move(id)));
  bool const was_open = isOpen(webhook.state);
  webhook.state = WebhookState::waiting;
  webhook.attempts = 0;
  webhook.reason.clear();
  webhook.finished.reset();
  webhook.next_attempt = context_.now();
  CO_TRY_VOID(co_await store_.save(webhook));
  ++webhook.revision;
  if (!was_open) inbox_.opened(webhook.connection_id, 1, webhook.bytes);
  rounds_.due(roundName(Owner{webhook.vendor_id, webhook.connection_id}), context_.now());
  co_return webhook;
}

Task<std::int64_t> WebhookRunner::replayRange(WebhookRange range) {
  CO_TRY(count, co_await store_.reopen(std::move(range), context_.now()));
  CO_TRY_VOID(co_await catchUp());
  co_return count;
}

Task<Webhook> WebhookRunner::drop(std::string id, std::string why) {
  CO_TRY(webhook, co_await store_.one(std::move(id)));
  if (webhook.state == WebhookState::dropped) co_return webhook;
  if (webhook.state == WebhookState::done)
    co_return Error(ErrorKind::conflict, webhook.id + " is done already, so it cannot be dropped");
  webhook.state = WebhookState::dropped;
  webhook.reason = cut(why);
  webhook.next_attempt.reset();
  webhook.finished = context_.now();
  CO_TRY_VOID(co_await store_.save(webhook));
  ++webhook.revision;
  inbox_.closed(webhook);
  co_return webhook;
}

// What was done long ago.
Task<void> WebhookRunner::sweep() {
  CO_TRY(forgotten, co_await store_.forget(context_.now() - kKept));
  if (forgotten > 0) next_tick_ = {}; // there may be more
  co_return Result<void>();
}

} // namespace garland::sync
