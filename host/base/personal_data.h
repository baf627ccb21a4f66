// What the tables of a room hold of people, as data that stands beside the room's migrations. Whoever
// exports, erases or forgets reads it, and knows no table but by it. Every column of every table is declared:
// a test walks all migrations and fails for one that is not.
#pragma once

#include <string>
#include <utility>
#include <vector>

namespace garland {

// What becomes of a row that names a person who is erased.
enum class Fate {
  removed,   // the row goes
  rewritten, // the row stays; where it names the person stands a pseudonym
  kept,      // nothing: it is the vendor's own, and goes with the vendor; `why_kept` says so
  ofRecord,  // whatever becomes of the record that it belongs to, which the sync room sees to
};

struct PersonalColumn {
  enum class Type { text, integer, bytes };
  // A plain text is a column of it.
  PersonalColumn(char const* name_in, Type type_in = Type::text) : name(name_in), type(type_in) {}
  std::string name;
  Type type;
};

struct PersonalTable {
  PersonalTable(std::string name_in, std::vector<PersonalColumn> keys_in)
      : name(std::move(name_in)), keys(std::move(keys_in)) {}

  std::string name;
  std::vector<PersonalColumn> keys; // of its primary key
  // What may name a person, as text, as JSON, or percent-encoded; keys may be among them.
  std::vector<PersonalColumn> personal;
  // May be of a person, too, but is not searched: it says again what a personal column says.
  std::vector<std::string> along;
  // Ids, times, numbers, words of fixed sets, digests and what is sealed.
  std::vector<std::string> plain;
  Fate fate = Fate::removed;
  std::string why_kept;
  // A personal column that differs from row to row: rewritten, it is the pseudonym and the row's last key.
  std::string unique;
  // SQL that is true of a row which must not be touched now, and why in words: it is told, and left.
  std::string busy;
  std::string why_busy;
  // A statement that mends what counts the rows, after some went; $1 is the vendor's id, the first key.
  std::string recount;
  // A column with a provider's id of a record; connection_id and kind name the rest.
  std::string remote_id;
  bool of_vendor = true; // the column vendor_id says whose a row is, and it goes with the vendor
};

} // namespace garland
