// Pulls of a list that is sorted by its last modification.
//
// While the list is read, page after page, it changes. What is modified goes to its front and pushes the
// rest down: records come twice, none is missed, and the next walk, which begins at once, finds it. What is
// deleted lets the rest move up, and a record could slip from the next page to one that was read. That
// needs more deletions than creations between two answers, so the total has sunk: then we go back.
//
// What has no id in the answer cannot be taken. The next pull reads back to it once more, and what is known
// between comes twice.
#include "hash.h"
#include "rest_state.h"

#include <algorithm>
#include <utility>

namespace garland::sdk::rest {
namespace {

constexpr int max_walks = 10; // of one pull; the next pull goes on

class DescendingPuller : public Puller {
public:
  DescendingPuller(Account& account, Resource const& resource, State& state, Receiver& receiver)
      : Puller(account, resource, state, receiver), rule_(std::get<Descending>(resource.changes)) {}

  void pull() {
    for (int walks = 0; walks < max_walks; ++walks) {
      begin(walks == 0);
      // A single page is read at one moment.
      if (walk() <= 1 && !state_.listed.empty()) break;
    }
  }

private:
  Walk& now() { return *state_.walk; }

  void begin(bool first) {
    if (state_.walk) {
      now().whole = false;
      return;
    }
    auto const listed = parseRfc3339(state_.listed);
    bool const sweep = !listed || account_.call().now() - *listed >= rule_.sweep;
    state_.walk = Walk{.full = state_.mark.empty() || sweep};
    if (first) now().back = std::exchange(state_.back, std::nullopt);
  }

  // How many pages it took.
  int walk() {
    given_.clear();
    fresh_.clear();
    Pages pages(account_, resource_, {{std::string(rule_.parameter), std::string(rule_.value)}}, now().at);
    bool looking = !now().until.empty(); // for where an earlier call stopped
    std::optional<std::int64_t> total;
    int read = 0;
    bool known = false;
    while (!known && pages.next()) {
      ++read;
      auto const before = std::exchange(total, totalOf(pages.document()));
      if (before && *total < *before) {
        stepBack(pages, *before - *total);
        continue;
      }
      if (looking && !pages.atFirst() && !overlaps(pages.records())) {
        pages.back(1);
        continue;
      }
      looking = false;
      if (pages.atFirst() && now().target.empty()) open(*total);
      known = takeAll(pages.records());
      now().at = pages.position();
      if (known || now().at.empty()) break;
      checkpoint();
      pauseIfFull(pages.received());
    }
    close();
    return read;
  }

  std::int64_t totalOf(json::value const& answer) const {
    auto const* total = find(answer, rule_.total);
    if (total == nullptr || !total->is_int64() || total->get_int64() < 0)
      throw Failure(Kind::providerBug, "the list " + std::string(resource_.path) + ": " +
                                           std::string(rule_.total) +
                                           ": must say how many records there are");
    return total->get_int64();
  }

  // So many records may have moved up to a page that was read.
  void stepBack(Pages& pages, std::int64_t moved) const {
    account_.call().log(LogLevel::info, "records were deleted while the list was read; a part is read again",
                        {{"list", json::value(resource_.path)}, {"deleted", moved}});
    auto const size = std::max<std::int64_t>(1, static_cast<std::int64_t>(pages.records().size()));
    pages.back(moved / size + 1);
  }

  // Does this page begin before the last record that was taken, so that none is between?
  bool overlaps(json::array const& records) const {
    if (records.empty()) return false;
    auto const first = modifiedOf(records.front());
    auto const until = parseRfc3339(state_.walk->until);
    return first && until && *first > *until;
  }

  // The first page of a walk.
  void open(std::int64_t total) {
    // Fewer than there were: some are gone, and only a list of all tells which.
    if (total < state_.total) now().full = true;
    now().total = total;
  }

  std::optional<TimePoint> modifiedOf(json::value const& record) const {
    return parseRfc3339(textOr(record, rule_.modified));
  }

  // What is older is known.
  std::optional<TimePoint> knownUpTo() const { return parseRfc3339(state_.walk->back.value_or(state_.mark)); }

  // True if what follows is known already.
  bool takeAll(json::array const& records) {
    auto const mark = knownUpTo();
    std::optional<TimePoint> before;
    bool known = false;
    for (auto const& record : records) {
      auto const modified = modifiedOf(record);
      if (modified && before && *modified > *before)
        throw Failure(Kind::providerBug, "the list " + std::string(resource_.path) + " is not sorted by " +
                                             std::string(rule_.modified));
      if (modified) {
        before = modified;
        now().until = rfc3339(*modified);
      }
      if (now().target.empty() && modified) now().target = rfc3339(*modified);
      known = known || (modified && mark && *modified < *mark);
      if (known && !(now().full && now().whole)) return true;
      if (!known) takeOne(record, modified);
    }
    if (now().full && now().whole) listIds(records, false);
    return false;
  }

  void takeOne(json::value const& record, std::optional<TimePoint> modified) {
    noteNameless(record, modified);
    auto const id = textOr(record, resource_.id);
    auto const hash = hashOf(json::serialize(record));
    auto const time = modified ? rfc3339(*modified) : std::string();
    if (!id.empty() && !time.empty() && time == now().target) now().ties[id] = hash;
    auto const tie = state_.ties.find(id);
    bool const same = time == state_.mark && tie != state_.ties.end() && tie->second == hash;
    if (same || !given_.insert(id + "\n" + hash).second) return;
    if (isFresh(record, id)) ++now().fresh;
    receiver_.take(record);
  }

  // Created since the last walk, and not counted yet?
  bool isFresh(json::value const& record, std::string const& id) {
    if (rule_.created.empty()) return false;
    auto const created = parseRfc3339(textOr(record, rule_.created));
    auto const mark = parseRfc3339(state_.mark);
    if (!created || !mark || *created < *mark) return false;
    return !(*created == *mark && state_.ties.contains(id)) && fresh_.insert(id).second;
  }

  void close() {
    if (now().full) {
      // A walk in several calls cannot list; the next one that is due will.
      if (now().whole) listIds({}, true);
      state_.listed = rfc3339(account_.call().now());
    } else if (now().total < state_.total + now().fresh) {
      state_.listed.clear(); // some are gone: the next walk lists all
    }
    if (auto const& nameless = now().nameless; nameless && !state_.back)
      state_.back = nameless->empty() ? rfc3339(knownUpTo().value_or(TimePoint())) : *nameless;
    if (!now().target.empty()) {
      state_.mark = now().target;
      state_.ties = std::move(now().ties);
    }
    // That of its beginning, so that what was deleted meanwhile is noticed by the next pull.
    state_.total = now().total;
    state_.walk.reset();
    checkpoint();
  }

  Descending const& rule_;
  std::set<std::string> given_; // in this walk: ids with hashes
  std::set<std::string> fresh_; // in this walk: ids
};

} // namespace

void pullDescending(Account& account, Resource const& resource, State& state, Receiver& receiver) {
  DescendingPuller(account, resource, state, receiver).pull();
}

} // namespace garland::sdk::rest
