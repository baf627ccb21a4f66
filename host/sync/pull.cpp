#include "host/sync/pull.h"

namespace garland::sync {
namespace {

constexpr char const* kNoId = "(no id)";
constexpr std::size_t kBatchRecords = 500;
constexpr std::size_t kBatchBytes = 8U << 20U;

Place placeOf(Session const& session, KindEntry const& kind, RunState const& run) {
  return Place{session.connection.vendor_id, session.connection.id, run.run.id, &kind};
}

} // namespace

PullSink::PullSink(Context& context, Session const& session, KindEntry const& kind, RunState& run,
                   std::vector<std::string> const& asked)
    : context_(context), session_(session), kind_(kind), run_(run),
      inbound_(context, placeOf(session, kind, run)), missed_(context, placeOf(session, kind, run)),
      can_look_again_(offers(session.plugin->manifest, kGetOperation)), by_ids_(!asked.empty()),
      wanted_(asked), asked_(asked.begin(), asked.end()), turn_(context.doors.executor, 1) {}

Task<void> PullSink::emit(std::string kind, std::string record_json) {
  CO_TRY(turn, co_await turn_.acquire());
  if (store_error_) co_return *store_error_;
  co_return co_await take(std::move(kind), std::move(record_json));
}

Task<void> PullSink::take(std::string kind, std::string record_json) {
  auto record = parseJson(record_json);
  if (!record) co_return Error(record.error()).within("emitted record of kind " + kind);
  *record = context_.knownOfEmitted(kind, *record);
  auto taken = Result<void>();
  if (kind == kind_.kind.name)
    taken = takeRecord(*record);
  else if (kind == "garland.problem")
    taken = takeProblem(*record);
  else if (kind == "garland.listing")
    taken = takeListing(*record);
  else
    co_return Error(ErrorKind::unsupported, "nothing here takes records of kind \"" + kind + "\"");
  if (!taken) refuse(*record, taken.error());
  buffered_bytes_ += record_json.size();
  if (buffer_.size() >= kBatchRecords || buffered_bytes_ >= kBatchBytes)
    co_return co_await flush(std::nullopt);
  co_return Result<void>();
}

Result<void> PullSink::takeRecord(json::value const& record) {
  TRY_VOID(context_.requireEmitted(kind_.kind.name, record));
  TRY(id, textAt(record, "/id"));
  RemoteItem item;
  item.version = textOr(record, "/version", "");
  item.scope = textOr(record, "/scope", "");
  item.deleted = boolOr(record, "/deleted", false);
  item.id = std::move(id);
  if (!item.deleted) {
    auto const* data = find(record, "/data");
    if (data == nullptr || !data->is_object())
      return Error(ErrorKind::pluginBug, "a record that is not deleted must have data", "/data");
    auto known = context_.knownOfRecord(kind_.kind.name, *data);
    auto checked = kind_.check(known);
    if (!checked) {
      auto error = checked.error();
      error.field = "/data" + error.field;
      return error;
    }
    item.data = std::move(known);
  }
  if (by_ids_) came_.insert(item.id);
  auto const [place, first] = places_.emplace(item.id, buffer_.size());
  if (first)
    buffer_.push_back(std::move(item));
  else
    buffer_[place->second] = std::move(item);
  return Result<void>();
}

Result<void> PullSink::takeProblem(json::value const& record) {
  TRY_VOID(context_.requireEmitted("garland.problem", record));
  ItemProblem item{textOr(record, "/id", ""), textOr(record, "/kind", ""),
                   context_.scrub(textOr(record, "/message", ""))};
  notTaken(item.place);
  if (item.place.empty()) item.place = kNoId;
  run_.problem(std::move(item), true);
  return Result<void>();
}

Result<void> PullSink::takeListing(json::value const& record) {
  TRY_VOID(context_.requireEmitted("garland.listing", record));
  auto& listing = listings_[textOr(record, "/scope", "")];
  if (auto const* ids = find(record, "/ids"); ids != nullptr && ids->is_array())
    for (auto const& id : ids->get_array())
      if (id.is_string()) listing.ids.emplace(id.get_string());
  listing.complete = boolOr(record, "/last", false);
  return Result<void>();
}

// One bad item is told by its place and field; the rest goes on.
void PullSink::refuse(json::value const& record, Error const& error) {
  auto message = error.message;
  if (!error.field.empty() && message.find(error.field) == std::string::npos)
    message = error.field + ": " + message;
  notTaken(textOr(record, "/id", ""));
  ItemProblem item{textOr(record, "/id", kNoId), std::string(name(error.kind)), context_.scrub(message)};
  run_.problem(std::move(item), true);
}

void PullSink::notTaken(std::string const& id) {
  asked_.erase(id);
  if (by_ids_) came_.insert(id);
  if (can_look_again_ && !id.empty()) not_taken_.insert(id);
}

Task<void> PullSink::checkpoint(std::string cursor_json) {
  CO_TRY(turn, co_await turn_.acquire());
  if (store_error_) co_return *store_error_;
  if (by_ids_)
    co_return Error(ErrorKind::pluginBug, "records.get/1 has no checkpoint: it brings what it was asked for");
  CO_TRY_VOID(parseJson(cursor_json));
  bool listed = false;
  for (auto const& [scope, listing] : listings_) listed = listed || listing.complete;
  if (listed) {
    // The cursor goes last: what it stands for is durable then, deletions too.
    CO_TRY_VOID(co_await flush(std::nullopt));
    CO_TRY_VOID(co_await sweepListings());
  }
  CO_TRY_VOID(co_await flush(std::move(cursor_json)));
  moved_on_ = true;
  if (context_.stopping || run_.stop_requested)
    co_return Error(ErrorKind::cancelled, "the sync was stopped; the next one goes on from this checkpoint");
  if (!context_.lanes->somebodyWaits(session_.connection.id)) co_return Result<void>();
  gave_way_ = true;
  co_return Error(ErrorKind::cancelled, "an action goes first; the pull goes on from this checkpoint");
}

Task<void> PullSink::sweepListings() {
  for (auto& [scope, listing] : listings_) {
    if (!std::exchange(listing.complete, false)) continue;
    auto swept = co_await inbound_.sweep(scope, listing.ids, session_.confirm_deletes);
    if (session_.confirm_deletes && swept && !swept->outcomes.empty()) run_.approval_deleted = true;
    CO_TRY_VOID(co_await stored(std::move(swept)));
  }
  co_return Result<void>();
}

Task<void> PullSink::flush(std::optional<std::string> cursor) {
  // Before the cursor goes past them.
  auto remembered = co_await missed_.remember(std::exchange(not_taken_, std::set<std::string>()));
  if (!remembered) {
    store_error_ = remembered.error();
    co_return remembered.error();
  }
  if (buffer_.empty() && !cursor) co_return Result<void>();
  auto items = std::exchange(buffer_, std::vector<RemoteItem>());
  places_.clear();
  buffered_bytes_ = 0;
  auto applied = co_await inbound_.apply(std::move(items), std::move(cursor));
  co_return co_await stored(std::move(applied));
}

Task<void> PullSink::stored(Result<BatchResult> result) {
  if (!result) {
    store_error_ = result.error();
    co_return result.error();
  }
  if (!result->outcomes.empty()) moved_on_ = true;
  run_.count(kind_.kind.name, *result);
  co_return Result<void>();
}

Task<void> PullSink::finish() {
  CO_TRY(turn, co_await turn_.acquire());
  if (store_error_) co_return *store_error_;
  co_return co_await flush(std::nullopt);
}

Task<void> PullSink::wasWhole() { co_return co_await missed_.forget(std::move(asked_)); }

Task<std::vector<std::string>> PullSink::wasCut() {
  std::set<std::string> well;
  std::vector<std::string> open;
  for (auto const& id : wanted_) {
    if (!came_.contains(id))
      open.push_back(id);
    else if (asked_.contains(id))
      well.insert(id);
  }
  CO_TRY_VOID(co_await missed_.forget(std::move(well)));
  if (!open.empty()) {
    CO_TRY_VOID(co_await missed_.looked(open.front()));
  }
  co_return open;
}

void PullSink::restarted() { ++run_.run.worker_restarts; }

void PullSink::progress(std::uint64_t done, std::uint64_t total) {
  run_.run.progress_done = std::max(run_.run.progress_done, done);
  run_.run.progress_total = std::max(run_.run.progress_total, total);
}

} // namespace garland::sync
