// A form on a vendor's page behind the connector "test.crm.form", and whoever fills it in. What is sent is
// {"client": {"id", data...}, "project": {...}}; each is emitted as it is. No network, no worker.
#pragma once

#include "host/sync/testing/house.h"

#include <deque>
#include <functional>
#include <optional>
#include <string>
#include <vector>

namespace garland::sync::testing {

class FakeForm {
public:
  explicit FakeForm(House& house, std::string provider = "form");
  ~FakeForm();
  FakeForm(FakeForm const&) = delete;
  FakeForm& operator=(FakeForm const&) = delete;

  // Hands in a hook with this body; by `key`, or else by its bytes.
  Result<AcceptedItem> send(json::value body, std::string key = {});
  // The item, when nothing more happens to it by itself but at a later time.
  IntakeItem settled(std::string const& id);
  IntakeItem get(std::string const& id) { return house_.run(intake().one(id)).value(); }
  Intake& intake() { return house_.engine->intake(); }

  std::string vendor;
  std::string connection;

  std::deque<Error> errors;           // how the next readings end
  std::optional<json::value> answers; // instead of "taken"
  bool asks_for_proof = false;        // of everything that nobody accepted
  std::vector<std::pair<std::string, std::string>> extra_emits;
  std::function<Task<void>()> during; // each reading
  std::vector<std::string> read;      // ids of items, in their order
  int at_once = 0, most_at_once = 0;

private:
  Task<json::value> parse(runtime::Call call, runtime::CallHost* host);

  House& house_;
};

// A form's body.
json::object client(std::string const& id, json::object data);

} // namespace garland::sync::testing
