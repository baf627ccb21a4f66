// Takes a person out of a record. What goes leaves a gravestone, from which nobody can tell what it was, in
// the table `erased`: by it a sync knows the provider's item again, and does not bring it back.
#pragma once

#include "host/sync/inbound.h"
#include "host/sync/writes.h"

#include <optional>
#include <set>
#include <string>
#include <vector>

namespace garland::sync {

class Erasure {
public:
  explicit Erasure(Context& context) : context_(context) {}

  Task<ErasedRecord> erase(std::string vendor_id, std::string id);
  Task<bool> rewrite(std::string vendor_id, std::string id, Rewriter rewriter);

private:
  struct Kept {
    std::string kind;
    json::value data;
    std::int64_t version = 0;
    bool deleted = false;
    std::vector<Link> links;
  };
  Task<std::optional<Kept>> read(std::string vendor_id, std::string id);
  Task<ErasedRecord> eraseOnce(std::string vendor_id, std::string id);
  Task<bool> rewriteOnce(std::string vendor_id, std::string id, Rewriter const* rewriter);
  void bury(Writes& writes, Link const& link) const;
  void put(Writes& writes, std::string const& id, Kept const& kept, json::value data, bool goes) const;

  Context& context_;
};

// Which of the items belong to people who were erased.
Task<std::set<std::string>> erasedAmong(Context* context, Place const* place,
                                        std::vector<RemoteItem> const* items);

} // namespace garland::sync
