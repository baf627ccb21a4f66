// What the checks of several areas need to pull records and compare them with the provider's truth.
#pragma once

#include "certification/check.h"
#include "certification/names.h"
#include "certification/steps.h"

#include <map>
#include <string>
#include <vector>

namespace garland::certification {

// The end of a sentence about too few records.
inline constexpr char const* kMoreVolume = "; fill in certification.json: a larger /volume";

// "crm.client": of its pull, "crm.pull/1".
std::string operationFor(std::string_view entity, std::string_view verb);
// Entities of the brief that the connector pulls.
std::vector<std::string> pulledEntities(Subject const& subject);
// Those that it also writes, and for which the brief has a record to write.
std::vector<std::string> writtenEntities(Subject const& subject);
std::vector<std::string> pulledCases(Subject const& subject, Profile profile);
std::vector<std::string> writtenCases(Subject const& subject, Profile profile);
std::string noPulls(Subject const& subject);  // for Check::skip
std::string noWrites(Subject const& subject); // for Check::skip

Ask pullAsk(std::string_view entity, json::value cursor);
// What the host would hold after these pulls: deletions and listings applied. By id: version and data.
class Held {
public:
  void take(Journal const& journal, std::string_view entity);
  json::value cursor() const { return cursor_; }
  std::map<std::string, json::value> const& records() const { return records_; }
  std::size_t came() const { return came_; } // with the last pull, deletions and listings not counted
  std::size_t went() const { return went_; } // with the last pull, told or no longer listed

private:
  std::map<std::string, json::value> records_;
  json::value cursor_;
  std::size_t came_ = 0;
  std::size_t went_ = 0;
};

// How many records that came for good with `whole` a pull that set a checkpoint neither brought nor told as a
// problem; 0 without a checkpoint, after which the host asks for them again.
std::size_t lostIn(Journal const& pull, Journal const& whole);

// The brief's number of records of this entity at the provider now. Gives the case up if it cannot be told.
std::size_t truthOf(Trial& trial, std::string_view entity);
// Somebody else does that at the provider: "create", "change" or "delete" of the brief's entity, with {id}
// filled in. What the twin answered; null if the brief has no such edit.
json::value editAs(Trial& trial, std::string_view entity, std::string_view what, std::string const& id = "");

// The input of an upsert that creates, or with `id` changes, the brief's record; `key` is the name of its
// key.
json::object upsertInput(Subject const& subject, std::string_view entity, std::string const& key,
                         std::string const& id = "", std::string const& version = "");
// Deletes that record, and with a version only if it still has that; `key` is the name of its key.
Ask deleteAsk(std::string_view entity, std::string const& key, std::string const& id,
              std::string const& version = "");
// What a lead of the brief's comes as, {n} filled in: the first delivery, and those by which it comes again.
std::vector<json::object> intakeDeliveries(json::value const& lead, int n);
// The input of intake.parse/1 for one of them; `id` is the name of its id.
json::object intakeInput(json::object delivery, std::string const& id, TimePoint received);

// How often the ledger tells of this entity's creation.
std::size_t createdIn(Trial& trial, std::string_view entity);

// A case's name, "crm.client/delete": what stands before and behind its first slash.
struct CaseWords {
  std::string entity;
  std::string what; // "" without a slash
};
CaseWords caseWords(std::string const& case_name);
// Every member of `part` stands in `whole`, equal.
bool contains(json::value const& whole, json::value const& part);

} // namespace garland::certification
