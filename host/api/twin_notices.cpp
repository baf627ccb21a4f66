#include "host/api/twin_notices.h"

#include <boost/asio/co_spawn.hpp>

#include <array>

namespace garland::api {
namespace {

// Before the first, second and third try.
constexpr std::array<Milliseconds, 3> waits{Milliseconds(0), Milliseconds(200), Milliseconds(1000)};

void swallow(std::exception_ptr) {}

egress::Policy policyFor(std::string const& url) {
  egress::Policy policy;
  auto const scheme = url.find("://");
  auto const host = scheme == std::string::npos ? url : url.substr(scheme + 3);
  policy.allowed_hosts = {host.substr(0, host.find_first_of("/?#"))};
  policy.allow_private_network = true;
  policy.max_redirects = 0;
  return policy;
}

} // namespace

TwinNotices::TwinNotices(TwinDependencies const& with, TwinOptions const& options)
    : with_(with), sign_(options.sign) {}

void TwinNotices::deliver(std::vector<TwinWebhook> webhooks) {
  for (auto& webhook : webhooks) {
    if (webhook.delay.count() <= 0) {
      push(std::move(webhook));
      continue;
    }
    auto later = deliverLater(std::move(webhook));
    asio::co_spawn(with_.executor, std::move(later), swallow);
  }
}

void TwinNotices::close() {
  closed_ = true;
  waiting_.clear();
}

asio::awaitable<void> TwinNotices::deliverLater(TwinWebhook webhook) {
  auto const self = shared_from_this();
  Clock* clock = &with_.clock;
  if (with_.provider != nullptr) clock = with_.provider;
  auto const slept = co_await clock->sleepFor(webhook.delay);
  if (slept) push(std::move(webhook));
}

void TwinNotices::push(TwinWebhook webhook) {
  if (closed_) return;
  waiting_.push_back(std::move(webhook));
  if (working_) return;
  working_ = true;
  asio::co_spawn(with_.executor, work(), swallow);
}

asio::awaitable<void> TwinNotices::work() {
  auto const self = shared_from_this();
  while (!waiting_.empty()) {
    auto webhook = std::move(waiting_.front());
    waiting_.pop_front();
    auto delivering = deliverOne(std::move(webhook));
    co_await std::move(delivering);
  }
  working_ = false;
}

Result<egress::Request> TwinNotices::signedRequest(TwinWebhook const& webhook) const {
  egress::Request request;
  request.method = "POST";
  request.url = webhook.url;
  request.body = webhook.body;
  request.timeout = Milliseconds(10'000);
  for (auto const& header : webhook.headers) request.headers.push_back({header.name, header.value});
  if (webhook.scheme.empty()) return request;
  if (!sign_) {
    with_.log.warn("a notice goes out unsigned: this program cannot sign",
                   json::object{{"id", webhook.id}, {"scheme", webhook.scheme}});
    return request;
  }
  TwinNotice notice;
  notice.scheme = webhook.scheme;
  notice.secret = webhook.secret;
  notice.id = webhook.id;
  notice.url = webhook.url;
  notice.body = webhook.body;
  notice.at = with_.provider != nullptr ? with_.provider->now() : with_.clock.now();
  TRY(headers, sign_(notice));
  for (auto& header : headers) request.headers.push_back(std::move(header));
  return request;
}

asio::awaitable<void> TwinNotices::deliverOne(TwinWebhook webhook) {
  std::string why;
  for (auto const wait : waits) {
    if (wait.count() > 0) {
      auto const slept = co_await with_.clock.sleepFor(wait);
      if (!slept || closed_) co_return;
    }
    auto request = signedRequest(webhook);
    if (!request) {
      why = request.error().message;
      break;
    }
    egress::Credential none;
    auto fetching = with_.egress.fetch(std::move(*request), policyFor(webhook.url), std::move(none));
    auto const answer = co_await std::move(fetching);
    if (answer && answer->status / 100 == 2) co_return;
    why = answer ? "it was answered " + std::to_string(answer->status) : answer.error().message;
    if (closed_) co_return;
  }
  with_.log.warn("a notice could not be delivered: " + why,
                 json::object{{"id", webhook.id}, {"url", webhook.url}});
}

} // namespace garland::api
