// The notifier in its parts: the loop (notifier.cpp), one attempt from its begin to what is kept of it
// (attempts.cpp), and what people ask for (requests.cpp). [loop thread]
#pragma once

#include "host/notify/deliveries.h"
#include "host/notify/endpoints.h"
#include "host/notify/line.h"

#include <boost/asio/cancellation_signal.hpp>
#include <boost/asio/steady_timer.hpp>

#include <map>
#include <memory>
#include <set>
#include <string>
#include <utility>

namespace garland::notify {

class FeedNotifier final : public Notifier {
public:
  explicit FeedNotifier(Dependencies dependencies)
      : with_(std::move(dependencies)), endpoints_(with_), deliveries_(with_),
        bell_(with_.executor, asio::steady_timer::time_point::max()),
        ended_(with_.executor, asio::steady_timer::time_point::max()) {}

  Task<WithSecret> add(NewEndpoint asked) override;
  Task<Endpoint> one(std::string id) override;
  Task<std::vector<Endpoint>> list(std::string vendor_id) override;
  Task<Endpoint> change(std::string id, EndpointChange change) override;
  Task<void> remove(std::string id) override;
  Task<WithSecret> rotate(std::string id, Milliseconds overlap) override;
  Task<Endpoint> enable(std::string id, bool from_now) override;
  Task<Endpoint> disable(std::string id, std::string why) override;
  Task<std::vector<Delivery>> deliveries(DeliveryQuery query) override;
  Task<DeliveryDetail> delivery(std::string endpoint_id, std::string id) override;
  Task<Delivery> resend(std::string endpoint_id, std::string id) override;
  Task<Resent> resendRange(ResendRange range) override;
  Task<Counts> counts() override;

  void changed(std::string const& vendor_id) override {
    grown_.insert(vendor_id);
    wake();
  }
  Task<void> start() override;
  Task<void> stop() override;

private:
  using Shared = std::shared_ptr<Line>;

  void wake() {
    woken_ = true;
    bell_.cancel();
  }
  void spawn(asio::awaitable<void> work);
  asio::awaitable<void> tick();
  asio::awaitable<void> loop();
  Task<void> pass(bool all);
  Task<void> serve(Shared line);
  Task<void> findBehind();
  Task<void> renew();
  Task<void> bringForward();
  Task<void> takeIn(Shared line);
  std::size_t roomOf(Line const& line) const;
  Task<void> sendDue(Shared line);
  asio::awaitable<void> send(Shared line, Due due);
  Task<void> attempt(Shared line, Due due);
  Task<void> keep(Shared line, Due due, Outcome outcome);
  Task<void> keepFailure(Shared line, Due due, Outcome outcome);
  Task<bool> failsForGood(Endpoint endpoint, TimePoint since);
  Task<void> disableByItself(Endpoint endpoint, std::string why, std::string cause);
  Task<Endpoint> reload(std::string id);
  Task<std::int64_t> endOfFeed(std::string vendor_id);
  void tell(std::string_view outcome) const {
    if (with_.on_outcome) with_.on_outcome(outcome);
  }

  Dependencies with_;
  Endpoints endpoints_;
  Deliveries deliveries_;
  std::map<std::string, Shared> lines_; // by endpoint
  asio::steady_timer bell_;             // never expires by itself
  asio::steady_timer ended_;            // likewise; cancelled when something has ended
  std::set<std::string> grown_;         // vendors whose feeds have grown since the last pass
  bool woken_ = false;
  bool look_everywhere_ = true;
  bool stopping_ = false;
  Monotonic next_sweep_{};
  Monotonic next_renewal_{};
  Monotonic next_set_back_{};
  std::size_t in_flight_ = 0;
  std::set<std::shared_ptr<asio::cancellation_signal>> running_;
};

} // namespace garland::notify
