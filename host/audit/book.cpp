// Writes the chain of this run, and signs checkpoints of every chain that has none for its last row.
#include "host/audit/audit.h"
#include "host/audit/notes.h"
#include "host/audit/seal.h"
#include "host/base/bytes.h"
#include "host/base/ids.h"

#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/cancellation_signal.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>

#include <algorithm>

namespace garland::audit {
namespace {

using Values = std::vector<store::Value>;

// A row's number and hash are made where it is written. Without a row before it both are NULL, which the
// table refuses, and the unit with it: nothing happens that cannot be told. No expectation: on PostgreSQL it
// would cost each unit a round trip. It ends where a condition may follow: onlyIf().
constexpr char const* kAppend =
    "INSERT INTO audit_rows (chain_id,number,entry,hash) SELECT $1,"
    "(SELECT MAX(number)+1 FROM audit_rows WHERE chain_id=$1),$2,"
    "(SELECT sha256(hash||$2) FROM audit_rows WHERE chain_id=$1 ORDER BY number DESC LIMIT 1)";

constexpr int kTries = 5;                      // of a checkpoint whose number another daemon took
constexpr std::ptrdiff_t kNotesOfUnit = 1'000; // more would keep other units waiting

Bytes bytesOf(std::string_view text) { return Bytes(text.begin(), text.end()); }

std::string textOf(Bytes const& bytes) { return std::string(bytes.begin(), bytes.end()); }

class ChainBook final : public Book {
public:
  ChainBook(Dependencies with, Options options, Keys keys)
      : with_(std::move(with)), options_(std::move(options)), keys_(std::move(keys)),
        chain_(newId("aud", with_.clock, with_.random)), sealed_at_(with_.clock.monotonic()),
        ended_(with_.executor, asio::steady_timer::time_point::max()) {}

  Task<void> begin();

  store::Statement row(Event event) override;
  void note(Event event) override { notes_.add(std::move(event)); }
  Task<void> write(Event event) override;
  std::string pseudonym(std::string_view text) const override;
  Result<std::string> sign(std::string_view purpose, std::string_view text) const override {
    return signedFor(keys_.signing, purpose, text);
  }
  Task<void> seal() override;
  State state() const override { return State{keys_.public_key, chain_, last_}; }
  Task<std::vector<Row>> rows(std::string after_chain, std::int64_t after_number, int limit) override;
  Task<std::vector<Checkpoint>> checkpoints(std::int64_t after, int limit) override;
  void start() override;
  Task<void> stop() override;

private:
  std::string entryOf(Event event) const;
  store::Statement appended(std::string entry) const;
  bool isSealDue() const;
  asio::awaitable<void> loop();
  Task<void> look();
  Task<void> writeNotes();
  Task<std::vector<std::string>> lagging();
  Task<void> sign(std::string chain, bool closes);
  Task<Mark> newest();
  Task<void> tellMissing(Mark found);

