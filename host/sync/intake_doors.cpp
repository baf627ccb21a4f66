#include "host/sync/intake_doors.h"

#include "host/sync/commits.h"

#include <array>

namespace garland::sync {
namespace {

constexpr std::size_t kTokenBytes = 32;
constexpr std::size_t kTokenLength = 52;

// RFC 4648 base32 in lower case without padding: it fits the local part of a mail address, whose case
// nobody can rely on.
std::string base32(std::string_view bytes) {
  constexpr std::string_view letters = "abcdefghijklmnopqrstuvwxyz234567";
  std::string text;
  unsigned pending = 0;
  int bits = 0;
  for (char const c : bytes) {
    pending = (pending << 8U) | static_cast<unsigned char>(c);
    for (bits += 8; bits >= 5; bits -= 5) text += letters[(pending >> unsigned(bits - 5)) & 31U];
    pending &= (1U << unsigned(bits)) - 1;
  }
  if (bits > 0) text += letters[(pending << unsigned(5 - bits)) & 31U];
  return text;
}

Secret newToken(Random& random) {
  std::string bytes(kTokenBytes, '\0');
  random.fill(std::as_writable_bytes(std::span(bytes)));
  Secret token(base32(bytes));
  wipe(bytes.data(), bytes.size());
  return token;
}

std::string placeOf(IntakeDoor const& door) {
  return door.vendor_id + "/" + door.connection_id + "/intake/" + std::string(name(door.source));
}

} // namespace

Task<void> IntakeDoors::load() {
  store::Statement query(
      "SELECT d.vendor_id, d.connection_id, c.plugin_id, d.source, d.token_hash, d.created, "
      "d.signing FROM intake_doors d JOIN connections c ON c.vendor_id=d.vendor_id AND "
      "c.connection_id=d.connection_id");
  CO_TRY(rows, co_await context_.doors.store.read(std::move(query)));
  by_hash_.clear();
  for (auto const& row : rows.rows) {
    IntakeDoor door;
    door.vendor_id = row.text(0);
    door.connection_id = row.text(1);
    door.plugin_id = row.text(2);
    door.source = intakeSourceNamed(row.text(3)).value_or(IntakeSource::hook);
    door.created = fromMillis(row.integer(5));
    door.signing = readJson(row.text(6));
    by_hash_.insert_or_assign(row.text(4), std::move(door));
  }
  co_return Result<void>();
}

Task<OpenedDoor> IntakeDoors::open(Connection connection, IntakeSource source, bool rotate) {
  for (auto const& [hash, door] : by_hash_)
    if (door.connection_id == connection.id && door.source == source && !rotate)
      co_return OpenedDoor{door, Secret()};
  OpenedDoor opened;
  opened.token = newToken(context_.doors.random);
  auto const hash = vault::sha256Hex(opened.token.reveal());
  auto const created = toMillis(context_.now());
  store::Unit unit;
  unit.push_back(
      store::Statement(
          "INSERT INTO intake_doors (vendor_id,connection_id,source,token_hash,created,signing,sealed) "
          "VALUES ($1,$2,$3,$4,$5,'null','') ON CONFLICT (vendor_id,connection_id,source) DO UPDATE "
          "SET token_hash=excluded.token_hash, created=excluded.created",
          {connection.vendor_id, connection.id, std::string(name(source)), hash, created})
          .expecting(1));
  unit.push_back(
      told(context_, "intake.open_door", connection.vendor_id, connection.id, std::string(name(source))));
  std::vector<News> news;
  news.emplace_back(NewsKind::known, connection.vendor_id, connection.id);
  CO_TRY_VOID(co_await commitTelling(&context_, std::move(unit), std::move(news)));
  CO_TRY_VOID(co_await load());
  auto const made = by_hash_.find(hash);
  if (made == by_hash_.end())
    co_return Error(ErrorKind::conflict, "another address was made this very moment; try again");
  opened.door = made->second;
  co_return opened;
}

Task<IntakeDoor> IntakeDoors::sign(Connection connection, json::value scheme, Secret secret) {
  IntakeDoor door;
  door.vendor_id = connection.vendor_id;
  door.connection_id = connection.id;
  std::string sealed;
  if (!scheme.is_null()) {
    CO_TRY(text, context_.doors.vault.seal(secret, placeOf(door)));
    sealed = std::move(text);
  }
  store::Unit unit;
  unit.push_back(store::Statement("UPDATE intake_doors SET signing=$1, sealed=$2 WHERE vendor_id=$3 AND "
                                  "connection_id=$4 AND source='hook'",
                                  {json::serialize(scheme), sealed, door.vendor_id, door.connection_id})
                     .expecting(1));
  unit.push_back(told(context_, "intake.sign_door", connection.vendor_id, connection.id));
  std::vector<News> news;
  news.emplace_back(NewsKind::known, connection.vendor_id, connection.id);
  auto const saved = co_await commitTelling(&context_, std::move(unit), std::move(news));
  if (!saved && saved.error().kind == ErrorKind::conflict)
    co_return Error(ErrorKind::notFound, "connection " + connection.id +
                                             " has no hook yet; garland connections "
                                             "hook " +
                                             connection.id + " makes one");
  if (!saved) co_return saved.error();
  CO_TRY_VOID(co_await load());
  for (auto const& [hash, one] : by_hash_)
    if (one.connection_id == connection.id && one.source == IntakeSource::hook) co_return one;
  co_return Error(ErrorKind::notFound, "connection " + connection.id + " is gone");
}

std::optional<IntakeDoor> IntakeDoors::find(IntakeSource source, std::string_view token) const {
  if (token.size() != kTokenLength) return std::nullopt;
  auto const found = by_hash_.find(vault::sha256Hex(token));
  if (found == by_hash_.end() || found->second.source != source) return std::nullopt;
  return found->second;
}

Task<Secret> IntakeDoors::signingSecret(IntakeDoor door) {
  store::Statement query(
      "SELECT sealed FROM intake_doors WHERE vendor_id=$1 AND connection_id=$2 AND source=$3",
      {door.vendor_id, door.connection_id, std::string(name(door.source))});
  CO_TRY(rows, co_await context_.doors.store.read(std::move(query)));
  if (rows.rows.empty() || rows.rows[0].text(0).empty()) co_return Secret();
  co_return context_.doors.vault.open(rows.rows[0].text(0), placeOf(door));
}

void IntakeDoors::forget(std::string const& connection_id) {
  std::erase_if(by_hash_, [&](auto const& one) { return one.second.connection_id == connection_id; });
}

} // namespace garland::sync
