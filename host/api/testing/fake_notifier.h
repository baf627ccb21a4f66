// Endpoints and deliveries in memory; sends nothing.
#pragma once

#include "host/base/ids.h"
#include "host/notify/notify.h"

#include <map>
#include <string>

namespace garland::api::testing {

class FakeNotifier final : public notify::Notifier {
public:
  FakeNotifier(Clock& clock, Random& random) : clock_(clock), random_(random) {}

  Task<notify::WithSecret> add(notify::NewEndpoint asked) override {
    if (!asked.url.starts_with("https://"))
      co_return Error(ErrorKind::invalidInput, "must be an https address", "/url");
    notify::WithSecret made;
    made.endpoint.id = newId("epo", clock_, random_);
    made.endpoint.vendor_id = asked.vendor_id;
    made.endpoint.url = asked.url;
    made.endpoint.description = asked.description;
    made.endpoint.events = asked.events;
    made.endpoint.ordered = asked.ordered;
    made.endpoint.allow_private_network = asked.allow_private_network;
    made.endpoint.place = asked.after.value_or(0);
    made.endpoint.created = clock_.now();
    made.secret = Secret("whsec_c2VjcmV0");
    all[made.endpoint.id] = made.endpoint;
    notify::DeliveryDetail detail;
    detail.delivery.id = "msg_1";
    detail.delivery.endpoint_id = made.endpoint.id;
    detail.delivery.vendor_id = asked.vendor_id;
    detail.delivery.sequence = 1;
    detail.delivery.record_id = newId("rec", clock_, random_);
    detail.delivery.type = "calendar.event.created";
    detail.delivery.attempts = 1;
    detail.delivery.status = 500;
    detail.delivery.problem = "it answered 500";
    detail.delivery.created = clock_.now();
    detail.delivery.next_attempt = clock_.now();
    detail.body = "{}";
    notify::Attempt attempt;
    attempt.number = 1;
    attempt.at = clock_.now();
    attempt.took = Milliseconds(7);
    attempt.status = 500;
    attempt.problem = "it answered 500";
    detail.attempts = {attempt, notify::Attempt()};
    sent[made.endpoint.id] = detail;
    co_return std::move(made);
  }
  Task<notify::Endpoint> one(std::string id) override {
    auto const found = all.find(id);
    if (found == all.end()) co_return Error(ErrorKind::notFound, "there is no endpoint " + id);
    co_return found->second;
  }
  Task<std::vector<notify::Endpoint>> list(std::string vendor_id) override {
    std::vector<notify::Endpoint> out;
    for (auto const& [id, endpoint] : all)
      if (vendor_id.empty() || endpoint.vendor_id == vendor_id) out.push_back(endpoint);
    co_return out;
  }
  Task<notify::Endpoint> change(std::string id, notify::EndpointChange change) override {
    CO_TRY_VOID(co_await one(id));
    if (change.url) all[id].url = *change.url;
    if (change.events) all[id].events = *change.events;
    if (change.ordered) all[id].ordered = *change.ordered;
    co_return all[id];
  }
  Task<void> remove(std::string id) override {
    if (all.erase(id) == 0) co_return Error(ErrorKind::notFound, "there is no endpoint " + id);
    co_return Result<void>();
  }
  Task<notify::WithSecret> rotate(std::string id, Milliseconds overlap) override {
    CO_TRY(endpoint, co_await one(id));
    notify::WithSecret made;
    made.endpoint = endpoint;
    made.endpoint.old_secret_until = clock_.now() + overlap;
    made.secret = Secret("whsec_bmV3");
    co_return std::move(made);
  }
  Task<notify::Endpoint> enable(std::string id, bool) override {
    CO_TRY(endpoint, co_await one(id));
    if (endpoint.enabled) co_return Error(ErrorKind::conflict, "it is enabled");
    endpoint.enabled = true;
    endpoint.reason.clear();
    endpoint.disabled_at.reset();
    all[id] = endpoint;
    co_return endpoint;
  }
  Task<notify::Endpoint> disable(std::string id, std::string why) override {
    CO_TRY_VOID(co_await one(id));
    all[id].enabled = false;
    all[id].reason = why;
    all[id].disabled_at = clock_.now();
    co_return all[id];
  }
  Task<std::vector<notify::Delivery>> deliveries(notify::DeliveryQuery query) override {
    CO_TRY_VOID(co_await one(query.endpoint_id));
    std::vector<notify::Delivery> out;
    auto const& delivery = sent[query.endpoint_id].delivery;
    if (delivery.sequence > query.after && (!query.state || delivery.state == *query.state))
      out.push_back(delivery);
    co_return out;
  }
  Task<notify::DeliveryDetail> delivery(std::string endpoint_id, std::string id) override {
    CO_TRY_VOID(co_await one(endpoint_id));
    if (sent[endpoint_id].delivery.id != id) co_return Error(ErrorKind::notFound, "no such delivery");
    co_return sent[endpoint_id];
  }
  Task<notify::Delivery> resend(std::string endpoint_id, std::string id) override {
    CO_TRY(detail, co_await delivery(endpoint_id, id));
    co_return detail.delivery;
  }
  Task<notify::Resent> resendRange(notify::ResendRange range) override {
    CO_TRY_VOID(co_await one(range.endpoint_id));
    ranges.push_back(range);
    notify::Resent resent;
    resent.count = 3;
    if (range.after < 40) resent.next_after = 40;
    co_return resent;
  }
  Task<notify::Counts> counts() override {
    notify::Counts counts;
    for (auto const& [id, endpoint] : all) counts.disabled += endpoint.enabled ? 0 : 1;
    co_return counts;
  }
  void changed(std::string const&) override {}
  Task<void> start() override { co_return Result<void>(); }
  Task<void> stop() override { co_return Result<void>(); }

  std::map<std::string, notify::Endpoint> all;
  std::map<std::string, notify::DeliveryDetail> sent; // one of each endpoint
  std::vector<notify::ResendRange> ranges;

private:
  Clock& clock_;
  Random& random_;
};

} // namespace garland::api::testing