  Dependencies with_;
  Options options_;
  Keys keys_;
  std::string chain_;
  Notes notes_;
  Mark last_;
  std::int64_t unsigned_rows_ = 0; // at most so many are new; those of units that failed are counted, too
  Monotonic sealed_at_;
  std::map<std::string, std::int64_t> heads_; // of other chains that lagged when they were looked at last
  bool failing_ = false;                      // told once
  asio::cancellation_signal stop_;
  asio::steady_timer ended_;
  bool running_ = false;
  bool stopping_ = false;
};

// ---------------------------------------------------------------- rows

std::string ChainBook::pseudonym(std::string_view text) const {
  auto const first = text.find_first_not_of(" \t");
  auto const last = text.find_last_not_of(" \t");
  std::string plain =
      first == std::string_view::npos ? "" : std::string(text.substr(first, last - first + 1));
  std::ranges::transform(plain, plain.begin(),
                         [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; });
  return "psn_" + hex(vault::hmacSha256(keys_.pseudonyms.reveal(), plain)).substr(0, 32);
}

std::string ChainBook::entryOf(Event event) const {
  json::object entry;
  entry["at"] = rfc3339(with_.clock.now());
  entry["kind"] = name(event.kind);
  entry["act"] = event.act;
  auto const put = [&entry](std::string_view member, std::string const& id) {
    if (!id.empty()) entry[member] = id;
  };
  put("vendor", event.vendor_id);
  put("connection", event.connection_id);
  put("subject", event.subject);
  if (!event.person.empty()) entry["person"] = pseudonym(event.person);
  if (!event.facts.empty()) entry["facts"] = std::move(event.facts);
  return canonicalJson(entry);
}

store::Statement ChainBook::appended(std::string entry) const {
  return store::Statement(kAppend, Values{chain_, bytesOf(entry)});
}

store::Statement ChainBook::row(Event event) {
  ++unsigned_rows_;
  return appended(entryOf(std::move(event)));
}

Task<void> ChainBook::write(Event event) {
  store::Unit unit;
  unit.push_back(row(std::move(event)));
  CO_TRY_VOID(co_await with_.store.commit(std::move(unit)));
  co_return Result<void>();
}

Task<void> ChainBook::writeNotes() {
  auto events = notes_.take();
  for (auto next = events.begin(); next != events.end();) {
    auto const end = next + std::min(kNotesOfUnit, events.end() - next);
    store::Unit unit;
    for (auto event = next; event != end; ++event) unit.push_back(row(*event));
    auto const kept = co_await with_.store.commit(std::move(unit));
    if (!kept) {
      // Whether they are there is not always known; told twice is better than not at all.
      events.erase(events.begin(), next);
      notes_.putBack(std::move(events));
      co_return kept.error();
    }
    next = end;
  }
  co_return Result<void>();
}

// ---------------------------------------------------------------- the beginning

Task<void> ChainBook::begin() {
  CO_TRY(found, co_await newest());
  last_ =
      std::max(found, options_.remembered, [](Mark const& a, Mark const& b) { return a.number < b.number; });
  Event first;
  first.act = "begin";
  first.facts = json::object{{"chain", chain_}, {"version", options_.version}, {"checkpoint", found.number}};
  first.facts["checkpoint_hash"] = found.hash;
  auto const entry = entryOf(std::move(first));
  store::Unit unit;
  unit.emplace_back("INSERT INTO audit_chains (chain_id,signed_to,closed) VALUES ($1,-1,0)", Values{chain_});
  unit.emplace_back("INSERT INTO audit_rows (chain_id,number,entry,hash) VALUES ($1,0,$2,$3)",
                    Values{chain_, bytesOf(entry), bytesOf(vault::sha256(entry))});
  ++unsigned_rows_;
  CO_TRY_VOID(co_await with_.store.commit(std::move(unit)));
  CO_TRY_VOID(co_await tellMissing(std::move(found)));
  co_return Result<void>();
}

Task<void> ChainBook::tellMissing(Mark found) {
  auto const& remembered = options_.remembered;
  if (remembered.number == 0) co_return Result<void>();
  CO_TRY(same, co_await checkpoints(remembered.number - 1, 1));
  if (!same.empty() && same[0].number == remembered.number &&
      vault::sha256Hex(same[0].body) == remembered.hash)
    co_return Result<void>();
  with_.log.error(
      "the audit chain is not the one that this daemon remembers: its end was cut off, or an older "
      "backup was restored; see `garland audit verify`",
      json::object{{"remembered", remembered.number}, {"found", found.number}});
  Event missing;
  missing.act = "tail_missing";
  missing.facts = json::object{{"remembered", remembered.number}, {"found", found.number}};
  missing.facts["remembered_hash"] = remembered.hash;
  CO_TRY_VOID(co_await write(std::move(missing)));
  co_return Result<void>();
}

Task<Mark> ChainBook::newest() {
  store::Statement query("SELECT number, body FROM audit_checkpoints ORDER BY number DESC LIMIT 1");
  CO_TRY(found, co_await with_.store.read(std::move(query)));
  Mark mark;
  if (!found.rows.empty()) {
    mark.number = found.rows[0].integer(0);
    mark.hash = vault::sha256Hex(textOf(found.rows[0].bytes(1)));
  }
  co_return mark;
}

// ---------------------------------------------------------------- checkpoints

bool ChainBook::isSealDue() const {
  if (unsigned_rows_ >= options_.rows) return true;
  return with_.clock.monotonic() - sealed_at_ >= options_.every;
}

Task<std::vector<std::string>> ChainBook::lagging() {
  store::Statement query("SELECT c.chain_id, c.signed_to, "
                         "(SELECT MAX(r.number) FROM audit_rows r WHERE r.chain_id=c.chain_id) "
                         "FROM audit_chains c WHERE c.closed=0 ORDER BY c.chain_id");
  CO_TRY(found, co_await with_.store.read(std::move(query)));
  std::vector<std::string> out;
  std::map<std::string, std::int64_t> heads;
  for (auto const& row : found.rows) {
    if (row.isNull(2) || row.integer(2) <= row.integer(1)) continue;
    auto const chain = row.text(0);
    // Who lives signs its own. Where nothing has come for so long nobody does: that daemon was killed.
    auto const before = heads_.find(chain);
    bool const stands_still = before != heads_.end() && before->second == row.integer(2);
    if (chain == chain_ || stands_still) out.push_back(chain);
    if (chain != chain_) heads[chain] = row.integer(2);
  }
  heads_ = std::move(heads);
  co_return out;
}

Task<void> ChainBook::seal() {
  CO_TRY_VOID(co_await writeNotes());
  sealed_at_ = with_.clock.monotonic();
  unsigned_rows_ = 0;
  CO_TRY(chains, co_await lagging());
  for (auto const& chain : chains) {
    CO_TRY_VOID(co_await sign(chain, stopping_ && chain == chain_));
  }
  co_return Result<void>();
}

Task<void> ChainBook::sign(std::string chain, bool closes) {
  Error error;
  for (int i = 0; i < kTries; ++i) {
    CO_TRY(before, co_await newest());
    store::Statement query(
        "SELECT number, hash FROM audit_rows WHERE chain_id=$1 ORDER BY number DESC LIMIT 1", Values{chain});
    CO_TRY(head, co_await with_.store.read(std::move(query)));
    if (head.rows.empty()) co_return Result<void>();
    auto const number = head.rows[0].integer(0);
    json::object body{{"type", "checkpoint"}, {"number", before.number + 1}, {"previous", before.hash}};
    body["at"] = rfc3339(with_.clock.now());
    body["chain"] = chain;
    body["row"] = number;
    body["hash"] = hex(textOf(head.rows[0].bytes(1)));
    body["key"] = keys_.public_key;
    auto const text = canonicalJson(body);
    CO_TRY(signature, sealed(keys_.signing, text));
    store::Unit unit;
    unit.emplace_back("INSERT INTO audit_checkpoints (number,body,signature) VALUES ($1,$2,$3)",
                      Values{before.number + 1, bytesOf(text), bytesOf(signature)});
    unit.emplace_back("UPDATE audit_chains SET signed_to=$2, closed=$3 WHERE chain_id=$1",
                      Values{chain, number, std::int64_t{closes}});
    auto const kept = co_await with_.store.commit(std::move(unit));
    if (kept) {
      last_ = Mark{before.number + 1, vault::sha256Hex(text)};
      if (options_.on_checkpoint) options_.on_checkpoint(last_);
      co_return Result<void>();
    }
    error = kept.error();
    if (error.kind != ErrorKind::conflict) break;
  }
  co_return error;
}

// ---------------------------------------------------------------- by itself

void ChainBook::start() {
  running_ = true;
  asio::co_spawn(
      with_.executor, [this] { return loop(); },
      asio::bind_cancellation_slot(stop_.slot(), [this](std::exception_ptr) {
        running_ = false;
        ended_.cancel();
      }));
}

asio::awaitable<void> ChainBook::loop() {
  while (!stopping_) {
    auto const slept = co_await with_.clock.sleepFor(options_.notes_wait);
    if (!slept || stopping_) co_return;
    auto const done = co_await look();
    if (!done && !failing_) with_.log.error("the audit chain cannot be written: " + done.error().message);
    failing_ = !done;
  }
}

Task<void> ChainBook::look() {
  CO_TRY_VOID(co_await writeNotes());
  if (!isSealDue()) co_return Result<void>();
  co_return co_await seal();
}

Task<void> ChainBook::stop() {
  stopping_ = true;
  stop_.emit(asio::cancellation_type::all);
  boost::system::error_code ignored;
  while (running_) co_await ended_.async_wait(asio::redirect_error(asio::use_awaitable, ignored));
  Event last;
  last.act = "end";
  note(std::move(last));
  co_return co_await seal();
}

// ---------------------------------------------------------------- reading

Task<std::vector<Row>> ChainBook::rows(std::string after_chain, std::int64_t after_number, int limit) {
  store::Statement query(
      "SELECT chain_id, number, entry, hash FROM audit_rows WHERE (chain_id,number)>($1,$2) "
      "ORDER BY chain_id, number LIMIT $3",
      Values{std::move(after_chain), after_number, std::int64_t{limit}});
  CO_TRY(found, co_await with_.store.read(std::move(query)));
  std::vector<Row> out;
  for (auto const& row : found.rows)
    out.push_back(Row{row.text(0), row.integer(1), textOf(row.bytes(2)), textOf(row.bytes(3))});
  co_return out;
}

Task<std::vector<Checkpoint>> ChainBook::checkpoints(std::int64_t after, int limit) {
  store::Statement query(
      "SELECT number, body, signature FROM audit_checkpoints WHERE number>$1 ORDER BY number "
      "LIMIT $2",
      Values{after, std::int64_t{limit}});
  CO_TRY(found, co_await with_.store.read(std::move(query)));
  std::vector<Checkpoint> out;
  for (auto const& row : found.rows)
    out.push_back(Checkpoint{row.integer(0), textOf(row.bytes(1)), textOf(row.bytes(2))});
  co_return out;
}

} // namespace

store::Statement onlyIf(store::Statement row, std::string_view condition, std::vector<store::Value> values) {
  auto number = row.args.size();
  row.sql += " WHERE ";
  for (char const c : condition) {
    if (c == '?')
      row.sql += "$" + std::to_string(++number);
    else
      row.sql += c;
  }
  for (auto& value : values) row.args.push_back(std::move(value));
  return row;
}

Task<std::unique_ptr<Book>> Book::open(Dependencies dependencies, Options options) {
  CO_TRY(keys, co_await openKeys(&dependencies.store, &dependencies.vault, &dependencies.random));
  auto book = std::make_unique<ChainBook>(std::move(dependencies), std::move(options), std::move(keys));
  CO_TRY_VOID(co_await book->begin());
  co_return std::unique_ptr<Book>(std::move(book));
}

} // namespace garland::audit
