#include "host/api/provider_fetch.h"

#include "host/webhooks/webhooks.h"

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/url/parse.hpp>
#include <boost/url/url_view.hpp>

#include <algorithm>

namespace garland::api {
namespace {

constexpr Milliseconds kTryAgain{10'000};
constexpr Milliseconds kKeptFor{3'600'000};
constexpr std::size_t kMostAnswer = 64U << 10U;
constexpr std::size_t kMostKept = 64;
// For all fetches together: each holds a connection that somebody else may need.
constexpr std::size_t kMostWaiting = 64;

Error notNow(std::string message) {
  Error error(ErrorKind::transient, std::move(message));
  error.retry_after = kTryAgain;
  return error;
}

} // namespace

std::string hostOf(std::string const& url) {
  auto const parsed = boost::urls::parse_uri(url);
  return parsed ? std::string(parsed->encoded_host_and_port()) : std::string();
}

Result<void> ProviderFetch::admit(std::string const& budget) {
  if (egress_ == nullptr) return notNow("this daemon fetches nothing");
  if (rate_.admits(budget, clock_.monotonic())) return {};
  return notNow("too many were asked for within a minute");
}

Task<ProviderFetch::Certificate> ProviderFetch::certificate(std::string system, std::string url) {
  auto const kept = kept_.find(url);
  if (kept != kept_.end() && clock_.now() < kept->second.until) co_return kept->second.certificate;
  auto const under_way = flights_->find(url);
  if (under_way == flights_->end()) co_return co_await fly(std::move(system), std::move(url));
  auto const flight = under_way->second;
  if (waiting() >= kMostWaiting) co_return notNow("too many wait for one already");
  ++flight->waiting;
  co_await flight->landed.async_wait(asio::as_tuple(asio::use_awaitable));
  if (!flight->outcome) co_return notNow("its fetch was given up");
  co_return *flight->outcome;
}

ProviderFetch::Landing::~Landing() {
  auto const landed = flights->extract(url);
  if (landed) landed.mapped()->landed.cancel();
}

std::size_t ProviderFetch::waiting() const {
  std::size_t all = 0;
  for (auto const& [url, flight] : *flights_) all += flight->waiting;
  return all;
}

// What was good once is fetched out of a budget of its own, which forgeries with other addresses do not use
// up.
Task<ProviderFetch::Certificate> ProviderFetch::fly(std::string system, std::string url) {
  bool const known = kept_.contains(url);
  CO_TRY_VOID(admit(system + (known ? " again" : " new")));
  auto const flight = std::make_shared<Flight>(executor_);
  {
    flights_->emplace(url, flight);
    Landing const landing(flights_, url);
    flight->outcome = co_await fetched(system, url);
  }
  if (known && *flight->outcome) keep(url, **flight->outcome);
  co_return *flight->outcome;
}

Task<ProviderFetch::Certificate> ProviderFetch::fetched(std::string system, std::string url) {
  auto const host = hostOf(url);
  CO_TRY(answer, co_await get(std::move(system), std::move(url)));
  if (answer.status != 200)
    co_return notNow(host + " answered " + std::to_string(answer.status) + " instead of a certificate");
  if (!webhooks::isCertificate(answer.body))
    co_return notNow(host + " sent something that is no certificate");
  co_return std::make_shared<std::string const>(std::move(answer.body));
}

// The host is given to egress apart from the address, so that two ways to read it would have to agree.
Task<egress::Response> ProviderFetch::get(std::string system, std::string url) {
  egress::Policy policy;
  policy.allowed_hosts.push_back(hostOf(url));
  policy.max_redirects = 0;
  policy.extra_ca_file = extra_ca_file_;
  egress::Request request;
  request.url = std::move(url);
  request.timeout = patience_;
  request.max_body = kMostAnswer;
  request.audit_subject = std::move(system);
  auto answer = co_await egress_->fetch(std::move(request), std::move(policy), egress::Credential());
  if (!answer) co_return notNow(std::move(answer.error().message));
  co_return std::move(*answer);
}

void ProviderFetch::keep(std::string const& url, Certificate certificate) {
  auto const now = clock_.now();
  auto const place = kept_.find(url);
  if (place != kept_.end() && now < place->second.until) return;
  if (place == kept_.end() && kept_.size() >= kMostKept)
    kept_.erase(std::ranges::min_element(kept_, {}, [](auto const& one) { return one.second.until; }));
  kept_.insert_or_assign(url, Kept{std::move(certificate), now + kKeptFor});
}

Task<void> ProviderFetch::confirm(std::string system, std::string url) {
  CO_TRY_VOID(admit(system + " confirm"));
  auto const host = hostOf(url);
  CO_TRY(answer, co_await get(std::move(system), std::move(url)));
  if (answer.status < 200 || answer.status > 299)
    co_return notNow(host + " answered " + std::to_string(answer.status) + " to the confirmation");
  co_return Result<void>();
}

} // namespace garland::api
