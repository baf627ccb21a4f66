// The change feed as it is read: pages of changes, how far it goes, and which wedding a change is about.
#pragma once

#include "host/sync/context.h"
#include "host/sync/vendors.h"

#include <map>
#include <string>
#include <utility>
#include <vector>

namespace garland::sync {

class Feed {
public:
  Feed(Context& context, Vendors& vendors) : context_(context), vendors_(vendors) {}

  Task<std::vector<Change>> changes(std::string vendor_id, std::int64_t after, int limit);
  Task<std::vector<FeedSpan>> spans(std::vector<std::string> vendor_ids);

private:
  using Projects = std::map<std::string, std::string>; // record id -> the provider's id of its project
  Task<void> addWeddings(std::string vendor_id, std::vector<Change>* changes);
  Task<Projects> projectsOf(std::string vendor_id, std::vector<std::string> record_ids);
  // Which record each of those projects is at the connection that holds the record.
  Task<std::map<std::string, std::string>> recordsOf(std::string vendor_id, Projects const* projects);

  Context& context_;
  Vendors& vendors_;
};

} // namespace garland::sync
