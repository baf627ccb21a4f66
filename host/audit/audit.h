// The audit chain: what was changed, asked of others, signed in and refused, each row bound to all before it.
//
// Every run of a daemon has a chain of its own. A row's hash is SHA-256 over the hash of the row before it
// (none before the first, number 0) and the row's entry, canonical JSON. The hash is made by the statement
// that writes the row, so a row goes into the unit of what it tells, and exists if and only if that is
// durable. Checkpoints, numbered over all chains, name the hash of a row and of the checkpoint before, and
// are signed with Ed25519: decision 0047. The verifier needs no database: an export and the public key are
// enough.
#pragma once

#include "host/base/clock.h"
#include "host/base/json.h"
#include "host/base/log.h"
#include "host/base/personal_data.h"
#include "host/base/random.h"
#include "host/base/task.h"
#include "host/store/store.h"
#include "host/vault/vault.h"

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace garland::audit {

// The tables of this room, for Store::open; its Options::sha256 must be vault::sha256.
std::vector<store::Migration> migrations();
std::vector<PersonalTable> personalData();

// Whether the database holds keys that only the master key which sealed them can open.
Task<bool> holdsKeys(store::Store& store);

// ---------------------------------------------------------------- writing

enum class Kind {
  change,  // somebody changed something
  request, // this host asked something of others
  signIn,  // somebody was let in
  refusal, // somebody was not, or not to that
  count,   // many of one kind that came in together
  system,  // of the host itself: a chain begins, a tail is missing
};
std::string_view name(Kind kind); // "sign_in"

// What happened. Ids and words of fixed sets only: no secret, and no person but in `person`.
struct Event {
  Kind kind = Kind::system;
  std::string act;           // "endpoint.add", "GET"
  std::string vendor_id;     // "" if there is none, as below
  std::string connection_id; //
  std::string subject;       // id of what it was done to
  std::string person;        // a name or an address: kept as a pseudonym
  json::object facts = {};
};

// A place in the list of checkpoints.
struct Mark {
  std::int64_t number = 0; // 0: there is none yet
  std::string hash;        // of its body, 64 hexadecimal digits
  bool operator==(Mark const&) const = default;
};

struct Row {
  std::string chain; // "aud_..."
  std::int64_t number = 0;
  std::string entry; // canonical JSON
  std::string hash;  // 32 bytes
};

struct Checkpoint {
  std::int64_t number = 0;
  std::string body;      // canonical JSON: at, chain, hash, key, number, previous, row, type
  std::string signature; // 64 bytes
};

struct State {
  std::string key;   // public: "ed25519:" and 64 hexadecimal digits
  std::string chain; // of this daemon
  Mark last;         // the newest checkpoint that this daemon knows of
};

struct Options {
  std::int64_t rows = 1'000;      // a checkpoint is made after so many rows, or ...
  Milliseconds every{60'000};     // ... after so long, if there are any
  Milliseconds notes_wait{1'000}; // what is noted is durable after so long
  Mark remembered;                // what an earlier run of this daemon knew of; none: Mark()
  // Called with each checkpoint that is durable, so that it can be remembered outside of the database.
  std::function<void(Mark const&)> on_checkpoint = nullptr;
  std::string version; // of the daemon, for the first row
};

// Everything must outlive the book.
struct Dependencies {
  asio::any_io_executor executor;
  Clock& clock;
  Random& random;
  Log const& log;
  store::Store& store;
  vault::Vault& vault;
};

// [loop thread]
class Book {
public:
  virtual ~Book() = default;
  // Begins a chain. The first one on a database makes its keys. Tells in chain and log if checkpoints are
  // missing that an earlier run knew of. Errors: the store's, and the vault's of keys that it cannot open.
  static Task<std::unique_ptr<Book>> open(Dependencies dependencies, Options options);

  // A row, for the unit of what it tells.
  virtual store::Statement row(Event event) = 0;
  // For what has no unit of its own, such as a refusal: durable a moment later. Equal events of that moment
  // are one row with their number, so that nobody can fill the disk by being refused. Different ones are all
  // written; only if the database takes none for so long that 100,000 wait are those after them one number.
  virtual void note(Event event) = 0;
  // In a unit of its own, durable on return.
  virtual Task<void> write(Event event) = 0;
  // The same for the same text, case and surrounding spaces aside; nobody without the key can tell from
  // which.
  virtual std::string pseudonym(std::string_view text) const = 0;

  // Signs another text with the key of the checkpoints, for a purpose in a few words ("erasure receipt"), for
  // which alone it counts: 64 bytes, see isSigned.
  virtual Result<std::string> sign(std::string_view purpose, std::string_view text) const = 0;

  // Makes what was noted durable, and checkpoints of all that has none.
  virtual Task<void> seal() = 0;
  virtual State state() const = 0;
  // In the order of chains and numbers, those after this one; at most so many.
  virtual Task<std::vector<Row>> rows(std::string after_chain, std::int64_t after_number, int limit) = 0;
  virtual Task<std::vector<Checkpoint>> checkpoints(std::int64_t after, int limit) = 0;

  // Notes and checkpoints are written by themselves from now on, until stop(), which leaves none waiting.
  virtual void start() = 0;
  virtual Task<void> stop() = 0;
};

// A row of Book::row() that is written only if the condition (SQL) holds when its unit comes to it: for a
// change that may be none, in front of it. Each "?" in it stands for one of the values. Where it does not
// hold nothing is written, and the unit goes on.
store::Statement onlyIf(store::Statement row, std::string_view condition, std::vector<store::Value> values);

// ---------------------------------------------------------------- reading

// One line of an export, and one item of the API's lists: {"chain","entry","hash","number"} or
// {"checkpoint","signature"}. An entry or body that is not canonical JSON, as none was that this house wrote,
// is shown as text.
json::object lineOf(Row const& row);
json::object lineOf(Checkpoint const& checkpoint);

// Whether the text was signed for this purpose, by the book whose State::key this is.
bool isSigned(std::string_view public_key, std::string_view purpose, std::string_view text,
              std::string_view signature);

struct Fault {
  std::string place; // "row aud_.../12", "checkpoint 7"
  std::string what;
};

struct Verdict {
  std::int64_t rows = 0;
  std::int64_t chains = 0;
  std::int64_t checkpoints = 0;
  std::int64_t unsigned_rows = 0; // after the last checkpoint of their chain: those could be cut unseen
  std::vector<Fault> faults;      // the first kMostFaults, rows before checkpoints
  std::int64_t faults_in_all = 0;
};
inline constexpr std::size_t kMostFaults = 20;

// Reads checkpoints, then rows, each in their order, and says what is wrong with them.
class Verifier {
public:
  // `keys`: public keys whose checkpoints count. `remembered`: a checkpoint that must be there.
  explicit Verifier(std::set<std::string> keys, Mark remembered = {});
  // invalidInput if it is no line of an export; one without meaning here (the head) is passed over.
  Result<void> take(json::value const& line);
  // A line that is none, at this place: "line 7".
  void unreadable(std::string place, std::string what);
  Verdict finish();

private:
  struct Signed {
    std::string hash;
    std::int64_t checkpoint = 0;
  };
  struct Chain {
    std::map<std::int64_t, Signed> signed_rows; // by number
    bool seen = false;
  };
  void takeCheckpoint(json::value const& line);
  void takeRow(json::value const& line);
  void checkSigned(std::string const& hash);
  void endChain();
  void bad(std::vector<Fault>& list, std::string place, std::string what);

  std::set<std::string> keys_;
  Mark remembered_, last_;
  std::map<std::string, Chain> chains_;
  std::string chain_, previous_; // the chain that is read, and the hash of its row before
  std::int64_t next_ = 0;        // number that has to come
  std::int64_t signed_to_ = -1;  // last row of it that a checkpoint confirms
  bool remembered_seen_ = false;
  Verdict verdict_;
  std::vector<Fault> of_checkpoints_;
};

} // namespace garland::audit
