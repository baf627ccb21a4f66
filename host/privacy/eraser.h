// Finds a person in everything, and takes them out of it.
#pragma once

#include "host/privacy/search.h"
#include "host/privacy/subject.h"
#include "host/privacy/tally.h"

#include <functional>
#include <map>
#include <set>
#include <string>
#include <utility>
#include <vector>

namespace garland::privacy {

class Eraser {
public:
  using Visitor = std::function<Result<void>(PersonalTable const& table, FoundRow const& row)>;

  Eraser(Dependencies const& with, Subject subject, std::string vendor_id);

  // How else the person is known, from records that are theirs. First of all.
  Task<void> learn();
  // Every row that names the person. Changes nothing.
  Task<void> visit(Visitor visitor);
  // Again and again until nothing is found that could go: what was under way meanwhile may have brought some
  // back.
  Task<void> erase();

  std::map<std::string, Tally> const& tallies() const { return tallies_; } // by place
  // Records that providers still have, by connection.
  std::map<std::string, std::int64_t> const& atProviders() const { return at_providers_; }

private:
  enum class Concern { none, named, own };
  using RecordName = std::pair<std::string, std::string>; // vendor, id

  Task<bool> learnOnce();
  // `connection_id`: whose ids of other records the data has; "": nobody knows.
  Concern concernIn(std::string const& kind, json::value const& data, std::string const& connection_id) const;
  bool isTheirOwn(sync::Kind const& kind, json::value const& data) const;
  bool addContacts(sync::Kind const& kind, json::value const& data);
  Task<bool> addRemotes(RecordName name);
  Task<std::map<RecordName, Concern>> findRecords();
  Task<void> eraseRecords();
  Task<void> eraseRecord(RecordName name, Concern concern);
  Task<void> eraseRows(PersonalTable const* table);
  bool concerns(PersonalTable const& table, FoundRow const& row) const;
  store::Statement mended(PersonalTable const& table, FoundRow const& row) const;
  Task<std::vector<std::string>> connectionsOf(RecordName name);
  sync::Rewriter rewriter(std::vector<std::string> connections) const;
  PersonalTable const* table(std::string_view name) const;
  Result<void> eraseFiles();

  Dependencies const& with_;
  Subject subject_;
  Subject certain_; // the same without the telephone numbers that were learnt: two people may share one
  std::string vendor_id_;
  std::map<std::string, sync::Kind const*> kinds_;
  std::map<std::string, Tally> tallies_;
  std::map<std::string, std::int64_t> at_providers_;
};

} // namespace garland::privacy
