#include "pull.h"

#include "cursor.h"
#include "ends.h"

#include <algorithm>
#include <functional>
#include <utility>

namespace garland::ical_feed {
namespace {

using sdk::Failure;
using sdk::Kind;
using std::chrono::sys_days;

// A feed that has lost all of its events is believed if it stays so for that long.
constexpr auto until_empty_is_believed = std::chrono::hours(24);
// Past events that the feed has dropped are kept, so many: some feeds name every event anew at each download.
constexpr std::size_t dropped_kept = 10'000;

sdk::Request requestFor(Cursor const& known) {
  sdk::Request request;
  request.url = "slot:feed";
  request.headers.push_back({"Accept", "text/calendar, */*;q=0.1"});
  if (known.etag) request.headers.push_back({"If-None-Match", *known.etag});
  if (known.modified) request.headers.push_back({"If-Modified-Since", *known.modified});
  return request;
}

[[noreturn]] void refuse(sdk::Response const& response) {
  auto const status = response.status;
  std::string const told = "the feed's server answered with status " + std::to_string(status);
  bool const gone = status == 401 || status == 403 || status == 410;
  if (gone || status == 404) {
    Failure failure(gone ? Kind::authRevoked : Kind::notFound,
                    told + ": the address is not in use any more; copy it anew from where it is published, "
                           "and connect it under the same name");
    throw std::move(failure).withHttpStatus(status);
  }
  auto failure = sdk::failureOf({}, response);
  failure.message = told;
  throw failure;
}

sdk::ical::Calendar parsed(std::string_view text) {
  auto const begin = text.find_first_not_of(" \t\r\n");
  if (begin != std::string_view::npos && text[begin] == '<')
    throw Failure(Kind::providerBug,
                  "the feed is a web page now, not a calendar; look whether its address has changed");
  try {
    return sdk::ical::parseEvents(text);
  } catch (Failure& failure) {
    throw std::move(failure).within("the feed");
  }
}

class Puller {
public:
  Puller(sdk::Account& account, sdk::calendar::PullRequest const& request, sdk::calendar::Feed& feed)
      : account_(account), feed_(feed), today_(std::chrono::floor<std::chrono::days>(feed.call().now())) {
    // A cursor that cannot be read is as good as none: everything is taken once more.
    if (!request.cursor.is_null())
      static_cast<void>(sdk::attempt([&] { cursor_ = sdk::decode<Cursor>(request.cursor); }));
  }

  void pull() {
    auto const response = account_.send(requestFor(cursor_));
    if (response.status == 304) return unchanged();
    if (!response.ok()) refuse(response);
    auto const calendar = parsed(response.body);
    if (calendar.events.empty() && calendar.problems.empty()) doubtEmptiness();
    take(calendar);
    cursor_.empty_since.reset();
    cursor_.etag = valueOf(response, "etag");
    cursor_.modified = valueOf(response, "last-modified");
    cursor_.quiet = calendar.refresh ? std::optional<std::int64_t>(calendar.refresh->count()) : std::nullopt;
    feed_.checkpoint(sdk::encode(cursor_));
    askLater();
  }

private:
  // The text that was taken last is there again, so that a feed which was empty in between no longer is.
  void unchanged() {
    if (std::exchange(cursor_.empty_since, std::nullopt)) feed_.checkpoint(sdk::encode(cursor_));
    askLater();
  }

  void askLater() { feed_.leaveAlone(std::chrono::seconds(cursor_.quiet.value_or(0))); }

  static std::optional<std::string> valueOf(sdk::Response const& response, std::string_view name) {
    auto const value = response.header(name);
    return value.empty() ? std::nullopt : std::optional(std::string(value));
  }

  // As soon as it may have ended: feeds drop an event the moment it has, zones are not known here, and a day
  // may be over somewhere else, or be the one behind an event of whole days. What was called off as late as
  // that stays, which harms nobody.
  bool isOver(std::optional<std::int64_t> const& last_day) const {
    return last_day && sys_days(std::chrono::days(*last_day)) <= today_ + std::chrono::days(1);
  }

  void doubtEmptiness() {
    auto const open =
        std::ranges::count_if(cursor_.ends, [this](auto const& one) { return !isOver(one.second); });
    if (open == 0) return;
    auto const now = feed_.call().now();
    if (!cursor_.empty_since) cursor_.empty_since = sdk::rfc3339(now);
    if (now >= sdk::parseRfc3339(*cursor_.empty_since).value_or(now) + until_empty_is_believed) return;
    feed_.checkpoint(sdk::encode(cursor_));
    throw Failure(Kind::providerBug, "the feed has no events, although it had " + std::to_string(open) +
                                         " that are not over; they are kept unless it stays empty for a day");
  }

  void take(sdk::ical::Calendar const& calendar) {
    std::map<std::string, std::optional<std::int64_t>> there;
    std::uint64_t done = 0;
    for (auto const& event : calendar.events) {
      auto const last = lastDayOf(event);
      there[event.uid] = last ? std::optional<std::int64_t>(last->time_since_epoch().count()) : std::nullopt;
      put(event);
      feed_.progress(++done, calendar.events.size());
    }
    for (auto const& problem : calendar.problems) {
      auto const place = problem.uid.empty() ? "line " + std::to_string(problem.line) : problem.uid;
      feed_.problem(place, Failure(Kind::providerBug, problem.message));
      // It is there, though it cannot be read.
      if (auto const known = cursor_.ends.find(problem.uid); known != cursor_.ends.end())
        there.insert(*known);
    }
    // Feeds drop what is over. What vanished before was called off.
    std::vector<std::pair<std::int64_t, std::string>> dropped;
    for (auto const& [uid, last] : cursor_.ends)
      if (isOver(last) && !there.contains(uid)) dropped.emplace_back(*last, uid);
    std::ranges::sort(dropped, std::greater());
    if (dropped.size() > dropped_kept) dropped.resize(dropped_kept);
    for (auto& [last, uid] : dropped) there.emplace(std::move(uid), last);
    cursor_.ends = std::move(there);
    std::vector<std::string> ids;
    for (auto const& [uid, last] : cursor_.ends) ids.push_back(uid);
    feed_.listing(calendar_id, ids);
  }

  void put(sdk::calendar::Event const& event) {
    try {
      feed_.put(event.uid, {}, calendar_id, event);
    } catch (Failure const& failure) {
      if (failure.kind != Kind::hostLimit && failure.kind != Kind::invalidInput) throw;
      feed_.problem(event.uid, failure);
    }
  }

  sdk::Account& account_;
  sdk::calendar::Feed& feed_;
  sys_days today_;
  Cursor cursor_;
};

} // namespace

sdk::ical::Calendar fetch(sdk::Account& account) {
  auto const response = account.send(requestFor(Cursor()));
  if (!response.ok()) refuse(response);
  return parsed(response.body);
}

void pull(sdk::Account& account, sdk::calendar::PullRequest const& request, sdk::calendar::Feed& feed) {
  if (!request.wants(calendar_id)) return;
  Puller(account, request, feed).pull();
}

} // namespace garland::ical_feed
