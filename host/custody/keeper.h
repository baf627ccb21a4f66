// The loop of a move, and files that come and go.
#pragma once

#include "host/custody/mover.h"

#include <boost/asio/cancellation_signal.hpp>
#include <boost/asio/steady_timer.hpp>

#include <memory>
#include <string>

namespace garland::custody {

class Keeper final : public Custody, public std::enable_shared_from_this<Keeper> {
public:
  explicit Keeper(Dependencies with)
      : with_(std::move(with)), moves_(with_), mover_(with_),
        ended_(with_.executor, asio::steady_timer::time_point::max()) {}

  Task<Status> status() override;
  Task<Status> rekey() override;
  Task<std::string> exportFile(Secret passphrase) override;
  Task<std::vector<Imported>> importFile(std::string name, Secret passphrase) override;
  Task<void> start() override;
  asio::awaitable<void> stop() override;

private:
  void goOn();
  asio::awaitable<void> loop();
  Milliseconds pauseAfter(Result<Step> const& step);
  Result<void> makeFolder() const;

  Dependencies with_;
  Moves moves_;
  Mover mover_;
  asio::cancellation_signal stop_loop_;
  asio::steady_timer ended_; // never expires by itself
  bool running_ = false;
  bool wanted_ = false; // a step at least is to be looked for
  bool stopping_ = false;
};

} // namespace garland::custody
