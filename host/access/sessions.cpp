// Sessions of people: found by the hash of a cookie, never by its text.
#include "host/access/access.h"

#include "host/access/id_query.h"
#include "host/base/ids.h"

namespace garland::access {
namespace {

using Values = std::vector<store::Value>;
using Outcome = SessionAdmission::Outcome;

constexpr std::chrono::minutes kUseNotedEvery{1};
// So long a person is told that a session is over; then it is as if it had never been.
constexpr std::chrono::hours kRemembered{24};
// So far the clocks of daemons may be apart. What was noted at a later moment than that was noted before the
// time of day was set back, and nobody can say how long ago.
constexpr std::chrono::minutes kApart{1};
constexpr char const* kColumns =
    "SELECT session_id,subject,name,role,vendor_id,created,expires,last_used,ended FROM sessions";

std::int64_t millis(TimePoint when) { return when.time_since_epoch().count(); }

TimePoint timeAt(store::Row const& row, std::size_t column) {
  return TimePoint(Milliseconds(row.integer(column)));
}

Result<Session> sessionFrom(store::Row const& row) {
  Session session;
  session.id = row.text(0);
  session.subject = row.text(1);
  session.name = row.text(2);
  auto const role = roleNamed(row.text(3));
  if (!role)
    return Error(ErrorKind::unsupported,
                 "the session " + session.id + " has a role that this version does not know");
  session.role = *role;
  session.vendor_id = row.text(4);
  session.created = timeAt(row, 5);
  session.expires = timeAt(row, 6);
  session.last_used = timeAt(row, 7);
  if (!row.isNull(8)) session.ended = timeAt(row, 8);
  return session;
}

class StoredSessions final : public Sessions {
public:
  explicit StoredSessions(SessionDependencies with) : with_(std::move(with)) {}

  Task<void> begin(std::string hash) override {
    auto const now = with_.clock.now();
    store::Unit unit;
    unit.emplace_back("DELETE FROM sign_ins WHERE expires<=$1 OR expires>$2",
                      Values{millis(now), millis(latest(now))});
    unit.push_back(store::Statement("INSERT INTO sign_ins (hash,expires) VALUES ($1,$2)",
                                    Values{std::move(hash), millis(now + with_.times.sign_in)})
                       .expecting(1));
    CO_TRY_VOID(co_await with_.store.commit(std::move(unit)));
    co_return Result<void>();
  }

  Task<bool> take(std::string hash) override {
    auto const now = with_.clock.now();
    store::Unit unit;
    unit.emplace_back("DELETE FROM sign_ins WHERE hash=$1 AND expires>$2 AND expires<=$3",
                      Values{std::move(hash), millis(now), millis(latest(now))});
    CO_TRY(done, co_await with_.store.commit(std::move(unit)));
    co_return done.front().affected == 1;
  }

  Task<OpenedSession> open(NewSession wish) override {
    if ((wish.role == Role::vendor) == wish.vendor_id.empty())
      co_return Error(ErrorKind::invalidInput, "a session has a vendor if and only if its role is vendor");
    auto opened = made(std::move(wish));
    auto const& session = opened.session;
    store::Unit unit;
    unit.emplace_back("DELETE FROM sessions WHERE expires<=$1",
                      Values{millis(session.created - kRemembered)});
    unit.push_back(endThoseOfLater(session.created));
    unit.push_back(
        store::Statement("INSERT INTO sessions (session_id,hash,subject,name,role,vendor_id,created,"
                         "expires,last_used) VALUES ($1,$2,$3,$4,$5,$6,$7,$8,$7)",
                         Values{session.id, hashOf(opened.text.reveal()), session.subject, session.name,
                                std::string(name(session.role)), session.vendor_id, millis(session.created),
                                millis(session.expires)})
            .expecting(1));
    tell(unit, "sign_in", session);
    CO_TRY_VOID(co_await with_.store.commit(std::move(unit)));
    co_return opened;
  }

  Task<SessionAdmission> admit(std::string hash) override {
    store::Statement asked(std::string(kColumns) + " WHERE hash=$1", Values{std::move(hash)});
    CO_TRY(found, co_await with_.store.read(std::move(asked)));
    SessionAdmission admission;
    if (found.rows.empty()) co_return admission;
    CO_TRY(session, sessionFrom(found.rows.front()));
    auto const now = with_.clock.now();
    admission.outcome = outcomeOf(session, now);
    admission.session = session;
    if (isOfLater(session, now) && admission.outcome == Outcome::expired) {
      store::Unit unit;
      unit.push_back(endThoseOfLater(now));
      CO_TRY_VOID(co_await with_.store.commit(std::move(unit)));
    }
    if (admission.outcome != Outcome::letIn) co_return admission;
    auto noting = noteUse(std::move(session), now);
    co_await std::move(noting);
    co_return admission;
  }

