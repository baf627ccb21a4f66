#include "host/oauth/keeper.h"

#include "host/base/ids.h"
#include "host/oauth/assertion.h"
#include "host/oauth/request.h"

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/use_awaitable.hpp>

#include <algorithm>
#include <exception>

namespace garland::oauth {
namespace {

constexpr Milliseconds kLook{250};      // how another daemon's renewal comes on
constexpr Milliseconds kKeepAgain{500}; // the database is away
// A request that has less time left than that is not begun.
constexpr Milliseconds kLeastTime{1'000};
// What runs out so soon may be refused by the time that it arrives.
constexpr Milliseconds kSlack{5'000};

// What took the place of a refused token and is refused so soon lacks rights, not life: asking for another
// one each time would only hammer the provider. Not longer than that: of a token whose life nobody told, the
// next refusal may be its end.
constexpr Milliseconds kRefusedAgain{60'000};

std::string keyOf(Place const& place) {
  return place.vendor_id + "/" + place.connection_id + "/" + place.slot;
}

// Another secret is another client: what was refused of the former one is forgotten.
std::string appOf(Use const& use) {
  return vault::sha256Hex(use.app + "\n" + use.client_id + "\n" + std::string(use.client_secret.reveal()));
}

// What goes with the request as the token.
Result<Secret> tokenFor(Use const& use, Grant const& grant, Attempt const& attempt) {
  if (use.provider.renew_by == Provider::RenewBy::assertion)
    return assertionFor(use, attempt.id, attempt.begun);
  return grant.renewal.clone();
}

// Nothing was given by which it could be renewed.
bool cannotBeRenewed(Use const& use, Grant const& grant) {
  return use.provider.renew_by == Provider::RenewBy::refresh && grant.renewal.empty();
}

Answer nothingToRenewBy() {
  Answer answer;
  answer.verdict = Verdict::grantRefused;
  answer.why = "it gave no token by which it could be renewed";
  return answer;
}

Error over(Status const& status) { return Error(ErrorKind::authExpired, status.cause); }

Error later(std::string message, std::optional<Milliseconds> wait) {
  Error error(ErrorKind::transient, std::move(message));
  error.retry_after = wait;
  return error;
}

// Of no use to whoever tries again before.
Error leftAlone(Status const& status, TimePoint now) {
  return later(status.cause + "; it is left alone until " + rfc3339(*status.next_try),
               *status.next_try - now);
}

} // namespace

std::shared_ptr<Tokens> Tokens::create(Dependencies dependencies) {
  return std::make_shared<Keeper>(std::move(dependencies));
}

store::Unit Tokens::forget(std::string const& vendor_id, std::string const& connection_id) {
  store::Unit unit;
  for (auto const* table : {"oauth_replies", "oauth_grants"})
    unit.emplace_back("DELETE FROM " + std::string(table) + " WHERE vendor_id=$1 AND connection_id=$2",
                      std::vector<store::Value>{vendor_id, connection_id});
  return unit;
}

Task<void> Tokens::forgetStrayReplies(store::Store* store) {
  std::string const stray = " FROM oauth_replies WHERE NOT EXISTS (SELECT 1 FROM oauth_grants g WHERE "
                            "g.vendor_id=oauth_replies.vendor_id AND "
                            "g.connection_id=oauth_replies.connection_id AND g.slot=oauth_replies.slot)";
  store::Statement query("SELECT 1" + stray + " LIMIT 1");
  CO_TRY(some, co_await store->read(std::move(query)));
  if (some.rows.empty()) co_return Result<void>(); // who has nothing to forget writes nothing
  store::Unit unit;
  unit.emplace_back("DELETE" + stray);
  CO_TRY_VOID(co_await store->commit(std::move(unit)));
  co_return Result<void>();
}

Keeper::Keeper(Dependencies dependencies)
    : with_(std::move(dependencies)), grants_(with_.store, with_.vault, with_.told) {}

Task<Secret> Keeper::fresh(Use use) {
  auto const self = shared_from_this();
  auto const asked = std::make_shared<Use const>(std::move(use));
  auto const give_up = with_.clock.monotonic() + with_.limits.patience;
  for (;;) {
    CO_TRY(grant, co_await grants_.read(asked->place));
    if (!grant.isDue(with_.clock.now())) co_return std::move(grant.access);
    auto const moved = co_await renewal(asked);
    if (moved && *moved == Moved::renewed) {
      CO_TRY(renewed, co_await grants_.read(asked->place));
      co_return std::move(renewed.access);
    }
    bool const goes_on = moved && *moved == Moved::changed;
    if (!goes_on && grant.isValid(with_.clock.now() + kSlack)) co_return std::move(grant.access);
    if (!moved) co_return moved.error();
    if (with_.clock.monotonic() >= give_up)
      co_return later("the sign-in is being renewed, and no answer has come yet", with_.limits.answer_within);
    if (goes_on) continue;
    CO_TRY_VOID(co_await with_.clock.sleepFor(kLook));
  }
}

// Joins the one under way. It goes on if its caller is cancelled: its answer may be the only live token.
Task<Keeper::Moved> Keeper::renewal(Asked use) {
  auto const key = keyOf(use->place);
  auto flight = flights_[key];
  if (!flight) {
    if (stopping_) {
      flights_.erase(key);
      co_return Error(ErrorKind::cancelled, "the daemon is stopping");
    }
    flight = std::make_shared<Flight>(with_.executor);
    flights_[key] = flight;
    auto flying = fly(use, key, flight);
    asio::co_spawn(with_.executor, std::move(flying), [self = shared_from_this()](std::exception_ptr failed) {
      if (failed) std::rethrow_exception(failed);
    });
  }
  boost::system::error_code ended;
  if (!flight->came_to) co_await flight->ended.async_wait(asio::redirect_error(asio::use_awaitable, ended));
  if (!flight->came_to) co_return Error(ErrorKind::cancelled, "the wait was cancelled");
  co_return *flight->came_to;
}

asio::awaitable<void> Keeper::fly(Asked use, std::string key, std::shared_ptr<Flight> flight) {
  auto moved = co_await moveOn(std::move(use));
  flight->came_to.emplace(std::move(moved));
  flights_.erase(key);
  flight->ended.cancel();
}

// What was kept goes before all else, even of a grant that is given up: a late answer may hold the live
// token.
Task<Keeper::Moved> Keeper::moveOn(Asked use) {
  CO_TRY(grant, co_await grants_.read(use->place));
  if (!grant.isDue(with_.clock.now())) co_return Moved::renewed; // by somebody who was quicker
  CO_TRY(kept, co_await grants_.kept(&grant));
  if (!kept.empty()) co_return co_await settle(use, &grant, std::move(kept));
  CO_TRY_VOID(refuseUntilThen(grant));
  auto const now = with_.clock.now();
  if (!grant.attempt.id.empty() && now < grant.attempt.until) co_return Moved::waits;
  if (cannotBeRenewed(*use, grant)) {
    auto nothing = nothingToRenewBy();
    co_return co_await close(use, &grant, grant.attempt.id, std::move(nothing), now);
  }
  CO_TRY(refused, co_await grants_.refusedUntil(appOf(*use)));
  if (refused && now < *refused) {
    Error error(ErrorKind::forbidden, "the provider refuses the client id or the secret that " + use->app +
                                          " signs in with; check them there");
    error.retry_after = *refused - now;
    co_return error;
  }
  co_return co_await attempt(use, std::move(grant));
}

Result<void> Keeper::refuseUntilThen(Grant const& grant) const {
  if (grant.status.state == "reconnect needed") return over(grant.status);
  auto const now = with_.clock.now();
  if (grant.status.next_try && now < *grant.status.next_try)
    return later(grant.status.cause, *grant.status.next_try - now);
  return {};
}

// Answers that came, and of which nothing was made: their daemon ended between the two.
Task<Keeper::Moved> Keeper::settle(Asked use, Grant const* grant, std::vector<Kept> kept) {
  for (auto& one : kept) {
    auto answer = readAnswer(use->provider, one.reply);
    if (answer.verdict != Verdict::given && &one != &kept.back()) continue;
    co_return co_await close(use, grant, one.attempt, std::move(answer), one.asked);
  }
  co_return Moved::changed;
}

Task<Keeper::Moved> Keeper::attempt(Asked use, Grant grant) {
  if (!grant.attempt.id.empty()) doubtAttempt(grant);
  auto const now = with_.clock.now();
  Attempt begun;
  begun.id = newId("tok", with_.clock, with_.random);
  begun.node = with_.node;
  begun.begun = now;
  begun.until = now + with_.limits.answer_within + with_.limits.margin;
  CO_TRY(token, tokenFor(*use, grant, begun));
  auto const ends = with_.clock.monotonic() + with_.limits.answer_within;
  CO_TRY(mine, co_await grants_.begin(&grant, begun));
  if (!mine) co_return Moved::changed;
  grant.attempt = begun;
  ++grant.epoch;
  // A database that took its time leaves less for the provider, never more for both.
  auto const left = std::chrono::duration_cast<Milliseconds>(ends - with_.clock.monotonic());
  Result<egress::Response> fetched = Error(ErrorKind::transient, "the database was too slow to begin");
  if (left >= kLeastTime) {
    auto request = grant.redemption ? redemptionFor(*use, token, *grant.redemption, left)
                                    : requestFor(*use, token, left);
    fetched = co_await with_.egress.fetch(std::move(request.request), std::move(request.policy),
                                          std::move(request.credential));
  }
  if (!fetched) {
    auto none = noAnswer(fetched.error());
    co_return co_await close(use, &grant, begun.id, std::move(none), now);
  }
  Reply reply;
  reply.status = fetched->status;
  reply.retry_after = fetched->retry_after;
  reply.body = std::move(fetched->body);
  CO_TRY_VOID(co_await keep(&grant, reply));
  auto answer = readAnswer(use->provider, reply);
  wipe(reply.body.data(), reply.body.size());
  co_return co_await close(use, &grant, begun.id, std::move(answer), now);
}

// The token in it may be the only one that is good for anything, so it is not given up while this process
// lives.
Task<void> Keeper::keep(Grant const* grant, Reply reply) {
  for (;;) {
    auto const kept = co_await grants_.keep(grant, reply);
    if (kept) break;
    if (kept.error().kind == ErrorKind::cancelled) co_return kept.error(); // the store is closed
    with_.log.error("what a provider answered to a renewal cannot be kept, and is tried again: " +
                        kept.error().message,
                    json::object{{"connection", grant->place.connection_id}});
    CO_TRY_VOID(co_await with_.clock.sleepFor(kKeepAgain));
  }
  wipe(reply.body.data(), reply.body.size());
  co_return Result<void>();
}

Task<Keeper::Moved> Keeper::close(Asked use, Grant const* grant, std::string attempt, Answer answer,
                                  TimePoint asked) {
  bool const client_refused = answer.verdict == Verdict::clientRefused;
  auto const app = appOf(*use);
  auto const now = with_.clock.now();
  auto after = afterwards(*grant, use->provider, std::move(answer), asked, now, with_.random);
  if (client_refused) {
    CO_TRY_VOID(co_await grants_.refuse(app, now + kClientPause));
  }
  bool const given = after.given;
  auto const status = after.status;
  CO_TRY(counts, co_await grants_.close(grant, std::move(attempt), std::move(after), app));
  if (counts) tell(*grant, status);
  if (!counts || !given) co_return Moved::changed;
  co_return Moved::renewed;
}

// Once for each change, not for each try.
void Keeper::tell(Grant const& grant, Status const& now) const {
  if (now.state == grant.status.state) return;
  json::object about{{"connection", grant.place.connection_id}, {"slot", grant.place.slot}};
  if (now.state == "connected")
    with_.log.info("a sign-in is renewed again", std::move(about));
  else
    with_.log.warn(now.cause, std::move(about));
}

// Of one token several requests may say it.
bool Keeper::isFirstRefusal(Place const& place, Secret const& access) {
  auto const now = with_.clock.monotonic();
  std::erase_if(refused_, [now](auto const& each) { return now - each.second.when >= kRefusedAgain; });
  Refusal refusal;
  refusal.token = vault::sha256Hex(access.reveal());
  refusal.when = now;
  auto const known = refused_.try_emplace(keyOf(place), refusal).first;
  return vault::equalInConstantTime(known->second.token, refusal.token);
}

Task<bool> Keeper::refused(Place place, Secret access) {
  auto const self = shared_from_this();
  CO_TRY(grant, co_await grants_.read(place));
  if (!vault::equalInConstantTime(grant.access.reveal(), access.reveal())) co_return true;
  // What has run out, on its way too, was refused for that, and is renewed anyway.
  bool const ran_out = grant.isDue(with_.clock.now());
  if (!ran_out && !isFirstRefusal(place, access)) co_return false;
  CO_TRY_VOID(co_await grants_.dueAtOnce(&grant, with_.clock.now(), true));
  co_return true;
}

Task<void> Keeper::renew(Use use) {
  auto const self = shared_from_this();
  auto const place = use.place;
  CO_TRY(before, co_await grants_.read(place));
  CO_TRY_VOID(co_await grants_.dueAtOnce(&before, with_.clock.now(), false));
  auto const had = co_await fresh(std::move(use));
  if (!had && had.error().kind != ErrorKind::transient) co_return had.error();
  // What was valid yet was good enough for that.
  CO_TRY(after, co_await grants_.read(place));
  auto const now = with_.clock.now();
  if (had && !after.isDue(now)) co_return Result<void>();
  if (after.status.state == "reconnect needed") co_return over(after.status);
  if (after.status.next_try && now < *after.status.next_try) co_return leftAlone(after.status, now);
  if (!had) co_return had.error();
  co_return later(after.status.cause, Milliseconds(0));
}

// The refresh token takes what came of it along; without one, the access token is what there is.
Task<void> Keeper::revoke(Use use) {
  auto const self = shared_from_this();
  if (use.provider.revoke_url.empty())
    co_return Error(ErrorKind::unsupported, "the provider takes nothing back on request: do it there, in the "
                                            "settings of the account");
  CO_TRY(grant, co_await grants_.read(use.place));
  bool const by_renewal =
      use.provider.renew_by == Provider::RenewBy::refresh && !grant.renewal.empty() && !grant.redemption;
  auto const& token = by_renewal ? grant.renewal : grant.access;
  if (token.empty()) co_return Result<void>();
  auto request = revocationFor(use, token, by_renewal, with_.limits.answer_within);
  CO_TRY(answer, co_await with_.egress.fetch(std::move(request.request), std::move(request.policy),
                                             std::move(request.credential)));
  if (answer.status == 200 || answer.status == 204) co_return Result<void>();
  bool const passes = answer.status >= 500 || answer.status == 429;
  co_return Error(passes ? ErrorKind::transient : ErrorKind::forbidden,
                  "it answered " + std::to_string(answer.status));
}

Task<Status> Keeper::status(Place place) {
  auto const self = shared_from_this();
  CO_TRY(grant, co_await grants_.read(std::move(place)));
  co_return std::move(grant.status);
}

Task<std::vector<Standing>> Keeper::all(std::string vendor_id, std::string connection_id) {
  auto const self = shared_from_this();
  co_return co_await grants_.standings(std::move(vendor_id), std::move(connection_id));
}

Result<store::Statement> Keeper::first(Place const& place, Secret const& token) {
  return grants_.first(place, token, nullptr, with_.clock.now());
}

Result<store::Statement> Keeper::first(Place const& place, Code const& code) {
  Redemption redemption;
  redemption.verifier = code.verifier.clone();
  redemption.redirect_uri = code.redirect_uri;
  return grants_.first(place, code.code, &redemption, with_.clock.now());
}

Result<store::Unit> Keeper::first(Place const& place, Provider const& provider, Given const& given) {
  Answer answer;
  answer.verdict = Verdict::given;
  answer.access = given.access.clone();
  answer.refresh = given.refresh.clone();
  answer.life = given.life;
  auto const now = with_.clock.now();
  auto const after = afterwards(Grant(), provider, std::move(answer), given.asked, now, with_.random);
  return grants_.given(place, after, now);
}

Task<store::Unit> Keeper::move(Place from, Place to) {
  auto const self = shared_from_this();
  CO_TRY(grant, co_await grants_.read(std::move(from)));
  co_return grants_.moved(grant, to);
}

Task<void> Keeper::stop() {
  auto const self = shared_from_this();
  stopping_ = true;
  boost::system::error_code ended;
  while (!flights_.empty()) {
    auto const flight = flights_.begin()->second;
    co_await flight->ended.async_wait(asio::redirect_error(asio::use_awaitable, ended));
  }
  co_return Result<void>();
}

} // namespace garland::oauth
