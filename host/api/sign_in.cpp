// The key of the file is known by heart and never has to wait: nobody can guess it, so nobody can lock its
// holder out. Nor has a key to wait that was let in a while ago.
#include "host/api/sign_in.h"

#include "host/api/cookies.h"
#include "host/egress/egress.h"

#include <boost/asio/ip/address.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>

#include <algorithm>

namespace garland::api {

namespace {

// A caller that comes again within this time is still the same one.
constexpr std::chrono::minutes kStays{10};
constexpr std::size_t kMostFamiliar = 10'000; // keys

bool isBearer(std::string_view authorization) {
  constexpr std::string_view scheme = "bearer ";
  if (authorization.size() <= scheme.size()) return false;
  for (std::size_t i = 0; i < scheme.size(); ++i) {
    char const c = authorization[i];
    if ((c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c) != scheme[i]) return false;
  }
  return true;
}

// "": none was shown.
std::string_view shownKey(Request const& request) {
  if (auto const* direct = request.header("x-api-key")) return *direct;
  auto const* authorization = request.header("authorization");
  if (authorization == nullptr || !isBearer(*authorization)) return {};
  return std::string_view(*authorization).substr(std::string_view("bearer ").size());
}

Error missing(Route const& route, Request const& request) {
  if (route.ticket && namesTicket(request))
    return Error(ErrorKind::forbidden,
                 "the ticket is not valid, was used, or is too old: get another by POST "
                 "/api/integrations/stream/tickets");
  return Error(ErrorKind::forbidden,
               "the API key is missing or wrong: send the content of the daemon's api.key file, or a key "
               "made by `garland keys add`, as \"Authorization: Bearer gk_...\"");
}

Error tooMany(Milliseconds wait) {
  Error error(ErrorKind::rateLimited,
              "too many wrong API keys came from there: no key is looked at for a while");
  error.retry_after = wait;
  return error;
}

} // namespace

bool namesTicket(Request const& request) {
  return std::ranges::any_of(request.query,
                             [](auto const& parameter) { return parameter.first == "ticket"; });
}

std::string placeOf(std::string const& address) {
  boost::system::error_code unknown;
  auto const parsed = asio::ip::make_address(address, unknown);
  if (unknown || parsed.is_v4()) return address;
  auto bytes = parsed.to_v6().to_bytes();
  if (parsed.to_v6().is_v4_mapped())
    return asio::ip::make_address_v4(asio::ip::v4_mapped, parsed.to_v6()).to_string();
  std::fill(bytes.begin() + 8, bytes.end(), static_cast<unsigned char>(0));
  return asio::ip::address_v6(bytes).to_string() + "/64";
}

// Keys that are being looked up, and those that were wrong. Whoever looks may outlive the door.
struct SignIn::Lookups {
  explicit Lookups(Clock const& clock) : attempts(clock) {}
  access::Attempts attempts;
  std::map<std::string, int, std::less<>> under_way; // by place
  std::optional<asio::steady_timer> one_ended;       // made for the first who waits for that
};

// One of them. It counts as wrong until it is known not to be, so that many at once are no more than many in
// a row.
class SignIn::Lookup {
public:
  Lookup(std::shared_ptr<Lookups> all, std::string place) : all_(std::move(all)), place_(std::move(place)) {
    all_->attempts.failed(place_);
    ++all_->under_way[place_];
  }
  ~Lookup() {
    if (!was_wrong) all_->attempts.forgive(place_);
    auto const found = all_->under_way.find(place_);
    if (--found->second == 0) all_->under_way.erase(found);
    if (all_->one_ended) all_->one_ended->cancel();
  }
  Lookup(Lookup const&) = delete;
  Lookup& operator=(Lookup const&) = delete;