  Task<std::vector<SessionAdmission>> some(std::vector<std::string> ids) override {
    auto const now = with_.clock.now();
    std::vector<SessionAdmission> admissions;
    for (std::size_t from = 0; from < ids.size(); from += kIdsOfQuery) {
      CO_TRY(found, co_await with_.store.read(ofIds(kColumns, "session_id", ids, from)));
      for (auto const& row : found.rows) {
        CO_TRY(session, sessionFrom(row));
        auto const outcome = outcomeOf(session, now);
        admissions.push_back(SessionAdmission{outcome, std::move(session)});
      }
    }
    co_return admissions;
  }

  Task<std::vector<Session>> list(std::string after_id, int limit) override {
    auto const now = with_.clock.now();
    store::Statement asked(std::string(kColumns) +
                               " WHERE session_id>$1 AND ended IS NULL AND expires>$2 AND "
                               "last_used>$3 AND last_used<=$4 ORDER BY session_id LIMIT $5",
                           Values{std::move(after_id), millis(now), millis(now - with_.times.idle),
                                  millis(now + kApart), static_cast<std::int64_t>(limit)});
    CO_TRY(found, co_await with_.store.read(std::move(asked)));
    std::vector<Session> sessions;
    for (auto const& row : found.rows) {
      CO_TRY(session, sessionFrom(row));
      sessions.push_back(std::move(session));
    }
    co_return sessions;
  }

  Task<Session> end(std::string id) override {
    store::Statement asked(std::string(kColumns) + " WHERE session_id=$1", Values{id});
    CO_TRY(found, co_await with_.store.read(std::move(asked)));
    if (found.rows.empty()) co_return Error(ErrorKind::notFound, "there is no session " + id);
    CO_TRY(session, sessionFrom(found.rows.front()));
    if (session.ended) co_return session;
    session.ended = with_.clock.now();
    store::Unit unit;
    unit.push_back(store::Statement("UPDATE sessions SET ended=$2 WHERE session_id=$1 AND ended IS NULL",
                                    Values{session.id, millis(*session.ended)})
                       .expecting(1));
    tell(unit, "sign_out", session);
    CO_TRY_VOID(co_await with_.store.commit(std::move(unit)));
    co_return session;
  }

  SessionTimes times() const override { return with_.times; }

private:
  Outcome outcomeOf(Session const& session, TimePoint now) const {
    if (session.ended) return Outcome::ended;
    bool const over = session.expires <= now || session.last_used + with_.times.idle <= now;
    return over || isOfLater(session, now) ? Outcome::expired : Outcome::letIn;
  }

  static bool isOfLater(Session const& session, TimePoint now) { return session.last_used > now + kApart; }
  // They do not come back when it is that late again.
  static store::Statement endThoseOfLater(TimePoint now) {
    return store::Statement("UPDATE sessions SET expires=$1 WHERE expires>$1 AND last_used>$2",
                            Values{millis(now), millis(now + kApart)});
  }
  // That a sign-in which begins now may end.
  TimePoint latest(TimePoint now) const { return now + with_.times.sign_in + kApart; }

  void tell(store::Unit& unit, std::string_view act, Session const& session) const {
    if (with_.told) unit.push_back(with_.told(act, session));
  }

  OpenedSession made(NewSession wish) {
    OpenedSession opened;
    opened.session.id = newId("ses", with_.clock, with_.random);
    opened.session.subject = std::move(wish.subject);
    opened.session.name = std::move(wish.name);
    opened.session.role = wish.role;
    opened.session.vendor_id = std::move(wish.vendor_id);
    opened.session.created = opened.session.last_used = with_.clock.now();
    opened.session.expires = opened.session.created + with_.times.life;
    opened.text = newSessionKey(with_.random);
    return opened;
  }

  // Whoever is signed in is let in, whether the use could be written or not.
  asio::awaitable<void> noteUse(Session session, TimePoint now) {
    if (now - session.last_used < kUseNotedEvery) co_return;
    store::Unit unit;
    unit.emplace_back("UPDATE sessions SET last_used=$2 WHERE session_id=$1 AND last_used<=$3",
                      Values{session.id, millis(now), millis(now - kUseNotedEvery)});
    auto committing = with_.store.commit(std::move(unit));
    auto const written = co_await std::move(committing);
    if (written) co_return;
    with_.log.warn("the use of a session could not be noted",
                   json::object{{"session", session.id}, {"why", written.error().message}});
  }

  SessionDependencies with_;
};

} // namespace

std::unique_ptr<Sessions> Sessions::create(SessionDependencies with) {
  return std::make_unique<StoredSessions>(std::move(with));
}

store::Unit endAllSessions(TimePoint now) {
  store::Unit unit;
  unit.emplace_back("DELETE FROM sign_ins", Values());
  unit.emplace_back("UPDATE sessions SET ended=$1 WHERE ended IS NULL", Values{millis(now)});
  return unit;
}

} // namespace garland::access
