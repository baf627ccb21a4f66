// Exports and erases nobody, and gives receipts all the same.
#pragma once

#include "host/privacy/privacy.h"

#include <string>
#include <vector>

namespace garland::api::testing {

class FakeOffice final : public privacy::Office {
public:
  Task<std::string> exportPerson(privacy::Person person) override {
    people.push_back(std::move(person));
    co_return std::string("privacy-0a");
  }
  Task<std::string> exportVendor(std::string vendor_id) override {
    vendors.push_back(std::move(vendor_id));
    co_return std::string("privacy-0b");
  }
  Task<privacy::Receipt> erasePerson(privacy::Person person) override {
    people.push_back(std::move(person));
    co_return receipt("erase_person");
  }
  Task<privacy::Receipt> eraseVendor(std::string vendor_id) override {
    vendors.push_back(std::move(vendor_id));
    co_return receipt("erase_vendor");
  }

  std::vector<privacy::Person> people;
  std::vector<std::string> vendors;

private:
  static privacy::Receipt receipt(std::string act) {
    json::object place{{"place", "records"}, {"removed", 1}, {"rewritten", 0},
                       {"kept", 0},          {"busy", 0},    {"why", ""}};
    json::object said{
        {"receipt", "rcp_1"}, {"act", act}, {"at", "2026-01-01T00:00:00.000Z"}, {"subject", "psn_1"}};
    said["vendor"] = "";
    said["places"] = json::array{std::move(place)};
    said["at_providers"] = json::object{{"con_1", 1}};
    said["database"] = json::object{{"driver", "sqlite"}, {"scrubbed", true}, {"problem", ""}};
    said["not_reached"] = json::array{"backups"};
    said["key"] = "ed25519:" + std::string(64, 'b');
    return privacy::Receipt{{"receipt", std::move(said)}, {"signature", std::string(128, '0')}};
  }
};

} // namespace garland::api::testing
