// Keeps grants fresh: one renewal at a time for each, whoever asks for it and however many daemons there are.
#pragma once

#include "host/oauth/course.h"

#include <boost/asio/steady_timer.hpp>

#include <map>

namespace garland::oauth {

class Keeper final : public Tokens, public std::enable_shared_from_this<Keeper> {
public:
  explicit Keeper(Dependencies dependencies);

  Task<Secret> fresh(Use use) override;
  Task<bool> refused(Place place, Secret access) override;
  Task<void> renew(Use use) override;
  Task<void> revoke(Use use) override;
  Task<Status> status(Place place) override;
  Task<std::vector<Standing>> all(std::string vendor_id, std::string connection_id) override;
  Result<store::Statement> first(Place const& place, Secret const& token) override;
  Result<store::Statement> first(Place const& place, Code const& code) override;
  Result<store::Unit> first(Place const& place, Provider const& provider, Given const& given) override;
  Task<store::Unit> move(Place from, Place to) override;
  Task<void> stop() override;

private:
  // Renewed: the grant has another token. Changed: look again. Waits: somebody else is at it.
  enum class Moved { renewed, changed, waits };
  struct Flight {
    explicit Flight(asio::any_io_executor const& executor)
        : ended(executor, asio::steady_timer::time_point::max()) {}
    asio::steady_timer ended; // cancelled then
    std::optional<Result<Moved>> came_to;
  };
  // For which another token was asked for.
  struct Refusal {
    std::string token; // its hash
    Monotonic when{};
  };
  using Asked = std::shared_ptr<Use const>;

  Task<Moved> renewal(Asked use);
  asio::awaitable<void> fly(Asked use, std::string key, std::shared_ptr<Flight> flight);
  Task<Moved> moveOn(Asked use);
  Task<Moved> settle(Asked use, Grant const* grant, std::vector<Kept> kept);
  Task<Moved> attempt(Asked use, Grant grant);
  Task<void> keep(Grant const* grant, Reply reply);
  Task<Moved> close(Asked use, Grant const* grant, std::string attempt, Answer answer, TimePoint asked);
  bool isFirstRefusal(Place const& place, Secret const& access);
  void tell(Grant const& grant, Status const& now) const;
  Result<void> refuseUntilThen(Grant const& grant) const;

  Dependencies with_;
  Grants grants_;
  std::map<std::string, std::shared_ptr<Flight>> flights_; // by place
  std::map<std::string, Refusal> refused_;                 // by place
  bool stopping_ = false;
};

} // namespace garland::oauth
