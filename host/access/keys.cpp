// Keys in the database: found by their hash, never by their text.
#include "host/access/access.h"

#include "host/access/id_query.h"
#include "host/base/ids.h"

#include <algorithm>

namespace garland::access {
namespace {

using Values = std::vector<store::Value>;

constexpr std::chrono::minutes kUseNotedEvery{1};
constexpr char const* kColumns =
    "SELECT key_id,name,role,vendor_id,created,expires,revoked,last_used,replaced_by FROM api_keys";

std::int64_t millis(TimePoint when) { return when.time_since_epoch().count(); }

TimePoint timeAt(store::Row const& row, std::size_t column) {
  return TimePoint(Milliseconds(row.integer(column)));
}

std::optional<TimePoint> timeIfAny(store::Row const& row, std::size_t column) {
  if (row.isNull(column)) return std::nullopt;
  return timeAt(row, column);
}

Key keyFrom(store::Row const& row) {
  Key key;
  key.id = row.text(0);
  key.name = row.text(1);
  key.role = roleNamed(row.text(2));
  key.vendor_id = row.text(3);
  key.created = timeAt(row, 4);
  key.expires = timeAt(row, 5);
  key.revoked = timeIfAny(row, 6);
  key.last_used = timeIfAny(row, 7);
  key.replaced_by = row.text(8);
  return key;
}

Admission::Outcome outcomeOf(Key const& key, TimePoint now) {
  if (key.revoked) return Admission::Outcome::revoked;
  if (key.expires <= now) return Admission::Outcome::expired;
  return key.role ? Admission::Outcome::letIn : Admission::Outcome::roleUnknown;
}

Result<void> check(NewKey const& wish) {
  if ((wish.role == Role::vendor) == wish.vendor_id.empty())
    return Error(ErrorKind::invalidInput,
                 wish.vendor_id.empty() ? "a key of the role vendor needs the vendor whose it is"
                                        : "only a key of the role vendor belongs to a vendor",
                 "/vendor_id");
  if (wish.life <= Milliseconds(0))
    return Error(ErrorKind::invalidInput, "a key must live for some time", "/life_seconds");
  return {};
}

// Why another cannot take its place.
Result<void> checkRotation(Key const& key, TimePoint now) {
  if (!key.replaced_by.empty())
    return Error(ErrorKind::conflict, "the key was rotated to " + key.replaced_by + " before: rotate that");
  auto const outcome = outcomeOf(key, now);
  if (outcome == Admission::Outcome::roleUnknown)
    return Error(ErrorKind::conflict, "the key has a role that this version of Garland does not know: rotate "
                                      "it by a daemon of the version that made it");
  if (outcome != Admission::Outcome::letIn)
    return Error(ErrorKind::conflict,
                 "the key is " + std::string(stateOf(key, now)) + ": make another by `garland keys add`");
  return {};
}

store::Statement insertOf(Key const& key, Secret const& text) {
  return store::Statement(
             "INSERT INTO api_keys (key_id,hash,name,role,vendor_id,created,expires,replaced_by) "
             "VALUES ($1,$2,$3,$4,$5,$6,$7,'')",
             Values{key.id, hashOf(text.reveal()), key.name, std::string(nameOrUnknown(key.role)),
                    key.vendor_id, millis(key.created), millis(key.expires)})
      .expecting(1);
}

class StoredKeys final : public Keys {
public:
  explicit StoredKeys(KeyDependencies with) : with_(std::move(with)) {}

  Task<Admission> admit(std::string hash) override {
    store::Statement asked(std::string(kColumns) + " WHERE hash=$1", Values{std::move(hash)});
    CO_TRY(found, co_await with_.store.read(std::move(asked)));
    Admission admission;
    if (found.rows.empty()) co_return admission;
    auto key = keyFrom(found.rows.front());
    auto const now = with_.clock.now();
    admission.outcome = outcomeOf(key, now);
    admission.key = key;
    if (admission.outcome != Admission::Outcome::letIn) co_return admission;
    auto noting = noteUse(std::move(key), now);
    co_await std::move(noting);
    co_return admission;
  }

  Task<Issued> add(NewKey wish) override {
    CO_TRY_VOID(check(wish));
    auto issued = made(std::move(wish));
    store::Unit unit;
    unit.push_back(insertOf(issued.key, issued.text));
    tell(unit, "key.add", issued.key);
    CO_TRY_VOID(co_await with_.store.commit(std::move(unit)));
    co_return issued;
  }

  Task<std::vector<Key>> list(KeyQuery query) override {
    store::Statement asked(std::string(kColumns) +
                               " WHERE key_id>$1 AND ($2='' OR vendor_id=$2) ORDER BY key_id LIMIT $3",
                           Values{std::move(query.after_id), std::move(query.vendor_id),
                                  static_cast<std::int64_t>(query.limit)});
    CO_TRY(found, co_await with_.store.read(std::move(asked)));
    std::vector<Key> keys;
    for (auto const& row : found.rows) keys.push_back(keyFrom(row));
    co_return keys;
  }

