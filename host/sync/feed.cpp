#include "host/sync/feed.h"

#include "host/sync/sql.h"

#include <algorithm>
#include <set>

namespace garland::sync {
namespace {

Change changeFrom(std::string const& vendor_id, store::Row const& row) {
  Change change;
  change.sequence = row.integer(0);
  change.vendor_id = vendor_id;
  change.record_id = row.text(1);
  change.kind = row.text(2);
  change.action = row.text(3);
  change.record_version = row.integer(4);
  change.origin = row.text(5);
  change.at = fromMillis(row.integer(6));
  return change;
}

} // namespace

Task<std::vector<Change>> Feed::changes(std::string vendor_id, std::int64_t after, int limit) {
  CO_TRY_VOID(co_await vendors_.require(vendor_id));
  if (limit < 1 || limit > 1000) co_return Error(ErrorKind::invalidInput, "limit is 1 to 1000", "/limit");
  store::Statement query("SELECT sequence, record_id, kind, action, record_version, origin, at FROM changes "
                         "WHERE vendor_id=$1 AND sequence>$2 ORDER BY sequence LIMIT $3",
                         {vendor_id, after, std::int64_t{limit}});
  CO_TRY(rows, co_await context_.doors.store.read(std::move(query)));
  std::vector<Change> changes;
  changes.reserve(rows.rows.size());
  for (auto const& row : rows.rows) changes.push_back(changeFrom(vendor_id, row));
  CO_TRY_VOID(co_await addWeddings(vendor_id, &changes));
  co_return changes;
}

Task<std::vector<FeedSpan>> Feed::spans(std::vector<std::string> vendor_ids) {
  constexpr std::size_t kAtOnce = 256;
  std::vector<FeedSpan> spans;
  for (std::size_t begin = 0; begin < vendor_ids.size(); begin += kAtOnce) {
    auto const end = std::min(begin + kAtOnce, vendor_ids.size());
    std::vector<std::string> const some(vendor_ids.begin() + static_cast<std::ptrdiff_t>(begin),
                                        vendor_ids.begin() + static_cast<std::ptrdiff_t>(end));
    Values args;
    auto const list = inList(args, some);
    store::Statement query("SELECT c.vendor_id, c.value, (SELECT MIN(h.sequence) FROM changes h "
                           "WHERE h.vendor_id=c.vendor_id) FROM counters c WHERE c.name='changes' AND "
                           "c.vendor_id IN (" +
                               list + ")",
                           std::move(args));
    CO_TRY(rows, co_await context_.doors.store.read(std::move(query)));
    for (auto const& row : rows.rows) {
      FeedSpan span;
      span.vendor_id = row.text(0);
      span.last = row.integer(1);
      span.first = row.isNull(2) ? span.last + 1 : row.integer(2);
      spans.push_back(std::move(span));
    }
  }
  co_return spans;
}

Task<void> Feed::addWeddings(std::string vendor_id, std::vector<Change>* changes) {
  std::set<std::string> members;
  for (auto& change : *changes) {
    auto const* entry = context_.kind(change.kind);
    if (entry == nullptr) continue;
    if (entry->kind.is_wedding)
      change.wedding = change.record_id;
    else if (!entry->kind.wedding_member.empty())
      members.insert(change.record_id);
  }
  if (members.empty()) co_return Result<void>();
  std::vector<std::string> ids(members.begin(), members.end());
  CO_TRY(projects, co_await projectsOf(vendor_id, std::move(ids)));
  if (projects.empty()) co_return Result<void>();
  CO_TRY(weddings, co_await recordsOf(vendor_id, &projects));
  for (auto& change : *changes)
    if (auto const found = weddings.find(change.record_id); found != weddings.end())
      change.wedding = found->second;
  co_return Result<void>();
}

Task<Feed::Projects> Feed::projectsOf(std::string vendor_id, std::vector<std::string> record_ids) {
  Values args = {vendor_id};
  auto const list = inList(args, record_ids);
  store::Statement query("SELECT record_id, kind, data FROM records WHERE vendor_id=$1 AND record_id IN (" +
                             list + ")",
                         std::move(args));
  CO_TRY(rows, co_await context_.doors.store.read(std::move(query)));
  Projects projects;
  for (auto const& row : rows.rows) {
    auto const* entry = context_.kind(row.text(1));
    if (entry == nullptr) continue; // of a kind that this build does not know
    auto project = textOr(readJson(row.text(2)), entry->kind.wedding_member, "");
    if (!project.empty()) projects.emplace(row.text(0), std::move(project));
  }
  co_return projects;
}

Task<std::map<std::string, std::string>> Feed::recordsOf(std::string vendor_id, Projects const* projects) {
  std::vector<std::string> kinds, records, names;
  for (auto const& entry : context_.kinds())
    if (entry.kind.is_wedding) kinds.push_back(entry.kind.name);
  std::map<std::string, std::string> weddings;
  if (kinds.empty()) co_return weddings;
  for (auto const& [record, project] : *projects) {
    records.push_back(record);
    names.push_back(project);
  }
  Values args = {vendor_id};
  auto const in_records = inList(args, records);
  auto const in_names = inList(args, names);
  auto const in_kinds = inList(args, kinds);
  store::Statement query("SELECT l.record_id, p.remote_id, p.record_id FROM links l JOIN links p ON "
                         "p.vendor_id=l.vendor_id AND p.connection_id=l.connection_id AND p.remote_id IN (" +
                             in_names + ") AND p.kind IN (" + in_kinds +
                             ") WHERE l.vendor_id=$1 AND l.record_id IN (" + in_records +
                             ") ORDER BY l.record_id, l.connection_id, p.kind, p.record_id",
                         std::move(args));
  CO_TRY(rows, co_await context_.doors.store.read(std::move(query)));
  for (auto const& row : rows.rows)
    if (auto const asked = projects->find(row.text(0));
        asked != projects->end() && asked->second == row.text(1))
      weddings.emplace(row.text(0), row.text(2));
  co_return weddings;
}

} // namespace garland::sync