  bool was_wrong = false;

private:
  std::shared_ptr<Lookups> all_;
  std::string place_;
};

std::shared_ptr<SignIn::Lookups> SignIn::newLookups(Clock const& clock) {
  return std::make_shared<Lookups>(clock);
}

// How long no key from there is looked at; told when no other from there, which may be right, is under way.
asio::awaitable<Milliseconds> SignIn::waitOf(std::string place, std::string hash) {
  auto const lookups = lookups_;
  for (;;) {
    auto const wait = lookups->attempts.wait(place);
    if (wait == Milliseconds(0) || isFamiliar(hash)) co_return Milliseconds(0);
    if (!lookups->under_way.contains(place)) co_return wait;
    auto const executor = co_await asio::this_coro::executor;
    if (!lookups->one_ended) lookups->one_ended.emplace(executor, asio::steady_timer::time_point::max());
    boost::system::error_code ignored;
    co_await lookups->one_ended->async_wait(asio::redirect_error(asio::use_awaitable, ignored));
  }
}

bool SignIn::isFamiliar(std::string const& hash) const {
  auto const found = let_in_.find(hash);
  return found != let_in_.end() && clock_.monotonic() - found->second < kStays;
}

// Told once for as long as it goes on.
Admitted SignIn::letIn(access::Caller caller, std::string const& hash) {
  bool const stayed = isFamiliar(hash);
  if (!stayed && let_in_.size() >= kMostFamiliar) let_in_.clear();
  let_in_[hash] = clock_.monotonic();
  if (watch_ != nullptr && !stayed) watch_->letIn(caller);
  Admitted admitted;
  admitted.caller = std::move(caller);
  return admitted;
}

Admitted SignIn::refuse(Route const& route, Request const& request, Refusal refusal, int status,
                        Error error) {
  refusal.address = placeOf(request.peer);
  if (watch_ != nullptr) watch_->refused(&route, status, std::move(refusal));
  Admitted admitted;
  admitted.status = status;
  admitted.error = std::move(error);
  return admitted;
}

Admitted SignIn::refuseWrong(Route const& route, Request const& request) {
  return refuse(route, request, Refusal("wrong_key"), 401, missing(route, request));
}

Admitted SignIn::judge(Route const& route, Request const& request, access::Admission admission,
                       std::string const& hash) {
  using Outcome = access::Admission::Outcome;
  auto const& key = admission.key;
  switch (admission.outcome) {
  case Outcome::letIn: return letIn(access::Caller(key.id, *key.role, key.vendor_id), hash);
  // Whoever shows one that was good is not guessing.
  case Outcome::expired:
    return refuse(route, request, Refusal("expired", key.id), 401,
                  Error(ErrorKind::forbidden, "the API key " + key.id + " has expired on " +
                                                  rfc3339(key.expires).substr(0, 10) +
                                                  ": ask an operator for another"));
  case Outcome::revoked:
    return refuse(
        route, request, Refusal("revoked", key.id), 401,
        Error(ErrorKind::forbidden, "the API key " + key.id + " was revoked: ask an operator for another"));
  case Outcome::roleUnknown:
    return refuse(route, request, Refusal("role", key.id), 403,
                  Error(ErrorKind::forbidden, "the API key " + key.id +
                                                  " has a role that this version of Garland does not know: "
                                                  "ask an operator for another"));
  case Outcome::unknown: break;
  }
  return refuseWrong(route, request);
}

Admitted SignIn::judge(Route const& route, Request const& request, access::SessionAdmission admission,
                       std::string const& hash) {
  using Outcome = access::SessionAdmission::Outcome;
  auto const& session = admission.session;
  Error const over(ErrorKind::forbidden, "you are not signed in any more: sign in again at /sign-in");
  switch (admission.outcome) {
  case Outcome::letIn: {
    access::Caller caller(session.id, session.role, session.vendor_id);
    caller.person = session.subject;
    return letIn(std::move(caller), hash);
  }
  case Outcome::expired: return refuse(route, request, Refusal("session_expired", session.id), 401, over);
  case Outcome::ended: return refuse(route, request, Refusal("signed_out", session.id), 401, over);
  case Outcome::unknown: break;
  }
  return refuse(route, request, Refusal("wrong_session"), 401, over);
}

// A browser adds the cookie to whatever a page of anybody has it send. It does not let that page name the
// header X-Garland, and it says where the page is from; SameSite=Strict keeps the cookie from most of them.
bool SignIn::comesFromOurPages(Request const& request) const {
  auto const* const origin = request.header("origin");
  if (origin != nullptr && !egress::haveSameOrigin(*origin, origin_)) return false;
  bool const reads = request.method == "GET" || request.method == "HEAD";
  return reads || request.header("x-garland") != nullptr;
}

asio::awaitable<Admitted> SignIn::admitSession(Route const* route, Request const* request,
                                               std::string cookie) {
  auto const place = placeOf(request->peer);
  auto const hash = access::hashOf(cookie);
  auto waiting = waitOf(place, hash);
  auto const wait = co_await std::move(waiting);
  if (wait > Milliseconds(0)) co_return refuse(*route, *request, Refusal("too_many"), 429, tooMany(wait));
  if (!comesFromOurPages(*request))
    co_return refuse(*route, *request, Refusal("other_site"), 403,
                     Error(ErrorKind::forbidden, "a change by somebody who is signed in needs the header "
                                                 "X-Garland: 1, from a page of this daemon's own address"));
  std::optional<Lookup> lookup; // none: it was let in before
  if (!isFamiliar(hash)) lookup.emplace(lookups_, place);
  auto asking = sessions_->admit(hash);
  auto admission = co_await std::move(asking);
  if (!admission) co_return refuse(*route, *request, Refusal("not_known"), 0, std::move(admission).error());
  if (lookup) lookup->was_wrong = admission->outcome == access::SessionAdmission::Outcome::unknown;
  co_return judge(*route, *request, std::move(*admission), hash);
}

asio::awaitable<Admitted> SignIn::admit(Route const* route, Request const* request, std::string file_hash) {
  auto const shown = shownKey(*request);
  auto cookie = cookieNamed(*request, kSessionCookie);
  if (shown.empty() && sessions_ != nullptr && access::isSessionKey(cookie)) {
    auto admitting = admitSession(route, request, std::move(cookie));
    co_return co_await std::move(admitting);
  }
  if (shown.empty()) {
    auto const why = namesTicket(*request) ? "ticket" : "no_key";
    co_return refuse(*route, *request, Refusal(why), 401, missing(*route, *request));
  }
  auto const hash = access::hashOf(shown);
  if (access::matches(shown, file_hash))
    co_return letIn(access::Caller(std::string(access::kFileKey), access::Role::operator_), hash);
  auto const place = placeOf(request->peer);
  auto waiting = waitOf(place, hash);
  auto const wait = co_await std::move(waiting);
  if (wait > Milliseconds(0)) co_return refuse(*route, *request, Refusal("too_many"), 429, tooMany(wait));
  if (keys_ == nullptr || !access::isApiKey(shown)) {
    lookups_->attempts.failed(place);
    co_return refuseWrong(*route, *request);
  }
  std::optional<Lookup> lookup; // none: it was let in before
  if (!isFamiliar(hash)) lookup.emplace(lookups_, place);
  auto asking = keys_->admit(hash);
  auto admission = co_await std::move(asking);
  if (!admission) co_return refuse(*route, *request, Refusal("not_known"), 0, std::move(admission).error());
  if (lookup) lookup->was_wrong = admission->outcome == access::Admission::Outcome::unknown;
  co_return judge(*route, *request, std::move(*admission), hash);
}

} // namespace garland::api
