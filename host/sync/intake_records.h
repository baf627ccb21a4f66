// What one item brings: records of any kinds, gathered while its connector reads it, and then made durable
// together with the mark on the item. The merge is a pull's.
#pragma once

#include "host/sync/call_host.h"
#include "host/sync/inbound.h"
#include "host/sync/waiting.h"
#include "host/sync/writes.h"

#include <functional>
#include <map>
#include <string>
#include <vector>

namespace garland::sync {

// Takes what the connector emits, in memory: an item is small.
class IntakeSink final : public EmitSink {
public:
  IntakeSink(Context& context, Session const& session, std::string item_id)
      : context_(context), session_(session), item_id_(std::move(item_id)) {}

  Task<void> emit(std::string kind, std::string record_json) override;
  Task<void> checkpoint(std::string cursor_json) override;
  void progress(std::uint64_t, std::uint64_t) override {}
  void restarted() override {}

  // By kind, each id at most once: of each member the last word of the item counts.
  using Found = std::map<KindEntry const*, std::vector<RemoteItem>>;
  Found const& found() const { return found_; }
  std::int64_t count() const { return count_; }
  // What of it could not be read, as sentences.
  std::vector<std::string> const& problems() const { return problems_; }

private:
  Result<void> take(std::string const& kind, json::value const& record);
  void gather(KindEntry const* kind, RemoteItem item);
  void refuse(json::value const& record, Error const& error);

  Context& context_;
  Session const& session_;
  std::string item_id_; // the version of what it brings: ids are ordered by age
  Found found_;
  std::map<std::pair<KindEntry const*, std::string>, std::size_t> places_;
  std::vector<std::string> problems_;
  std::int64_t count_ = 0;
  std::size_t bytes_ = 0;
};

// Writes records and mark in one unit.
class IntakeWriter {
public:
  IntakeWriter(Context& context, Session const& session) : context_(context), session_(session) {}

  // `mark` is told what was found wrong with records, and how many are good. Read and decided again while
  // others change the same records; conflict if the mark itself cannot be made.
  using Mark = std::function<store::Unit(std::vector<std::string> const& problems, std::int64_t good)>;
  Task<void> apply(IntakeSink::Found const* found, Mark const* mark);

  // What would be found wrong, and how many of each kind are good. Writes nothing.
  struct Judgement {
    std::vector<std::string> problems;
    std::map<std::string, std::int64_t> good; // by kind
  };
  Task<Judgement> judge(IntakeSink::Found const* found);

private:
  struct Parts;
  Task<void> applyOnce(IntakeSink::Found const* found, Mark const* mark);
  Task<Judgement> decide(IntakeSink::Found const* found, Parts* parts, Writes* writes);

  Context& context_;
  Session const& session_;
};

} // namespace garland::sync
