// Sign-ins on other devices: the rows of those that wait, and the questions to their providers.
#include "host/base/ids.h"
#include "host/oauth/authorization_rows.h"
#include "host/oauth/device_answer.h"
#include "host/oauth/request.h"

#include <algorithm>

namespace garland::oauth {
namespace {

using Values = std::vector<store::Value>;

constexpr std::int64_t kAtOnce = 32;
constexpr Milliseconds kSlower{5'000}; // RFC 8628, section 3.5
constexpr Milliseconds kMostWait{300'000};
// Nothing waits longer: what seems to was kept before the time of day was set back.
constexpr Milliseconds kLongest = kConnecting + Milliseconds(60'000);

enum Column : std::size_t {
  atVendor,
  atId,
  atPlugin,
  atState,
  atExpires,
  atSealed,
  atPause,
  atNext,
  atAsked
};

std::int64_t millis(TimePoint when) { return when.time_since_epoch().count(); }
TimePoint timeAt(store::Row const& row, std::size_t column) {
  return TimePoint(Milliseconds(row.integer(column)));
}
Values keysOf(Authorization const& one) { return {one.vendor_id, one.id}; }

Authorization authorizationFrom(store::Row const& row) {
  Authorization one;
  one.vendor_id = row.text(atVendor);
  one.id = row.text(atId);
  one.plugin_id = row.text(atPlugin);
  one.state = row.text(atState);
  one.expires = timeAt(row, atExpires);
  return one;
}

std::string doubtOf(std::string const& asked) {
  if (asked.empty()) return {};
  return "an answer to the daemon " + asked + " was lost before, and may have held the tokens";
}

Reply replyOf(egress::Response answer) {
  Reply reply;
  reply.status = answer.status;
  reply.retry_after = answer.retry_after;
  reply.body = std::move(answer.body);
  return reply;
}

// "": it goes on. Else nobody will connect the account any more.
std::string whyOver(Authorization const& one, TimePoint now) {
  if (one.state == "open" && now < one.expires) return {};
  if (one.state == "open") return "the code ran out before anybody let it in; begin the sign-in again";
  return kLeftBehind;
}

Task<DeviceWord> wordOf(egress::Client* egress, TokenRequest request, Provider const* provider) {
  auto fetched = co_await egress->fetch(std::move(request.request), std::move(request.policy),
                                        std::move(request.credential));
  if (!fetched) co_return noDeviceWord(fetched.error());
  auto reply = replyOf(std::move(*fetched));
  auto word = readDeviceWord(*provider, reply);
  wipe(reply.body.data(), reply.body.size());
  co_return Result<DeviceWord>(std::move(word));
}

} // namespace

Task<DeviceSignIn> Devices::begin(Use use, Secret errand) {
  DeviceSignIn out;
  auto& one = out.authorization;
  one.id = newId("aut", with_.clock, with_.random);
  one.vendor_id = use.place.vendor_id;
  one.plugin_id = use.app;
  one.state = "open";
  use.place.connection_id = one.id; // whose request it is, for the audit chain
  auto const asked = with_.clock.now();
  auto request = deviceRequestFor(use, with_.limits.answer_within);
  auto fetched = co_await with_.egress.fetch(std::move(request.request), std::move(request.policy),
                                             std::move(request.credential));
  if (!fetched) co_return fetched.error();
  auto reply = replyOf(std::move(*fetched));
  auto start = readDeviceStart(reply);
  wipe(reply.body.data(), reply.body.size());
  if (!start) co_return start.error();
  json::value kept = json::object{{"code", start->code.reveal()}, {"errand", errand.reveal()}};
  Secret const text(json::serialize(kept));
  wipeTexts(kept);
  CO_TRY(sealed, with_.vault.seal(text, contextOf(one)));
  one.expires = asked + start->life;
  auto const now = with_.clock.now();
  auto unit = begun(one, std::string(), std::move(sealed), now);
  unit.emplace_back(
      "INSERT INTO oauth_devices (vendor_id,authorization_id,pause,next_poll,asked) VALUES ($1,$2,$3,$4,'')",
      Values{one.vendor_id, one.id, start->pause.count(), millis(now + start->pause)});
  CO_TRY_VOID(co_await with_.store.commit(std::move(unit)));
  out.user_code = std::move(start->user_code);
  out.verification_uri = std::move(start->verification_uri);
  out.verification_uri_complete = std::move(start->verification_uri_complete);
  co_return Result<DeviceSignIn>(std::move(out));
}

Task<std::vector<Devices::Due>> Devices::due() {
  auto const now = with_.clock.now();
  auto const until = now + with_.limits.answer_within + with_.limits.margin;
  std::vector<Due> all;
  store::Statement query(
      "SELECT a.vendor_id, a.authorization_id, a.plugin_id, a.state, a.expires, a.sealed, d.pause, "
      "d.next_poll, d.asked FROM oauth_devices d JOIN oauth_authorizations a ON a.vendor_id=d.vendor_id AND "
      "a.authorization_id=d.authorization_id WHERE d.next_poll<=$1 OR d.next_poll>$2 ORDER BY d.next_poll "
      "LIMIT $3",
      Values{millis(now), millis(now + kLongest), kAtOnce});
  CO_TRY(rows, co_await with_.store.read(std::move(query)));
  for (auto const& row : rows.rows) {
    auto one = authorizationFrom(row);
    auto const why = whyOver(one, now);
    if (!why.empty()) {
      CO_TRY_VOID(co_await end(one, std::string(), why));
      continue;
    }
    auto const was = timeAt(row, atNext);
    CO_TRY(mine, co_await claim(&one, was, until));
    if (!mine) continue; // another daemon was quicker
    CO_TRY(kept, with_.vault.open(row.text(atSealed), contextOf(one)));
    CO_TRY(read, parseJson(kept.reveal()));
    Due due;
    due.authorization = std::move(one);
    due.code = Secret(textOr(read, "/code", ""));
    due.errand = Secret(textOr(read, "/errand", ""));
    due.pause = Milliseconds(row.integer(atPause));
    due.doubt = doubtOf(row.text(atAsked));
    due.until = until;
    wipeTexts(read);
    all.push_back(std::move(due));
  }
  co_return Result<std::vector<Due>>(std::move(all));
}

Task<bool> Devices::claim(Authorization const* one, TimePoint was, TimePoint until) {
  store::Unit unit;
  auto args = keysOf(*one);
  for (auto& more : Values{millis(was), millis(until), with_.node}) args.push_back(std::move(more));
  unit.emplace_back("UPDATE oauth_devices SET next_poll=$4, asked=$5 WHERE vendor_id=$1 AND "
                    "authorization_id=$2 AND next_poll=$3",
                    std::move(args));
  CO_TRY(done, co_await with_.store.commit(std::move(unit)));
  co_return done[0].affected == 1;
}

Task<std::optional<Given>> Devices::ask(Due const* due, Use use) {
  using Says = DeviceWord::Says;
  std::optional<Given> given;
  use.place.connection_id = due->authorization.id;
  auto const asked = with_.clock.now();
  auto request = pollFor(use, due->code, with_.limits.answer_within);
  CO_TRY(word, co_await wordOf(&with_.egress, std::move(request), &use.provider));
  auto const retry_after = word.answer.retry_after.value_or(Milliseconds(0));
  if (word.says == Says::given) {
    given.emplace();
    given->access = std::move(word.answer.access);
    given->refresh = std::move(word.answer.refresh);
    given->life = word.answer.life;
    given->asked = asked;
  } else if (word.says == Says::over) {
    if (!due->doubt.empty()) word.why += " (" + due->doubt + ")";
    CO_TRY_VOID(co_await end(due->authorization, std::string(), std::move(word.why)));
  } else if (word.says == Says::later) {
    auto const wait = std::max(due->pause * 2, retry_after);
    bool const in_doubt = word.in_doubt || !due->doubt.empty();
    CO_TRY_VOID(co_await askAgain(due, due->pause, wait, in_doubt));
  } else {
    auto const pause = word.says == Says::slower ? due->pause + kSlower : due->pause;
    auto const wait = std::max(pause, retry_after);
    CO_TRY_VOID(co_await askAgain(due, pause, wait, false));
  }
  co_return Result<std::optional<Given>>(std::move(given));
}

// `in_doubt`: if the provider refuses the code then, an answer that was lost may be why.
Task<void> Devices::askAgain(Due const* due, Milliseconds pause, Milliseconds wait, bool in_doubt) {
  auto args = keysOf(due->authorization);
  auto const next = with_.clock.now() + std::min(wait, kMostWait);
  std::string const asked = in_doubt ? with_.node : std::string();
  for (auto& more : Values{millis(due->until), std::min(pause, kMostWait).count(), millis(next), asked})
    args.push_back(std::move(more));
  store::Unit unit;
  unit.emplace_back("UPDATE oauth_devices SET pause=$4, next_poll=$5, asked=$6 WHERE vendor_id=$1 AND "
                    "authorization_id=$2 AND next_poll=$3",
                    std::move(args));
  CO_TRY_VOID(co_await with_.store.commit(std::move(unit)));
  co_return Result<void>();
}

store::Unit Devices::takes(Due const& due) const {
  auto args = keysOf(due.authorization);
  args.emplace_back(millis(due.until));
  args.emplace_back(millis(with_.clock.now() + kConnecting));
  store::Unit unit;
  unit.push_back(store::Statement("UPDATE oauth_devices SET next_poll=$4, asked='' WHERE vendor_id=$1 AND "
                                  "authorization_id=$2 AND next_poll=$3",
                                  std::move(args))
                     .expecting(1));
  unit.push_back(
      store::Statement("UPDATE oauth_authorizations SET state='redeeming', sealed='' WHERE vendor_id=$1 AND "
                       "authorization_id=$2 AND state='open'",
                       keysOf(due.authorization))
          .expecting(1));
  return unit;
}

Task<void> Devices::end(Authorization one, std::string connection_id, std::string cause) {
  std::string const came_to = connection_id.empty() ? "failed" : "connected";
  auto args = keysOf(one);
  for (auto& more : Values{came_to, std::move(cause), std::move(connection_id)})
    args.push_back(std::move(more));
  store::Unit unit;
  unit.emplace_back("UPDATE oauth_authorizations SET state=$3, cause=$4, connection_id=$5, sealed='' WHERE "
                    "vendor_id=$1 AND authorization_id=$2 AND state IN ('open','redeeming')",
                    std::move(args));
  unit.emplace_back("DELETE FROM oauth_devices WHERE vendor_id=$1 AND authorization_id=$2", keysOf(one));
  CO_TRY_VOID(co_await with_.store.commit(std::move(unit)));
  co_return Result<void>();
}

} // namespace garland::oauth
