// Takes items in and has them read by nobody. One door, to one connection.
#pragma once

#include "host/base/ids.h"
#include "host/sync/sync.h"

#include <map>
#include <string>

namespace garland::api::testing {

class FakeIntake final : public sync::Intake {
public:
  FakeIntake(Clock& clock, Random& random) : clock_(clock), random_(random) {}

  Task<sync::AcceptedItem> accept(sync::Delivery delivery) override {
    if (refuse) co_return *refuse;
    deliveries.push_back(delivery);
    for (auto const& [id, known] : all)
      if (known.dedupe_key == delivery.dedupe_key) co_return sync::AcceptedItem{id, true};
    sync::IntakeItem item;
    item.id = newId("itm", clock_, random_);
    item.vendor_id = door.vendor_id.empty() ? newId("ven", clock_, random_) : door.vendor_id;
    item.connection_id = delivery.connection_id;
    item.source = delivery.source;
    item.dedupe_key = std::move(delivery.dedupe_key);
    item.summary = std::move(delivery.summary);
    item.received = clock_.now();
    item.next_attempt = item.received;
    all[item.id] = item;
    co_return sync::AcceptedItem{item.id, false};
  }
  Task<sync::IntakeItem> one(std::string id) override {
    auto const found = all.find(id);
    if (found == all.end()) co_return Error(ErrorKind::notFound, "there is no item " + id);
    co_return found->second;
  }
  Task<sync::IntakeContent> contentOf(std::string id) override {
    CO_TRY_VOID(co_await one(id));
    sync::IntakeContent content;
    for (auto const& delivery : deliveries)
      if (delivery.dedupe_key == all[id].dedupe_key) content.content = delivery.content;
    co_return content;
  }
  Task<std::vector<sync::IntakeItem>> list(sync::IntakeQuery query) override {
    std::vector<sync::IntakeItem> out;
    for (auto const& [id, item] : all) {
      bool const wanted = id > query.after_id && (!query.state || item.state == *query.state) &&
                          (query.vendor_id.empty() || item.vendor_id == query.vendor_id);
      if (wanted && std::ssize(out) < query.limit) out.push_back(item);
    }
    co_return out;
  }
  Task<sync::IntakeCounts> counts(std::string) override {
    sync::IntakeCounts counts;
    for (auto const& [id, item] : all) {
      counts.waiting += item.state == sync::IntakeState::waiting ? 1 : 0;
      counts.review += item.state == sync::IntakeState::review ? 1 : 0;
    }
    co_return counts;
  }
  Task<sync::IntakeItem> retry(std::string id) override {
    CO_TRY_VOID(co_await one(id));
    all[id].state = sync::IntakeState::waiting;
    co_return all[id];
  }
  Task<std::int64_t> retryAll(std::string) override { co_return 1; }
  Task<sync::IntakeItem> acceptAsGenuine(std::string id, std::string who) override {
    CO_TRY_VOID(co_await one(id));
    if (!all[id].acceptable) co_return Error(ErrorKind::conflict, id + " cannot be accepted");
    all[id].acceptable = false;
    all[id].state = sync::IntakeState::waiting;
    all[id].accepted_by = std::move(who);
    all[id].accepted = clock_.now();
    co_return all[id];
  }
  Task<sync::Rehearsal> rehearse(sync::Delivery delivery) override {
    rehearsed.push_back(std::move(delivery));
    sync::Rehearsal rehearsal;
    rehearsal.records["crm.client"] = 1;
    co_return rehearsal;
  }
  Task<sync::IntakeItem> dismiss(std::string id, std::string why) override {
    CO_TRY_VOID(co_await one(id));
    all[id].state = sync::IntakeState::dismissed;
    all[id].reason = std::move(why);
    all[id].finished = clock_.now();
    co_return all[id];
  }
  Task<sync::OpenedDoor> openDoor(std::string connection_id, sync::IntakeSource source,
                                  bool rotate) override {
    sync::OpenedDoor opened;
    if (rotate || token.empty()) {
      token = std::string(52, rotate ? 'b' : 'a');
      opened.token = Secret(token);
      door.vendor_id = newId("ven", clock_, random_);
      door.connection_id = std::move(connection_id);
      door.source = source;
      door.created = clock_.now();
    }
    opened.door = door;
    co_return opened;
  }
  Task<sync::IntakeDoor> sign(std::string, json::value scheme, Secret secret_in) override {
    if (token.empty()) co_return Error(ErrorKind::notFound, "there is no hook yet");
    door.signing = std::move(scheme);
    secret = std::string(secret_in.reveal());
    co_return door;
  }
  std::optional<sync::IntakeDoor> findDoor(sync::IntakeSource source, std::string_view asked) override {
    if (token.empty() || asked != token || source != door.source) return std::nullopt;
    return door;
  }
  Task<Secret> signingSecret(sync::IntakeDoor) override { co_return Secret(secret); }

  std::map<std::string, sync::IntakeItem> all;
  std::vector<sync::Delivery> deliveries;
  std::vector<sync::Delivery> rehearsed;
  std::optional<Error> refuse;
  std::string token, secret;
  sync::IntakeDoor door;

private:
  Clock& clock_;
  Random& random_;
};

} // namespace garland::api::testing
