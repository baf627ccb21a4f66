#include "host/sync/intake_records.h"

#include "host/sync/decision.h"
#include "host/sync/storage.h"

#include <algorithm>
#include <list>

namespace garland::sync {
namespace {

constexpr int kMergeAttempts = 5;
constexpr std::int64_t kMostRecords = 2'000;
constexpr std::size_t kMostBytes = 16U << 20U;
constexpr std::size_t kMostProblems = 100;

std::string told(std::string const& place, Error const& error) {
  auto message = error.message;
  if (!error.field.empty() && message.find(error.field) == std::string::npos)
    message = error.field + ": " + message;
  return place.empty() ? message : place + ": " + message;
}

// Where the member stands in what came in, or what encloses it; else which record it is of.
std::string placeOf(RemoteItem const& item, std::string field) {
  for (;;) {
    auto const* place = item.places.if_contains(field);
    if (place != nullptr && place->is_string()) return std::string(place->get_string());
    if (field.empty()) return item.id;
    field.resize(std::min(field.rfind('/'), field.size() - 1));
  }
}

// Ids are columns of tables, and people type them.
Result<void> checkId(std::string const& id) {
  bool const plain =
      std::ranges::none_of(id, [](char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7F; });
  if (plain) return {};
  return Error(ErrorKind::invalidInput, "an id must not hold control characters", "/id");
}

// A place of its own for each kind, because decisions refer to theirs.
struct Part {
  Part(Place place_in, std::vector<RemoteItem> items_in)
      : place(std::move(place_in)), items(std::move(items_in)) {}
  Place place;
  std::vector<RemoteItem> items;
  Knowledge knowledge;
};

void overlay(json::object& below, json::object const& above) {
  for (auto const& member : above) {
    auto const* mine = below.if_contains(member.key());
    bool const both =
        mine != nullptr && mine->is_object() && member.value().is_object() && member.key() == "custom";
    if (both)
      overlay(below[member.key()].as_object(), member.value().get_object());
    else
      below[member.key()] = member.value();
  }
}

// What the item leaves out stays as the provider last had it. Of an item that is read again after younger
// ones only that counts which they left out.
Result<void> complete(Part& part, RemoteItem& item) {
  auto const known = part.knowledge.by_remote_id.find(item.id);
  if (known != part.knowledge.by_remote_id.end()) {
    auto const& link = known->second.link;
    bool const late = link.remote_version > item.version;
    auto whole = projectionFrom(link.base).fields;
    auto said = item.data.is_object() ? std::move(item.data.get_object()) : json::object();
    if (late) {
      std::swap(whole, said);
      item.version = link.remote_version;
    }
    overlay(whole, said);
    item.data = std::move(whole);
  }
  return part.place.kind->check(item.data);
}

bool saysOldNews(Part const& part, RemoteItem const& item) {
  auto const known = part.knowledge.by_remote_id.find(item.id);
  return item.deleted && known != part.knowledge.by_remote_id.end() &&
         known->second.link.remote_version > item.version;
}

} // namespace

Task<void> IntakeSink::emit(std::string kind, std::string record_json) {
  bytes_ += record_json.size();
  if (++count_ > kMostRecords || bytes_ > kMostBytes)
    co_return Error(ErrorKind::hostLimit, "one item may bring " + std::to_string(kMostRecords) +
                                              " records of 16 MiB together; this one is to be cut up");
  auto record = parseJson(record_json);
  if (!record) co_return Error(record.error()).within("emitted record of kind " + kind);
  *record = context_.knownOfEmitted(kind, *record);
  auto const taken = take(kind, *record);
  if (!taken) refuse(*record, taken.error());
  co_return Result<void>();
}

Result<void> IntakeSink::take(std::string const& kind, json::value const& record) {
  TRY_VOID(context_.requireEmitted(kind, record));
  if (kind == "garland.problem") {
    Error told_of_it(ErrorKind::invalidInput, textOr(record, "/message", ""));
    refuse(record, told_of_it);
    return {};
  }
  auto const* entry = context_.kind(kind);
  if (entry == nullptr || !arrives(session_.plugin->manifest, entry->kind))
    return Error(ErrorKind::pluginBug,
                 session_.plugin->manifest.name + " must not bring records of kind \"" + kind + "\"");
  RemoteItem item;
  TRY(id, textAt(record, "/id"));
  TRY_VOID(checkId(id));
  item.id = std::move(id);
  item.version = item_id_;
  item.scope = textOr(record, "/scope", "");
  item.deleted = boolOr(record, "/deleted", false);
  if (auto const* data = find(record, "/data"); !item.deleted && data != nullptr)
    item.data = context_.knownOfRecord(kind, *data);
  if (auto const* places = find(record, "/places"); places != nullptr && places->is_object())
    item.places = places->get_object();
  gather(entry, std::move(item));
  return {};
}

// Two of one id are one record: as between items, the later leaves what it does not name.
void IntakeSink::gather(KindEntry const* kind, RemoteItem item) {
  auto& items = found_[kind];
  auto const [place, first] = places_.emplace(std::pair(kind, item.id), items.size());
  if (first) {
    items.push_back(std::move(item));
    return;
  }
  auto& there = items[place->second];
  if (!item.deleted && item.data.is_object() && there.data.is_object()) {
    overlay(there.data.get_object(), item.data.get_object());
    item.data = std::move(there.data);
    overlay(there.places, item.places);
    item.places = std::move(there.places);
  }
  there = std::move(item);
}

void IntakeSink::refuse(json::value const& record, Error const& error) {
  if (problems_.size() < kMostProblems)
    problems_.push_back(context_.scrub(told(textOr(record, "/id", ""), error)));
}

Task<void> IntakeSink::checkpoint(std::string) {
  co_return Error(ErrorKind::unsupported, "intake.parse/1 has no cursor, so it must not checkpoint");
}

Task<void> IntakeWriter::apply(IntakeSink::Found const* found, Mark const* mark) {
  for (int attempt = 1;; ++attempt) {
    auto const applied = co_await applyOnce(found, mark);
    if (applied || applied.error().kind != ErrorKind::conflict || attempt == kMergeAttempts)
      co_return applied;
  }
}

// Outlives the writes that were decided on it.
struct IntakeWriter::Parts {
  std::list<Part> all;
};

Task<IntakeWriter::Judgement> IntakeWriter::decide(IntakeSink::Found const* found, Parts* parts,
                                                   Writes* writes) {
  auto const& connection = session_.connection;
  Judgement judgement;
  for (auto const& [kind, items] : *found) {
    Place place{connection.vendor_id, connection.id, std::string(), kind};
    auto& part = parts->all.emplace_back(std::move(place), items);
    CO_TRY(knowledge, co_await readKnowledge(context_, part.place, part.items));
    part.knowledge = std::move(knowledge);
    Decision decision(part.place, part.knowledge, *writes);
    for (auto& item : part.items) {
      if (saysOldNews(part, item)) continue;
      auto const whole = item.deleted ? Result<void>() : complete(part, item);
      if (!whole) {
        judgement.problems.push_back(context_.scrub(told(placeOf(item, whole.error().field), whole.error())));
        continue;
      }
      decision.take(item);
      ++judgement.good[kind->kind.name];
    }
  }
  co_return judgement;
}

Task<IntakeWriter::Judgement> IntakeWriter::judge(IntakeSink::Found const* found) {
  auto const& connection = session_.connection;
  Parts parts;
  Writes writes(context_, connection.vendor_id, connection.id);
  co_return co_await decide(found, &parts, &writes);
}

Task<void> IntakeWriter::applyOnce(IntakeSink::Found const* found, Mark const* mark) {
  auto const& connection = session_.connection;
  Parts parts;
  Writes writes(context_, connection.vendor_id, connection.id);
  writes.boundBy(context_.doors.limits);
  CO_TRY(judgement, co_await decide(found, &parts, &writes));
  std::int64_t good = 0;
  for (auto const& [kind, count] : judgement.good) good += count;
  for (auto& statement : (*mark)(judgement.problems, good)) writes.add(std::move(statement));
  auto const growth = writes.growth();
  auto const committed = co_await commitWrites(&context_, std::move(writes));
  if (committed) co_return Result<void>();
  if (committed.error().kind == ErrorKind::conflict) {
    Owner owner{connection.vendor_id, connection.id};
    CO_TRY_VOID(co_await refuseRecordsOver(&context_, std::move(owner), growth));
  }
  co_return committed.error();
}

} // namespace garland::sync
