// The door for those who follow the changes: who may, what they asked for, and all sessions that are open.
#pragma once

#include "host/api/api.h"
#include "host/api/http.h"
#include "host/api/stream_session.h"
#include "host/api/stream_tickets.h"

#include <boost/asio/cancellation_signal.hpp>

#include <functional>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <vector>

namespace garland::api {

// A stream that begins with the answer to a request.
struct StreamStart {
  StreamKind kind = StreamKind::eventStream;
  std::shared_ptr<realtime::Subscription> subscription; // null: what was asked for is gone
  std::string key_id;                                   // that it was asked for with, or its ticket
};

// [loop thread]
class StreamDoor final : public StreamKeeper {
public:
  StreamDoor(Dependencies const& with, StreamOptions const& options);
  ~StreamDoor() override;
  StreamDoor(StreamDoor const&) = delete;
  StreamDoor& operator=(StreamDoor const&) = delete;

  Task<Response> open(Request request);
  // invalidInput, with the kinds that there are, if one is none: nothing would ever come of it.
  Result<void> checkKinds(std::vector<std::string> const& kinds, std::string const& field) const;
  Result<StreamTickets::Ticket> issue(StreamTickets::Leave leave) { return tickets_.issue(std::move(leave)); }
  // Whether such a ticket can be redeemed now.
  bool knows(std::string_view ticket) { return tickets_.knows(ticket); }
  // What is to become of the connection of an answer that has a stream.
  std::function<void(Wire, std::string)> begin(Response response);
  realtime::Figures figures() const;
  // Tells all that it ends, closes their sockets, and takes nobody any more. At once.
  void stop();

  void ended(std::shared_ptr<StreamSession> session, std::string_view outcome) override;

private:
  realtime::Hub& hub();
  void admitOrigin(Request const& request, Response& response) const;
  // Outlives the door in whoever looks.
  struct Looker {
    asio::cancellation_signal stop;
    bool door_is_gone = false;
    bool asks_for_keys = false; // and for people's sessions
  };
  void lookLater();
  asio::awaitable<void> look(std::shared_ptr<Looker> looker);
  std::vector<std::string> keysShown() const;
  void lookAtKeys();
  // Those that count no more, and why.
  using Ended = std::map<std::string, std::string_view>;
  Task<Ended> endedKeys(std::vector<std::string> ids) const;
  Task<Ended> endedSessions(std::vector<std::string> ids) const;
  asio::awaitable<void> endOf(std::shared_ptr<Looker> looker, std::vector<std::string> shown);
  asio::awaitable<void> endForKeys(std::shared_ptr<Looker> looker, Task<Ended> asking);

  Dependencies const& with_;
  StreamOptions options_;
  StreamTickets tickets_;
  std::shared_ptr<realtime::Hub> hub_; // made for the first subscriber
  std::set<std::shared_ptr<StreamSession>> sessions_;
  std::shared_ptr<Looker> const looker_ = std::make_shared<Looker>();
  bool looking_ = false;
  bool stopped_ = false;
};

} // namespace garland::api
