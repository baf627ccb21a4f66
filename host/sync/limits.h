// How fast providers are asked: every request of a connector waits here until its connection, and the app
// whose key it comes with, may ask once more. Who waits for the same app goes by priority.
#pragma once

#include "host/base/task.h"
#include "host/sync/pace.h"
#include "host/sync/priority.h"
#include "host/sync/waiting.h"

#include <map>
#include <memory>
#include <optional>
#include <string>

namespace garland::sync {

// [loop thread]
class Limits {
public:
  Limits(asio::any_io_executor executor, Clock& clock) : executor_(std::move(executor)), clock_(clock) {}

  struct Asker {
    std::string connection_id;
    std::optional<runtime::RequestLimit> of_connection;
    std::string app; // whatever names the key; "": none that the manifest limits
    std::optional<runtime::RequestLimit> of_app;
    Priority priority = Priority::normal;
    bool can_stop = false; // it goes on another time, and nothing is lost
  };
  // Answers when the request may go. `rateLimited`, with the effect not applied and with retry_after, if that
  // is not within `patience`; `cancelled` once there is no time left for anybody.
  Task<void> enter(Asker asker, Milliseconds patience);
  // To be told of every answer.
  void answered(Asker const& asker, Pace::Seen const& seen);

  // The provider wants the connection to leave it alone for so long.
  std::optional<Milliseconds> closedFor(std::string const& connection_id) const;
  // Whoever waits and can stop, now or later, is sent away.
  void stop();

  struct Figures {
    std::size_t waiting = 0;   // requests
    std::size_t paces = 0;     // connections and apps that were asked lately
    std::uint64_t waited = 0;  // requests that could not go at once, ever
    std::uint64_t refused = 0; // ... and those that waited in vain, or could not even wait
  };
  Figures figures() const;

private:
  struct Turn {
    Turn(asio::any_io_executor const& executor, bool leaves)
        : called(std::make_shared<Event>(executor)), can_stop(leaves) {}
    std::shared_ptr<Event> called;
    bool can_stop;
    bool admitted = false;
  };
  struct Gate {
    Gate(std::optional<runtime::RequestLimit> const& limit, Monotonic now) : pace(limit, now) {}
    Pace pace;
    PriorityQueue<std::shared_ptr<Turn>> waiting;
    std::optional<Alarm> alarm; // set as long as somebody waits
    std::string refused;        // an app's: the connection that was refused last
    Monotonic refused_until{0};
  };
  using Gates = std::map<std::string, Gate>;

  Task<void> pass(std::string name, std::optional<runtime::RequestLimit> limit, Asker const* asker,
                  Milliseconds patience);
  Gate& gate(std::string const& name, std::optional<runtime::RequestLimit> const& limit);
  void serve(std::string const& name);
  void forgetOneIdle();
  Error tooFast(Milliseconds wait, std::size_t others);

  asio::any_io_executor executor_;
  Clock& clock_;
  Gates gates_; // by "con_..." and by "app ..."
  std::string looked_at_;
  Figures figures_;
  bool stopped_ = false;
};

} // namespace garland::sync
