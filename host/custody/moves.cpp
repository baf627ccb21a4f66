#include "host/custody/moves.h"

#include "host/base/json.h"
#include "host/custody/table_sql.h"

namespace garland::custody {
namespace {

constexpr char const* kColumns =
    "SELECT key_id, state, place, problem, revision, started, updated, finished FROM vault_moves ";
constexpr char const* kThisStep = " WHERE key_id=$1 AND revision=$2 AND state='running'";

TimePoint timeOf(std::int64_t millis) { return TimePoint(Milliseconds(millis)); }

std::string textOf(Place const& place) {
  json::array list{json::value(place.table)};
  for (auto const& key : place.after) list.emplace_back(key);
  return json::serialize(list);
}

Place placeFrom(std::string const& text) {
  Place place;
  auto const list = parseJson(text);
  if (!list || !list->is_array()) return place;
  for (auto const& one : list->get_array()) {
    auto word = one.is_string() ? std::string(one.get_string()) : std::string();
    if (&one == list->get_array().begin())
      place.table = std::move(word);
    else
      place.after.push_back(std::move(word));
  }
  return place;
}

MoveState stateFrom(std::string const& text) {
  for (auto const state : {MoveState::done, MoveState::stuck, MoveState::left})
    if (text == name(state)) return state;
  return MoveState::running;
}

MoveRow rowFrom(store::Row const& row) {
  MoveRow out;
  out.move.key_id = row.text(0);
  out.move.state = stateFrom(row.text(1));
  out.place = placeFrom(row.text(2));
  out.move.problem = row.text(3);
  out.revision = row.integer(4);
  out.move.started = timeOf(row.integer(5));
  out.move.updated = timeOf(row.integer(6));
  if (!row.isNull(7)) out.move.finished = timeOf(row.integer(7));
  return out;
}

} // namespace

std::string_view name(MoveState state) {
  switch (state) {
  case MoveState::running: return "running";
  case MoveState::done: return "done";
  case MoveState::stuck: return "stuck";
  case MoveState::left: return "left";
  }
  return "running";
}

Task<std::optional<MoveRow>> Moves::one(store::Statement query) {
  CO_TRY(rows, co_await with_.store.read(std::move(query)));
  std::optional<MoveRow> found;
  if (!rows.rows.empty()) found = rowFrom(rows.rows[0]);
  co_return found;
}

Task<std::optional<MoveRow>> Moves::to(std::string key_id) {
  Values args;
  args.emplace_back(std::move(key_id));
  store::Statement query(std::string(kColumns) + "WHERE key_id=$1", std::move(args));
  co_return co_await one(std::move(query));
}

Task<std::optional<MoveRow>> Moves::last() {
  store::Statement query(std::string(kColumns) + "ORDER BY started DESC, key_id LIMIT 1");
  co_return co_await one(std::move(query));
}

Task<void> Moves::begin(std::string key_id) {
  store::Unit unit;
  unit.emplace_back("UPDATE vault_moves SET state='left', finished=$2, updated=$2, revision=revision+1 "
                    "WHERE state='running' AND key_id<>$1",
                    Values{key_id, now()});
  unit.emplace_back(
      "INSERT INTO vault_moves (key_id,state,place,problem,revision,started,updated) "
      "VALUES ($1,'running','','',1,$2,$2) ON CONFLICT (key_id) DO UPDATE SET state='running', "
      "place='', problem='', started=excluded.started, updated=excluded.updated, finished=NULL, "
      "revision=vault_moves.revision+1 WHERE vault_moves.state<>'running'",
      Values{key_id, now()});
  CO_TRY_VOID(co_await with_.store.commit(std::move(unit)));
  co_return Result<void>();
}

store::Statement Moves::goesTo(MoveRow const& row, Place const& place, std::string const& problem) const {
  return store::Statement("UPDATE vault_moves SET place=$3, problem=$4, updated=$5, revision=revision+1" +
                              std::string(kThisStep),
                          {row.move.key_id, row.revision, textOf(place), problem, now()})
      .expecting(1);
}

store::Statement Moves::isDone(MoveRow const& row) const {
  std::string sql =
      "UPDATE vault_moves SET state='done', problem='', finished=$3, updated=$3, revision=revision+1" +
      std::string(kThisStep);
  for (auto const& table : with_.tables)
    if (table.sealed)
      sql += " AND NOT EXISTS (SELECT 1 FROM " + table.name + " WHERE " + underAnotherKey(4) + ")";
  return store::Statement(std::move(sql),
                          {row.move.key_id, row.revision, now(), vault::sealedPrefix(row.move.key_id)})
      .expecting(1);
}

store::Statement Moves::isStuck(MoveRow const& row) const {
  return store::Statement(
             "UPDATE vault_moves SET state='stuck', finished=$3, updated=$3, revision=revision+1" +
                 std::string(kThisStep),
             {row.move.key_id, row.revision, now()})
      .expecting(1);
}

} // namespace garland::custody
