// One session with PostgreSQL: statements go out in libpq's pipeline mode, all of a call in one round
// trip, and every wait is a coroutine's. Used by one coroutine at a time; [loop thread].
#pragma once

#include "host/store/pg_socket.h"
#include "host/store/pg_target.h"
#include "host/store/store.h"

#include <memory>
#include <optional>
#include <unordered_map>

#include <libpq-fe.h>

namespace garland::store {

// What came back for each statement of a call. After an error the server skips the rest up to the end
// of the call: those have no answer. `lost` says that the session ended, and why.
struct PgReplies {
  std::vector<std::optional<Result<Rows>>> each;
  std::optional<Error> lost;

  bool allSucceeded() const;
  std::optional<Error> firstError() const;
};

// The statements stay with the caller until the call has ended.
using PgSteps = std::vector<Statement const*>;

class PgConnection {
public:
  // writeAlone: no other session of this use may be open on the database, and none of writeAmongOthers.
  enum class Use { write, writeAmongOthers, writeAlone, read };

  static Task<std::unique_ptr<PgConnection>> open(asio::any_io_executor executor, PgTarget target, Use use);
  ~PgConnection();
  PgConnection(PgConnection const&) = delete;
  PgConnection& operator=(PgConnection const&) = delete;

  asio::awaitable<PgReplies> run(PgSteps steps);
  // Any number of statements without arguments, in the simple protocol (migrations).
  Task<void> script(std::string sql, std::chrono::milliseconds limit);

  // What was told on the channels that this session listens to, as soon as there is something; nothing after
  // the limit, or if the session is lost.
  asio::awaitable<std::vector<std::string>> notices(std::chrono::milliseconds limit);

  // Whether the next run() has a session to go to: false if it is lost, if the server has closed it
  // meanwhile, or if a transaction was left open. Then only destruction is left.
  bool usable();
  // Ends what is under way with `lost`; for a store that goes away.
  void interrupt() { socket_.interrupt(); }

private:
  struct ClearResult {
    void operator()(PGresult* result) const { PQclear(result); }
  };
  using PgResult = std::unique_ptr<PGresult, ClearResult>;

  // What was prepared under a name, and the types it was prepared with.
  struct Prepared {
    std::string name;
    std::vector<Oid> types;
  };
  // One thing sent, in the order of the answers: a statement, its preparation, or (no step) upkeep.
  struct Sent {
    std::optional<std::size_t> step;
    bool preparing;
  };

  PgConnection(asio::any_io_executor executor, PgTarget target);

  Task<void> connect(PgTarget target);
  Task<void> setUp(Use use);
  Task<void> lockOthersOut(Statement const* lock);
  bool send(PgSteps const& steps, std::vector<Sent>& sent);
  bool sendStep(Statement const& statement, std::size_t step, std::vector<Sent>& sent);
  bool sendForgetAll(std::vector<Sent>& sent);
  asio::awaitable<bool> receive(Sent sent, Statement const* statement, std::optional<Result<Rows>>* reply);
  // The next result; null at the end of a statement's results, and when the session is lost.
  asio::awaitable<PgResult> next();
  asio::awaitable<void> turn();
  Error lostError() const;

  PgTarget target_;
  PgSocket socket_;
  std::unique_ptr<PGconn, decltype(&PQfinish)> connection_;
  std::unordered_map<std::string, Prepared> prepared_;
  std::size_t names_given_ = 0; // since the server's prepared statements were last forgotten
  bool ended_ = false;          // the server or the network closed; what has arrived is still read
  bool usable_ = false;
};

} // namespace garland::store
