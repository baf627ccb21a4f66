#include "host/sync/testing/fake_notices.h"

#include <stdexcept>

namespace garland::sync::testing {

FakeNotices::FakeNotices(House& house)
    : vendor(house.vendor()), connection(house.connect(vendor, "p", "test.crm.studio")),
      projects(house.provider("p/crm.project")), house_(house) {
  house.provider("p/crm.client").emitted_kind = "crm.client";
  projects.emitted_kind = "crm.project";
  house.provider("p").act = [this](runtime::Call call, runtime::CallHost* host) {
    return parse(std::move(call), host);
  };
}

FakeNotices::~FakeNotices() { house_.stop(); }

std::string FakeNotices::about(std::vector<std::string> const& projects, std::string const& kind) {
  json::array hints;
  for (auto const& id : projects) hints.push_back(json::object{{"kind", kind}, {"external_id", id}});
  return json::serialize(json::object{{"event", "project.updated"}, {"hints", std::move(hints)}});
}

NewWebhook FakeNotices::delivery(std::string key, std::string body) const {
  NewWebhook webhook;
  webhook.vendor_id = vendor;
  webhook.connection_id = connection;
  webhook.key = std::move(key);
  webhook.shown = R"({"headers":{"x-event":"e"},"query":{},"content_type":"application/json"})";
  webhook.body = std::move(body);
  return webhook;
}

Result<bool> FakeNotices::send(std::string key, std::vector<std::string> which) {
  return sendBody(std::move(key), about(which));
}

Result<bool> FakeNotices::sendBody(std::string key, std::string body) {
  return house_.run(webhooks().accept(delivery(std::move(key), std::move(body))));
}

Webhook FakeNotices::get(std::string const& key) {
  for (auto& webhook : house_.run(webhooks().list(WebhookQuery())).value())
    if (webhook.key == key) return webhook;
  throw std::runtime_error("no delivery " + key);
}

Webhook FakeNotices::settled(std::string const& key) {
  auto const give_up = std::chrono::steady_clock::now() + kPatience;
  for (;;) {
    auto webhook = get(key);
    bool const due = webhook.next_attempt && *webhook.next_attempt <= house_.clock.now();
    if (!due) return webhook;
    if (std::chrono::steady_clock::now() > give_up)
      throw std::runtime_error("it stays " + std::string(name(webhook.state)));
  }
}

void FakeNotices::followed() {
  auto const give_up = std::chrono::steady_clock::now() + kPatience;
  while (!house_.rows("SELECT 1 FROM hints").empty())
    if (std::chrono::steady_clock::now() > give_up) throw std::runtime_error("hints are not followed");
}

Task<json::value> FakeNotices::parse(runtime::Call call, runtime::CallHost* host) {
  last_input = parseJson(call.input).value();
  auto const body = textOr(last_input, "/body", "");
  read.push_back(body);
  if (during) {
    auto const hook = during;
    CO_TRY_VOID(co_await hook(host));
  }
  if (!errors.empty()) {
    auto error = errors.front();
    errors.pop_front();
    co_return error;
  }
  auto said = parseJson(body);
  if (!said) co_return Error(ErrorKind::providerBug, "the body is not JSON");
  co_return *said;
}

} // namespace garland::sync::testing