  Task<std::vector<Key>> some(std::vector<std::string> ids) override {
    std::vector<Key> keys;
    for (std::size_t from = 0; from < ids.size(); from += kIdsOfQuery) {
      CO_TRY(found, co_await with_.store.read(ofIds(kColumns, "key_id", ids, from)));
      for (auto const& row : found.rows) keys.push_back(keyFrom(row));
    }
    co_return keys;
  }

  Task<Issued> rotate(std::string id, Milliseconds overlap) override {
    CO_TRY(old, co_await one(std::move(id)));
    auto const now = with_.clock.now();
    CO_TRY_VOID(checkRotation(old, now));
    NewKey wish;
    wish.name = old.name;
    wish.role = *old.role;
    wish.vendor_id = old.vendor_id;
    wish.life = old.expires - old.created;
    auto issued = made(std::move(wish));
    auto const ends = std::min(old.expires, now + std::max(overlap, Milliseconds(0)));
    store::Unit unit;
    unit.push_back(insertOf(issued.key, issued.text));
    // Only as it was read: neither rotated nor revoked meanwhile.
    unit.push_back(store::Statement("UPDATE api_keys SET expires=$2,replaced_by=$3 WHERE key_id=$1 AND "
                                    "expires=$4 AND replaced_by='' AND revoked IS NULL",
                                    Values{old.id, millis(ends), issued.key.id, millis(old.expires)})
                       .expecting(1));
    old.replaced_by = issued.key.id;
    tell(unit, "key.rotate", old);
    CO_TRY_VOID(co_await with_.store.commit(std::move(unit)));
    co_return issued;
  }

  Task<Key> revoke(std::string id) override {
    CO_TRY(key, co_await one(std::move(id)));
    if (key.revoked) co_return key;
    key.revoked = with_.clock.now();
    store::Unit unit;
    unit.push_back(store::Statement("UPDATE api_keys SET revoked=$2 WHERE key_id=$1 AND revoked IS NULL",
                                    Values{key.id, millis(*key.revoked)})
                       .expecting(1));
    tell(unit, "key.revoke", key);
    CO_TRY_VOID(co_await with_.store.commit(std::move(unit)));
    co_return key;
  }

private:
  void tell(store::Unit& unit, std::string_view act, Key const& key) const {
    if (with_.told) unit.push_back(with_.told(act, key));
  }

  Issued made(NewKey wish) {
    Issued issued;
    issued.key.id = newId("key", with_.clock, with_.random);
    issued.key.name = std::move(wish.name);
    issued.key.role = wish.role;
    issued.key.vendor_id = std::move(wish.vendor_id);
    issued.key.created = with_.clock.now();
    issued.key.expires = issued.key.created + wish.life;
    issued.text = newApiKey(wish.role, with_.random);
    return issued;
  }

  Task<Key> one(std::string id) {
    store::Statement asked(std::string(kColumns) + " WHERE key_id=$1", Values{id});
    CO_TRY(found, co_await with_.store.read(std::move(asked)));
    if (found.rows.empty()) co_return Error(ErrorKind::notFound, "there is no key " + id);
    co_return keyFrom(found.rows.front());
  }

  // Whoever holds a key is let in, whether its use could be written or not.
  asio::awaitable<void> noteUse(Key key, TimePoint now) {
    if (key.last_used && now - *key.last_used < kUseNotedEvery) co_return;
    store::Unit unit;
    // Of several daemons, or requests, the first writes.
    unit.emplace_back(
        "UPDATE api_keys SET last_used=$2 WHERE key_id=$1 AND (last_used IS NULL OR last_used<=$3)",
        Values{key.id, millis(now), millis(now - kUseNotedEvery)});
    auto committing = with_.store.commit(std::move(unit));
    auto const written = co_await std::move(committing);
    if (written) co_return;
    with_.log.warn("the use of an API key could not be noted",
                   json::object{{"key", key.id}, {"why", written.error().message}});
  }

  KeyDependencies with_;
};

} // namespace

std::string_view stateOf(Key const& key, TimePoint now) {
  switch (outcomeOf(key, now)) {
  case Admission::Outcome::revoked: return "revoked";
  case Admission::Outcome::expired: return "expired";
  case Admission::Outcome::unknown:
  case Admission::Outcome::roleUnknown:
  case Admission::Outcome::letIn: break;
  }
  return "active";
}

std::unique_ptr<Keys> Keys::create(KeyDependencies with) {
  return std::make_unique<StoredKeys>(std::move(with));
}

} // namespace garland::access
