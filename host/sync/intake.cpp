// What callers ask for: taking an item in, dealing with one by hand, making the address it comes to.
#include "host/sync/intake_runner.h"

#include "host/sync/storage.h"

namespace garland::sync {
namespace {

constexpr std::size_t kMostKey = 500;
constexpr std::size_t kMostSummary = 200;
constexpr int kAttempts = 5;

Error beingDisconnected(std::string const& connection_id) {
  return Error(ErrorKind::notFound, "connection \"" + connection_id + "\" is being disconnected");
}

std::string oneLine(std::string text) {
  for (char& c : text)
    if (static_cast<unsigned char>(c) < 0x20) c = ' ';
  if (text.size() <= kMostSummary) return text;
  auto end = kMostSummary;
  while (end > 0 && (static_cast<unsigned char>(text[end]) & 0xC0U) == 0x80U) --end;
  text.resize(end);
  return text;
}

} // namespace

Result<void> checkSource(runtime::Manifest const& manifest, IntakeSource source) {
  auto const* way = find(manifest.document, "/intake/" + std::string(name(source)));
  if (way != nullptr && offers(manifest, kIntakeOperation)) return {};
  return Error(ErrorKind::invalidInput, manifest.name + " takes nothing in by " + std::string(name(source)),
               "/source");
}

json::value inputFor(IntakeItem const& item, json::value content) {
  json::object about{{"id", item.id}, {"source", name(item.source)}, {"received_at", rfc3339(item.received)}};
  if (!item.accepted_by.empty()) about["accepted"] = true;
  json::object input;
  input["item"] = std::move(about);
  input[name(item.source)] = std::move(content);
  return input;
}

Task<AcceptedItem> IntakeRunner::accept(Delivery delivery) {
  if (context_.stopping)
    co_return Error(ErrorKind::transient, "the daemon is stopping; send it again when it is back");
  CO_TRY(connection, co_await connections_.one(delivery.connection_id));
  if (closing_.contains(delivery.connection_id)) co_return beingDisconnected(delivery.connection_id);
  CO_TRY(item, newItem(connection, delivery));
  IntakeContent content;
  content.content = std::move(delivery.content);
  content.raw = std::move(delivery.raw);
  co_return co_await insertOrFind(std::move(item), std::move(content), delivery.same_for);
}

// A connector that is switched off or in trouble for the moment is no reason to turn an item away.
Result<IntakeItem> IntakeRunner::newItem(Connection const& connection, Delivery const& delivery) {
  if (auto const* plugin = context_.doors.catalogue.find(connection.plugin_id)) {
    TRY_VOID(checkSource(plugin->manifest, delivery.source));
  }
  if (delivery.dedupe_key.empty() || delivery.dedupe_key.size() > kMostKey)
    return Error(ErrorKind::invalidInput, "the key of a delivery has 1 to 500 bytes", "/dedupe_key");
  IntakeItem item;
  item.id = context_.newId("itm");
  item.vendor_id = connection.vendor_id;
  item.connection_id = connection.id;
  item.source = delivery.source;
  item.dedupe_key = delivery.dedupe_key;
  item.summary = oneLine(delivery.summary);
  item.received = context_.now();
  item.next_attempt = item.received;
  item.bytes = static_cast<std::int64_t>(json::serialize(delivery.content).size() + delivery.raw.size());
  TRY_VOID(context_.requireInput(kIntakeOperation, inputFor(item, delivery.content)));
  return item;
}

// Of two at the same moment one inserts, and both answer with its item.
Task<AcceptedItem> IntakeRunner::insertOrFind(IntakeItem item, IntakeContent content, Milliseconds same_for) {
  std::optional<TimePoint> since;
  if (same_for > Milliseconds(0)) since = item.received - same_for;
  for (int attempt = 1;; ++attempt) {
    CO_TRY(before, co_await known(&item, since));
    if (before) co_return AcceptedItem{std::move(*before), true};
    auto const inserted = co_await store_.insert(item, content, since);
    if (inserted) {
      wake();
      co_return AcceptedItem{std::move(item.id), false};
    }
    if (inserted.error().kind != ErrorKind::conflict || attempt == kAttempts) co_return inserted.error();
    Owner owner{item.vendor_id, item.connection_id};
    CO_TRY_VOID(co_await refuseItemOver(&context_, std::move(owner), item.bytes));
  }
}

Task<std::optional<std::string>> IntakeRunner::known(IntakeItem const* item,
                                                     std::optional<TimePoint> keys_since) {
  CO_TRY(found, co_await store_.byKey(item->vendor_id, item->connection_id, item->dedupe_key));
  std::optional<std::string> id;
  if (found && (!keys_since || found->received >= *keys_since)) id = found->id;
  co_return id;
}

Result<void> IntakeRunner::mayBeSettled(IntakeItem const& item, std::string const& what) const {
  auto const busy = in_flight_.find(item.connection_id);
  if (busy != in_flight_.end() && busy->second == item.id)
    return Error(ErrorKind::conflict, item.id + " is being read this very moment; look again in a minute");
  if (item.state == IntakeState::taken)
    return Error(ErrorKind::conflict, item.id + " is taken already, so it cannot be " + what);
  return {};
}

Task<IntakeItem> IntakeRunner::retry(std::string id) {
  CO_TRY(item, co_await store_.one(id));
  CO_TRY_VOID(mayBeSettled(item, "read again"));
  waitAgain(item);
  CO_TRY_VOID(co_await store_.save(item));
  ++item.revision;
  wake();
  co_return item;
}

void IntakeRunner::waitAgain(IntakeItem& item) const {
  item.state = IntakeState::waiting;
  item.attempts = 0;
  item.next_attempt = context_.now();
  item.finished.reset();
  item.acceptable = false;
}

Result<void> IntakeRunner::mayBeAccepted(IntakeItem const& item) const {
  TRY_VOID(mayBeSettled(item, "accepted"));
  if (item.state != IntakeState::review)
    return Error(ErrorKind::conflict, item.id + " is " + std::string(name(item.state)) +
                                          ", and only what is in review can be accepted; `garland intake "
                                          "retry " +
                                          item.id + "` has it read again");
  if (item.acceptable) return {};
  return Error(ErrorKind::conflict,
               item.id + " waits for something that saying it is genuine does not mend: " + item.reason +
                   "; mend that (a wider mapping, a setting, the connector), then `garland intake retry " +
                   item.id + "`, or dismiss it");
}

Task<IntakeItem> IntakeRunner::acceptAsGenuine(std::string id, std::string who) {
  who = oneLine(std::move(who));
  if (who.find_first_not_of(' ') == std::string::npos)
    co_return Error(ErrorKind::invalidInput, "say who looked at it", "/by");
  CO_TRY(item, co_await store_.one(std::move(id)));
  CO_TRY_VOID(mayBeAccepted(item));
  Word word;
  word.who = who;
  word.act = "intake.accept";
  waitAgain(item);
  item.accepted_by = std::move(who);
  item.accepted = context_.now();
  CO_TRY_VOID(co_await store_.saveWithWord(item, std::move(word)));
  context_.doors.log.info("an item was accepted as genuine",
                          json::object{{"item", item.id}, {"by", item.accepted_by}});
  ++item.revision;
  wake();
  co_return item;
}

Task<std::int64_t> IntakeRunner::retryAll(std::string connection_id) {
  CO_TRY(connection, co_await connections_.one(std::move(connection_id)));
  CO_TRY(count, co_await store_.reopen(connection.vendor_id, connection.id, context_.now()));
  wake();
  co_return count;
}

Task<IntakeItem> IntakeRunner::dismiss(std::string id, std::string why) {
  CO_TRY(item, co_await store_.one(id));
  bool const again = item.state == IntakeState::dismissed;
  if (again && (why.empty() || why == item.reason)) co_return item;
  CO_TRY_VOID(mayBeSettled(item, "dismissed"));
  item.state = IntakeState::dismissed;
  item.reason = std::move(why);
  item.next_attempt.reset();
  if (!again) item.finished = context_.now();
  CO_TRY_VOID(co_await store_.save(item));
  ++item.revision;
  co_return item;
}

Task<OpenedDoor> IntakeRunner::openDoor(std::string connection_id, IntakeSource source, bool rotate) {
  CO_TRY(session, co_await connections_.open(connection_id));
  CO_TRY_VOID(checkSource(session.plugin->manifest, source));
  if (closing_.contains(connection_id)) co_return beingDisconnected(connection_id);
  co_return co_await doors_.open(session.connection, source, rotate);
}

Task<IntakeDoor> IntakeRunner::sign(std::string connection_id, json::value scheme, Secret secret) {
  CO_TRY(connection, co_await connections_.one(std::move(connection_id)));
  co_return co_await doors_.sign(std::move(connection), std::move(scheme), std::move(secret));
}

Task<void> IntakeRunner::refuseLoss(std::string connection_id) {
  CO_TRY(connection, co_await connections_.one(connection_id));
  CO_TRY(open, co_await store_.open(connection.vendor_id, connection.id));
  if (open == 0) co_return Result<void>();
  Error error(ErrorKind::conflict,
              std::to_string(open) + (open == 1 ? " item that came in waits" : " items that came in wait") +
                  " to be read or for a person (garland intake ls --connection " + connection_id +
                  ") and would be deleted; deal with them, or repeat with --discard (the API: "
                  "?discard=true)");
  json::object detail;
  detail["open_items"] = open;
  error.detail = std::move(detail);
  co_return error;
}

Task<void> IntakeRunner::quiet(std::string connection_id) {
  while (in_flight_.contains(connection_id)) {
    auto const ended = call_ended_;
    CO_TRY_VOID(co_await ended->wait());
  }
  co_return Result<void>();
}

} // namespace garland::sync
