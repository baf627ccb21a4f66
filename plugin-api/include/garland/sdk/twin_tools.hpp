// What twins are made of: seeded randomness, ids, rows, pages, limits, keys seen before, the truth ledger.
// Everything here is deterministic: the same on every machine and with every compiler, no clock of its own.
#pragma once

#include <garland/sdk/twin_http.hpp>

#include <algorithm>
#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

namespace garland::sdk::twin {

// SplitMix64. Not for secrets.
class Random {
public:
  explicit Random(std::uint64_t seed) : state_(seed) {}
  // A stream of its own, so that drawing more from one thing changes nothing of another.
  Random stream(std::string_view name) const;

  std::uint64_t next();
  std::uint64_t below(std::uint64_t bound);                        // 0..bound-1; 0 for bound 0
  std::int64_t between(std::int64_t least, std::int64_t most);     // both included
  bool chance(std::uint64_t of, std::uint64_t in);                 // true `of` times `in` `in`
  std::string text(std::size_t length, std::string_view alphabet); // random characters
  template <class Item, std::size_t N> Item const& pick(Item const (&items)[N]) { return items[below(N)]; }

private:
  std::uint64_t state_;
};

// A made-up person; mail addresses end in example.com, telephone numbers are of the 555-01xx range.
struct Person {
  std::string first;
  std::string last;
  std::string email;
  std::string phone;
};
Person person(Random& random);

// Ids as providers make them; never the same twice in one twin.
class Ids {
public:
  explicit Ids(Random random) : random_(random) {}
  // "pi_3Kx9...": the prefix and so many letters and digits.
  std::string text(std::string_view prefix, std::size_t length = 24);
  std::string uuid();                         // RFC 4122 in form, version 4
  std::int64_t number(std::string_view kind); // 1, 2, 3, ... for each kind

private:
  Random random_;
  std::map<std::string, std::int64_t, std::less<>> last_;
};

// Rows by id, in the order they were added. References stay valid until the row is erased.
template <class Row> class Table {
public:
  Row& add(std::string id, Row row) {
    auto const at = next_++;
    index_[std::move(id)] = at;
    return rows_[at] = std::move(row);
  }
  Row* find(std::string_view id) {
    auto const found = index_.find(std::string(id));
    return found == index_.end() ? nullptr : &rows_.at(found->second);
  }
  Row const* find(std::string_view id) const { return const_cast<Table*>(this)->find(id); }
  bool erase(std::string_view id) {
    auto const found = index_.find(std::string(id));
    if (found == index_.end()) return false;
    rows_.erase(found->second);
    index_.erase(found);
    return true;
  }
  std::size_t size() const { return rows_.size(); }
  // The rows that `keep` accepts, oldest first.
  template <class Keep> std::vector<Row const*> where(Keep keep) const {
    std::vector<Row const*> out;
    for (auto const& [at, row] : rows_)
      if (keep(row)) out.push_back(&row);
    return out;
  }
  std::vector<Row const*> all() const {
    return where([](Row const&) { return true; });
  }

private:
  std::map<std::uint64_t, Row> rows_;
  std::unordered_map<std::string, std::uint64_t> index_;
  std::uint64_t next_ = 0;
};

template <class Item> struct Page {
  std::vector<Item> items;
  bool more = false;      // there are items behind this page
  std::size_t total = 0;  // of the whole list
  std::size_t offset = 0; // of the first item
};

// At most `limit` items from `offset` on.
template <class Item> Page<Item> pageAt(std::vector<Item> const& all, std::size_t offset, std::size_t limit) {
  Page<Item> page;
  page.total = all.size();
  page.offset = std::min(offset, all.size());
  auto const count = std::min(limit, all.size() - page.offset);
  auto const first = all.begin() + static_cast<std::ptrdiff_t>(page.offset);
  page.items.assign(first, first + static_cast<std::ptrdiff_t>(count));
  page.more = page.offset + count < all.size();
  return page;
}

// At most `limit` items behind the one that `is_cursor` accepts ("starting_after"); nothing if there is no
// such item.
template <class Item, class IsCursor>
std::optional<Page<Item>> pageAfter(std::vector<Item> const& all, IsCursor is_cursor, std::size_t limit) {
  auto const at = std::find_if(all.begin(), all.end(), is_cursor);
  if (at == all.end()) return std::nullopt;
  return pageAt(all, static_cast<std::size_t>(at - all.begin()) + 1, limit);
}

// Token buckets on the provider's clock: `burst` requests at once, `burst` more in every `per`.
class RateLimit {
public:
  struct Verdict {
    bool allowed = true;
    std::int64_t limit = 0;
    std::int64_t remaining = 0;
    Milliseconds retry_after{0}; // of a refused one: until one request is allowed again
  };
  RateLimit(std::int64_t burst, Milliseconds per) : burst_(burst), per_(per) {}
  // `who`: each key has a bucket of its own.
  Verdict take(std::string_view who, TimePoint now);

private:
  struct Bucket {
    std::int64_t used = 0; // what was taken and has not come back, in units of 1/per of a request
    TimePoint at;
  };
  std::int64_t burst_;
  Milliseconds per_;
  std::map<std::string, Bucket, std::less<>> buckets_;
};

// Idempotency keys and the answers they got.
class SeenKeys {
public:
  explicit SeenKeys(Milliseconds keep_for = std::chrono::hours(24)) : keep_for_(keep_for) {}

  enum class Seen { never, same, otherRequest };
  struct Lookup {
    Seen seen = Seen::never;
    Response const* answer = nullptr; // for `same`
  };
  // `request`: whatever has to be equal for a repetition (method, path and body, say).
  Lookup find(std::string_view key, std::string_view request, TimePoint now) const;
  void keep(std::string key, std::string request, Response answer, TimePoint now);

private:
  struct Entry {
    std::string request;
    Response answer;
    TimePoint at;
  };
  Milliseconds keep_for_;
  std::map<std::string, Entry, std::less<>> entries_;
};

// What really happened at the provider, in order. Only what changed something stands here.
struct LedgerEntry {
  std::int64_t seq = 0; // 1, 2, 3, ...
  TimePoint at;
  std::string what; // "payment.captured"
  std::string id;   // of what it happened to
  json::value data;
};
GARLAND_RECORD(LedgerEntry, seq, at, what, id, data)

class Ledger {
public:
  LedgerEntry const& append(TimePoint at, std::string what, std::string id, json::value data);
  std::int64_t last() const { return static_cast<std::int64_t>(entries_.size()); }
  std::deque<LedgerEntry> const& entries() const { return entries_; }

private:
  std::deque<LedgerEntry> entries_;
};

} // namespace garland::sdk::twin
