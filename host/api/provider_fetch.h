// What the host fetches because a delivery names it: the certificate that signed it, an address that confirms
// a webhook. The addresses were checked against the hosts of the scheme (host/webhooks); here is what
// strangers cannot make the host do: fetch without end, follow redirects, read much, wait long.
#pragma once

#include "host/api/hooks.h"
#include "host/base/clock.h"
#include "host/base/task.h"
#include "host/egress/egress.h"

#include <boost/asio/steady_timer.hpp>

#include <map>
#include <memory>
#include <optional>
#include <string>

namespace garland::api {

// "sns.eu-west-1.amazonaws.com" of an address; with its port if that is an unusual one. "": it is no address.
std::string hostOf(std::string const& url);

// [loop thread]
class ProviderFetch {
public:
  using Certificate = std::shared_ptr<std::string const>; // PEM

  // `egress` null: everything is transient. `extra_ca_file`: as in egress::Policy.
  ProviderFetch(asio::any_io_executor executor, Clock const& clock, egress::Client* egress,
                std::string extra_ca_file, Milliseconds patience = kPatience)
      : executor_(std::move(executor)), clock_(clock), egress_(egress),
        extra_ca_file_(std::move(extra_ca_file)), patience_(patience) {}

  // From memory, or fetched: once for all who ask at the same time. `system`: the connector's id; what it may
  // have fetched is counted by it and not by host, because a pattern fits any number of hosts. transient: not
  // now; the sentence names the host only.
  Task<Certificate> certificate(std::string system, std::string url);
  // A delivery was genuine by this certificate: kept for an hour. So forgeries keep nothing.
  void keep(std::string const& url, Certificate certificate);
  // Visits the address. transient unless the answer is 2xx; the sentence names the host only.
  Task<void> confirm(std::string system, std::string url);

private:
  static constexpr Milliseconds kPatience{5'000}; // providers wait for our answer in the meantime

  struct Kept {
    Certificate certificate;
    TimePoint until; // then it is fetched again
  };
  // One fetch, and those who wait for it.
  struct Flight {
    explicit Flight(asio::any_io_executor const& executor)
        : landed(executor, asio::steady_timer::time_point::max()) {}
    asio::steady_timer landed;                  // never expires by itself; cancelled at the end
    std::optional<Result<Certificate>> outcome; // none: it has not ended
    std::size_t waiting = 0;
  };
  using Flights = std::map<std::string, std::shared_ptr<Flight>, std::less<>>; // by URL
  // However a fetch ends, nobody waits for it any longer.
  struct Landing {
    Landing(std::shared_ptr<Flights> flights_in, std::string url_in)
        : flights(std::move(flights_in)), url(std::move(url_in)) {}
    Landing(Landing const&) = delete;
    Landing& operator=(Landing const&) = delete;
    ~Landing();
    std::shared_ptr<Flights> flights;
    std::string url;
  };

  Task<Certificate> fly(std::string system, std::string url);
  Task<Certificate> fetched(std::string system, std::string url);
  std::size_t waiting() const;
  Task<egress::Response> get(std::string system, std::string url);
  Result<void> admit(std::string const& budget);

  asio::any_io_executor executor_;
  Clock const& clock_;
  egress::Client* egress_;
  std::string extra_ca_file_;
  Milliseconds patience_;
  std::map<std::string, Kept, std::less<>> kept_;                  // by URL
  std::shared_ptr<Flights> flights_ = std::make_shared<Flights>(); // lives as long as a fetch
  HookRate rate_{10, 0.2}; // by system and purpose: ten at once, then twelve a minute
};

} // namespace garland::api
