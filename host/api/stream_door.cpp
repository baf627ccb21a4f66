#include "host/api/stream_door.h"

#include "host/api/http_codec.h"
#include "host/api/problem.h"
#include "host/api/shapes.h"

#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/co_spawn.hpp>

#include <algorithm>
#include <charconv>
#include <map>

namespace garland::api {
namespace {

constexpr Milliseconds kLookEvery{1'000}; // for sessions that are late
constexpr int kLooksForKeys = 2;          // one in so many is for keys that count no more

bool containsWord(std::string const* list, std::string_view word) {
  if (list == nullptr) return false;
  auto const same = [](char a, char b) { return (a >= 'A' && a <= 'Z' ? a + 32 : a) == b; };
  return std::ranges::search(*list, word, same).begin() != list->end();
}

bool wantsWebSocket(Request const& request) { return containsWord(request.header("upgrade"), "websocket"); }

std::string_view nameOf(StreamKind kind) { return kind == StreamKind::webSocket ? "websocket" : "events"; }

// "" splits into nothing.
std::vector<std::string> words(std::string_view list) {
  std::vector<std::string> out;
  while (!list.empty()) {
    auto const end = std::min(list.find(','), list.size());
    if (end > 0) out.emplace_back(list.substr(0, end));
    list.remove_prefix(std::min(end + 1, list.size()));
  }
  return out;
}

// What a browser's EventSource says when it connects again wins over what it was told to ask for at first.
Result<std::optional<std::int64_t>> afterOf(Request const& request) {
  if (auto const* last = request.header("last-event-id"); last != nullptr && !last->empty()) {
    std::int64_t number = -1;
    auto const [end, code] = std::from_chars(last->data(), last->data() + last->size(), number);
    if (code != std::errc() || end != last->data() + last->size() || number < 0)
      return Error(ErrorKind::invalidInput, "Last-Event-ID must be the number of a change");
    return std::optional<std::int64_t>(number);
  }
  if (request.text("after").empty()) return std::optional<std::int64_t>();
  return std::optional<std::int64_t>(request.integer("after", 0));
}

Result<realtime::Filter> filterOf(Request const& request) {
  realtime::Filter filter;
  filter.vendor_id = request.text("vendor_id");
  filter.kinds = words(request.text("kinds"));
  filter.wedding = request.text("wedding");
  if (filter.vendor_id.empty())
    return Error(ErrorKind::invalidInput, "query parameter \"vendor_id\" is missing", "?vendor_id");
  TRY_VOID(requireId("ven", filter.vendor_id, "vendor"));
  if (!filter.wedding.empty()) {
    TRY_VOID(requireId("rec", filter.wedding, "wedding"));
  }
  return filter;
}

Response otherVersion(std::string const& request_id) {
  auto response =
      problem(Error(ErrorKind::unsupported, "only version 13 of WebSocket is spoken here"), request_id, 426);
  response.headers.emplace_back("sec-websocket-version", "13");
  return response;
}

} // namespace

StreamDoor::StreamDoor(Dependencies const& with, StreamOptions const& options)
    : with_(with), options_(options), tickets_(with.clock, with.random, options.ticket_life) {}

StreamDoor::~StreamDoor() {
  stop();
  looker_->door_is_gone = true;
}

realtime::Hub& StreamDoor::hub() {
  if (!hub_) {
    hub_ = realtime::Hub::create(
        {with_.executor, with_.clock, with_.log, realtime::feedOf(with_.engine), renderChange},
        options_.limits);
    with_.engine.onChange(this, [hub = hub_](std::string const& vendor_id) { hub->changed(vendor_id); });
  }
  return *hub_;
}

Result<void> StreamDoor::checkKinds(std::vector<std::string> const& kinds, std::string const& field) const {
  auto const& known = with_.record_schemas;
  for (auto const& kind : kinds) {
    if (std::ranges::any_of(known, [&](auto const& entry) { return entry.first == kind; })) continue;
    std::string names;
    for (auto const& [name, schema] : known) names += (names.empty() ? "" : ", ") + name;
    return Error(ErrorKind::invalidInput, "\"" + kind + "\" is no kind of record; there are " + names, field);
  }
  return {};
}

// Without these lines a browser keeps an event stream from a page of another origin; of a WebSocket it does
// not.
void StreamDoor::admitOrigin(Request const& request, Response& response) const {
  auto const* origin = request.header("origin");
  if (origin == nullptr || std::ranges::find(options_.origins, *origin) == options_.origins.end()) return;
  response.headers.emplace_back("access-control-allow-origin", *origin);
  response.headers.emplace_back("vary", "Origin");
}

Task<Response> StreamDoor::open(Request request) {
  bool const socket = wantsWebSocket(request);
  std::string accept;
  if (socket) {
    auto const* version = request.header("sec-websocket-version");
    if (version == nullptr || *version != "13") co_return otherVersion(request.id);
    auto const* key = request.header("sec-websocket-key");
    if (key != nullptr) accept = webSocketAccept(*key);
    if (accept.empty() || !containsWord(request.header("connection"), "upgrade"))
      co_return Error(ErrorKind::invalidInput, "this is no handshake of a WebSocket");
  }
  CO_TRY(after, afterOf(request));
  realtime::Filter filter;
  auto key_id = request.by_key;
  // Whoever names one asks for what it was issued for, with a key too; so an empty one is a wrong one.
  if (request.parameters.contains("ticket")) {
    auto redeemed = tickets_.redeem(request.text("ticket"));
    if (!redeemed)
      co_return problem(Error(ErrorKind::forbidden,
                              "the ticket is not valid, was used, or is too old: get another "
                              "by POST /api/integrations/stream/tickets"),
                        request.id, 401);
    filter = std::move(redeemed->filter);
    key_id = std::move(redeemed->key_id);
  } else {
    CO_TRY(asked, filterOf(request));
    CO_TRY_VOID(checkKinds(asked.kinds, "?kinds"));
    filter = std::move(asked);
  }
  Response response(socket ? 101 : 200);
  if (!socket) {
    response.content_type = "text/event-stream";
    admitOrigin(request, response);
  }
  if (request.method == "HEAD") co_return response;
  CO_TRY(subscribed, co_await hub().subscribe(std::move(filter), after));
  if (!subscribed.subscription && !socket)
    co_return gone(request.id, subscribed.span.first, subscribed.span.last);
  if (socket) {
    response.headers.emplace_back("upgrade", "websocket");
    response.headers.emplace_back("sec-websocket-accept", accept);
  }
  response.stream = std::make_shared<StreamStart>();
  response.stream->kind = socket ? StreamKind::webSocket : StreamKind::eventStream;
  response.stream->subscription = std::move(subscribed.subscription);
  response.stream->key_id = std::move(key_id);
  co_return response;
}

std::function<void(Wire, std::string)> StreamDoor::begin(Response response) {
  auto const stream = response.stream;
  return [this, stream, head = encodeStreamHead(response)](Wire wire, std::string early) {
    if (stopped_) return;
    StreamSession::Start start{stream->kind, std::move(stream->subscription), head,
                               std::move(stream->key_id)};
    auto session =
        std::make_shared<StreamSession>(std::move(wire), std::move(start), with_.clock, options_, *this);
    sessions_.insert(session);
    session->begin(early);
    lookLater();
  };
}

realtime::Figures StreamDoor::figures() const { return hub_ ? hub_->figures() : realtime::Figures(); }

void StreamDoor::ended(std::shared_ptr<StreamSession> session, std::string_view outcome) {
  sessions_.erase(session);
  with_.metrics.streamEnded(nameOf(session->kind()), outcome);
}

void StreamDoor::stop() {
  if (std::exchange(stopped_, true)) return;
  auto const all = sessions_;
  for (auto const& session : all) session->stop();
  looker_->stop.emit(asio::cancellation_type::all);
  if (!hub_) return;
  with_.engine.onChange(this, nullptr);
  hub_->stop();
}

void StreamDoor::lookLater() {
  if (std::exchange(looking_, true)) return;
  asio::co_spawn(with_.executor, look(looker_),
                 asio::bind_cancellation_slot(looker_->stop.slot(), [](std::exception_ptr) {}));
}

asio::awaitable<void> StreamDoor::look(std::shared_ptr<Looker> looker) {
  int looks = 0;
  while (!sessions_.empty()) {
    auto const slept = co_await with_.clock.sleepFor(kLookEvery);
    if (looker->door_is_gone) co_return;
    if (!slept) break;
    auto const all = sessions_;
    for (auto const& session : all) session->look();
    if (++looks % kLooksForKeys == 0) lookAtKeys();
  }
  looking_ = false;
}

// That of the file counts as long as this process.
std::vector<std::string> StreamDoor::keysShown() const {
  std::set<std::string> shown;
  for (auto const& session : sessions_)
    if (!session->keyId().empty() && session->keyId() != access::kFileKey) shown.insert(session->keyId());
  return {shown.begin(), shown.end()};
}

// Apart from the looks: they go on while the database does not answer.
void StreamDoor::lookAtKeys() {
  if (looker_->asks_for_keys) return;
  auto shown = keysShown();
  if (shown.empty()) return;
  looker_->asks_for_keys = true;
  asio::co_spawn(with_.executor, endOf(looker_, std::move(shown)),
                 [looker = looker_](std::exception_ptr) { looker->asks_for_keys = false; });
}

Task<StreamDoor::Ended> StreamDoor::endedKeys(std::vector<std::string> ids) const {
  Ended ended;
  for (auto const& id : ids) ended[id] = "key_revoked";
  auto const now = with_.clock.now();
  CO_TRY(found, co_await with_.keys->some(std::move(ids)));
  for (auto const& key : found) {
    auto const state = access::stateOf(key, now);
    if (state == "active") ended.erase(key.id);
    if (state == "expired") ended[key.id] = "key_expired";
  }
  co_return ended;
}

Task<StreamDoor::Ended> StreamDoor::endedSessions(std::vector<std::string> ids) const {
  using Outcome = access::SessionAdmission::Outcome;
  Ended ended;
  for (auto const& id : ids) ended[id] = "session_expired";
  CO_TRY(found, co_await with_.sessions->some(std::move(ids)));
  for (auto const& one : found) {
    if (one.outcome == Outcome::letIn) ended.erase(one.session.id);
    if (one.outcome == Outcome::ended) ended[one.session.id] = "signed_out";
  }
  co_return ended;
}

asio::awaitable<void> StreamDoor::endOf(std::shared_ptr<Looker> looker, std::vector<std::string> shown) {
  if (looker->door_is_gone) co_return; // it begins with a later turn of the loop
  std::vector<std::string> keys;
  std::vector<std::string> sessions;
  for (auto& id : shown) (id.starts_with("ses_") ? sessions : keys).push_back(std::move(id));
  if (with_.keys != nullptr && !keys.empty()) {
    auto ending = endForKeys(looker, endedKeys(std::move(keys)));
    co_await std::move(ending);
  }
  if (looker->door_is_gone || with_.sessions == nullptr || sessions.empty()) co_return;
  auto ending = endForKeys(looker, endedSessions(std::move(sessions)));
  co_await std::move(ending);
}

asio::awaitable<void> StreamDoor::endForKeys(std::shared_ptr<Looker> looker, Task<Ended> asking) {
  auto const ended = co_await std::move(asking);
  if (!ended || looker->door_is_gone) co_return;
  auto const all = sessions_;
  for (auto const& session : all)
    if (auto const why = ended->find(session->keyId()); why != ended->end()) session->endForKey(why->second);
}

} // namespace garland::api
