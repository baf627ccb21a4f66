// What the database holds sealed, seen as a whole: under which master keys it is, its move to another key,
// and its way to another host. No secret is opened here. Which tables have secrets is said, as data, by the
// rooms that own them.
#pragma once

#include "host/base/clock.h"
#include "host/base/log.h"
#include "host/base/personal_data.h"
#include "host/base/random.h"
#include "host/base/task.h"
#include "host/store/store.h"
#include "host/vault/vault.h"

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace garland::custody {

struct Column {
  Column(std::string name_in, bool integer_in = false) : name(std::move(name_in)), integer(integer_in) {}
  std::string name;
  bool integer; // else TEXT
  // A TEXT that came to the exports later: what it is in those that were made before.
  std::optional<std::string> formerly;
};

// A table with sealed secrets in its column "sealed" ("": that row has none), or one that they are of no use
// without.
struct Table {
  std::string name;
  std::vector<std::string> keys; // the columns of its primary key, all TEXT
  bool sealed = true;
  // Set when the secret of a row is wrapped anew: "revision=revision+1", where somebody may write back what
  // was read.
  std::string on_rewrap;

  // What of a row goes into an export besides its keys and its secret.
  std::vector<Column> columns;
  // What an import gives the other columns of a new row, as SQL: {"revision", "1"}; $1 is its first key.
  std::vector<std::pair<std::string, std::string>> begin;
  // Set besides where an import replaces a row.
  std::string on_replace;
  bool replaces = true; // false: a row that is there stays as it is
};

struct KeyUse {
  std::string id;     // "" for texts that name no key, because they are damaged
  bool held = false;  // by this daemon
  bool seals = false; // what is sealed now
  std::int64_t secrets = 0;
};

enum class MoveState { running, done, stuck, left };
std::string_view name(MoveState state);

// Of all secrets, to one master key.
struct Move {
  std::string key_id;
  MoveState state = MoveState::running; // stuck: some cannot be moved; left: another move began
  std::string problem;                  // which cannot be moved; "" if none
  TimePoint started;
  TimePoint updated;
  std::optional<TimePoint> finished;
};

struct Status {
  std::vector<KeyUse> keys; // first that which seals
  std::optional<Move> move; // the last one; none that ended under a key which is not there any more
};

// What an import did to one table.
struct Imported {
  std::string table;
  std::int64_t added = 0;
  std::int64_t kept = 0;             // were there, and stay
  std::vector<std::string> replaced; // their keys: "ven_.../con_.../login"
};

// Everything must outlive it.
struct Dependencies {
  asio::any_io_executor executor;
  asio::any_io_executor aside; // what takes half a second: keys of passphrases
  Clock& clock;
  Random& random;
  Log const& log;
  store::Store& store;
  vault::Vault& vault;
  std::vector<Table> tables; // those first that others refer to
  std::string folder;        // where exports go, and imports come from; made if it is missing
  Milliseconds pause{20};    // between two units of a move: others have the database meanwhile
  int export_cost = 17;      // as in vault::ExportKey
};

// [loop thread]
class Custody {
public:
  static std::shared_ptr<Custody> create(Dependencies dependencies);
  virtual ~Custody() = default;

  virtual Task<Status> status() = 0;
  // Moves everything to the sealing key, in small units, while all else goes on; begun before, it goes on
  // where it was. Answers once that is durable. invalidInput if something is sealed under a key that is not
  // here.
  virtual Task<Status> rekey() = 0;
  // Everything of the tables in a new file in the folder, under the passphrase; its name. Errors as of
  // vault::ExportKey.
  virtual Task<std::string> exportFile(Secret passphrase) = 0;
  // The file of that name in the folder: all of it or nothing. The file is taken away, whatever comes of it.
  // Errors: as of vault::ExportKey; unsupported (of other tables); conflict (it does not go with what is
  // here).
  virtual Task<std::vector<Imported>> importFile(std::string name, Secret passphrase) = 0;

  // Goes on with a move to the sealing key that was begun before.
  virtual Task<void> start() = 0;
  // Lets the unit in flight end; the move goes on after the next start.
  virtual asio::awaitable<void> stop() = 0;
};

std::vector<store::Migration> migrations();
std::vector<PersonalTable> personalData();

} // namespace garland::custody
