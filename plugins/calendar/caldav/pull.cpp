#include "pull.h"

#include "cursor.h"
#include "discovery.h"
#include "listing.h"

#include <garland/sdk/ical.hpp>

#include <algorithm>
#include <initializer_list>
#include <set>
#include <utility>

namespace garland::caldav {
namespace {

using sdk::Failure;
using sdk::Kind;
using Urls = std::vector<std::string>;

constexpr std::size_t largest_batch = 50;
constexpr std::size_t max_retries = 1000;
// The host keeps every answer of a call until it ends (64 MiB): a larger calendar comes in several calls.
constexpr std::uint64_t max_received = 40U << 20U;

// The failure of `work` if it is of one of these kinds, which then say something about one item only.
template <class Work>
std::optional<Failure> attemptItem(std::initializer_list<Kind> of_the_item, Work&& work) {
  try {
    std::forward<Work>(work)();
    return std::nullopt;
  } catch (Failure& failure) {
    if (std::ranges::find(of_the_item, failure.kind) == of_the_item.end()) throw;
    return std::move(failure);
  }
}

class Puller {
public:
  Puller(Dav& dav, sdk::calendar::PullRequest const& request, sdk::calendar::Feed& feed)
      : dav_(dav), request_(request), feed_(feed) {
    // A cursor that cannot be read is as good as none: everything is listed once more.
    if (!request.cursor.is_null())
      static_cast<void>(sdk::attempt([&] { cursor_ = sdk::decode<Cursor>(request.cursor); }));
  }

  void pull(std::vector<Calendar> const& calendars) {
    for (auto const& calendar : calendars)
      if (request_.wants(calendar.url)) pullCalendar(calendar);
    forgetVanished(calendars);
  }

private:
  CalendarState& state(std::string const& calendar) { return cursor_.calendars[calendar]; }
  void checkpoint() { feed_.checkpoint(sdk::encode(cursor_)); }

  void pullCalendar(Calendar const& calendar) {
    retryFailed(calendar.url);
    auto const& known = state(calendar.url);
    if (!known.progress && isUnchanged(calendar, known)) return;
    if (known.token && pullChanges(calendar.url)) return;
    bool const listed = known.etags && !known.token && !known.progress;
    if (listed)
      pullByEtags(calendar.url);
    else
      pullEverything(calendar.url);
  }

  static bool isUnchanged(Calendar const& calendar, CalendarState const& known) {
    if (known.token) return *known.token == calendar.sync_token;
    return known.ctag && !known.ctag->empty() && *known.ctag == calendar.ctag;
  }

  // ---- by sync token
  bool pullChanges(std::string const& calendar) {
    for (bool more = true; more;) {
      auto changes = changesSince(dav_, calendar, *state(calendar).token);
      if (!changes) {
        feed_.call().log(sdk::LogLevel::info,
                         "the server refused the sync token; the calendar is listed in full",
                         {{"calendar", calendar}});
        state(calendar) = CalendarState();
        return false;
      }
      more = changes->truncated;
      if (more && changes->token == *state(calendar).token)
        throw Failure(Kind::providerBug, "REPORT " + calendar + ": the list of changes has no end");
      begin(calendar, {changes->token, "", ""});
      for (auto const& url : changes->gone) feed_.gone(url, calendar);
      work(calendar, changes->present);
      auto& done = state(calendar);
      done.token = done.progress->token;
      done.progress.reset();
      checkpoint();
    }
    return true;
  }

  // ---- without sync tokens: compare every ETag. The tags of what is done are the progress.
  void pullByEtags(std::string const& calendar) {
    auto const ctag = readCtag(dav_, calendar);
    auto const all = listAll(dav_, calendar, false);
    std::erase_if(*state(calendar).etags,
                  [&all](auto const& item) { return !all.present.contains(item.first); });
    auto changed = all.present;
    std::erase_if(changed, [&known = *state(calendar).etags](auto const& item) {
      auto const old = known.find(item.first);
      return old != known.end() && old->second == item.second && !item.second.empty();
    });
    work(calendar, changed);
    // What is not in it was deleted: the host judges that as a whole, as it could not item by item.
    tellAll(calendar, all.present);
    state(calendar).ctag = ctag;
    checkpoint();
  }

  // ---- from nothing, or going on with that
  void pullEverything(std::string const& calendar) {
    auto const ctag = readCtag(dav_, calendar);
    auto const all = listAll(dav_, calendar);
    begin(calendar, {all.token, ctag, ""});
    auto& known = state(calendar);
    if (known.progress->token.empty() && !known.etags) known.etags.emplace();
    work(calendar, all.present);
    tellAll(calendar, all.present);
    if (!known.progress->token.empty()) {
      known.token = known.progress->token;
      known.etags.reset();
    }
    known.ctag = known.progress->ctag;
    known.progress.reset();
    checkpoint();
  }

  void tellAll(std::string const& calendar, std::map<std::string, std::string> const& present) {
    Urls ids;
    for (auto const& [url, etag] : present) ids.push_back(url);
    feed_.listing(calendar, ids);
  }

  void begin(std::string const& calendar, Progress const& listing) {
    if (!state(calendar).progress) state(calendar).progress = listing;
  }

  // ---- items
  void work(std::string const& calendar, std::map<std::string, std::string> const& items) {
    total_ += items.size();
    auto& progress = state(calendar).progress;
    auto const after = progress ? progress->after : std::string();
    Urls batch;
    for (auto item = items.begin(); item != items.end();) {
      if (after.empty() || item->first > after)
        batch.push_back(item->first);
      else
        ++done_;
      ++item;
      if (batch.empty() || (batch.size() < batch_size_ && item != items.end())) continue;
      feed_.call().stopIfCancelled();
      if (!fetch(calendar, batch)) {
        item = items.find(batch.front());
        batch.clear();
        continue;
      }
      done_ += batch.size();
      if (progress) progress->after = batch.back();
      if (auto& etags = state(calendar).etags)
        for (auto const& url : batch) etags->insert_or_assign(url, items.at(url));
      checkpoint();
      feed_.progress(done_, total_);
      pauseIfFull(item != items.end());
      batch.clear();
    }
  }

  // Whether another answer might find no room at the host, however small it is.
  bool isFull() const { return dav_.received() >= max_received; }

  void pauseIfFull(bool more) const {
    if (!more || !isFull()) return;
    throw Failure(Kind::transient, "a part of a large calendar is stored; the next sync goes on from there");
  }

  // False if the items are too large together: then nothing was taken, and batches are smaller from now on.
  bool fetch(std::string const& calendar, Urls const& batch) {
    std::set<std::string> open(batch.begin(), batch.end());
    if (multiget_works_) multiget(calendar, batch, open);
    if (batch.size() > batch_size_) return false;
    for (auto const& url : open) fetchOne(calendar, url);
    return true;
  }

  // Takes what it got out of `open`. A server may refuse the request, or stumble over one item of it:
  // the items that are left are asked for one by one.
  void multiget(std::string const& calendar, Urls const& batch, std::set<std::string>& open) {
    std::string body =
        "<c:calendar-multiget xmlns:d=\"DAV:\" xmlns:c=\"urn:ietf:params:xml:ns:caldav\"><d:prop>"
        "<d:getetag/><c:calendar-data/></d:prop>";
    for (auto const& url : batch) body += "<d:href>" + escapeXml(pathOf(url)) + "</d:href>";
    Answer answer;
    auto const failure = attemptItem({Kind::hostLimit, Kind::providerBug}, [&] {
      answer = dav_.report(calendar, "1", body + "</c:calendar-multiget>");
    });
    if (failure && failure->kind == Kind::hostLimit) {
      pauseIfFull(true);
      multiget_works_ = false;
      batch_size_ = 1; // a checkpoint after each
    }
    if (failure) return;
    if (concernsEverything(answer.status)) dav_.fail("REPORT", calendar, answer);
    if (!answer.multistatus) {
      multiget_works_ = answer.status >= 500;
      return;
    }
    for (auto const& resource : answer.multistatus->resources) {
      // A 404 in here may be about the spelling of the URL; a request for the item alone decides.
      bool const given = resource.properties.has(names::calendar_data);
      if (!given || open.erase(resource.url) == 0) continue;
      take(calendar, resource.url, resource.text(names::etag), resource.text(names::calendar_data));
    }
  }

  void fetchOne(std::string const& calendar, std::string const& url) {
    Answer answer;
    auto const unusable = attemptItem({Kind::hostLimit, Kind::providerBug}, [&] { answer = dav_.get(url); });
    // With a call that is full the item may be as small as any.
    if (unusable && unusable->kind == Kind::hostLimit) pauseIfFull(true);
    if (unusable) return feed_.problem(url, *unusable);
    if (concernsEverything(answer.status)) dav_.fail("GET", url, answer);
    if (answer.status == 404 || answer.status == 410) {
      feed_.gone(url, calendar);
    } else if (!answer.ok()) {
      if (auto const failure = sdk::attempt([&] { dav_.fail("GET", url, answer); }))
        feed_.problem(url, *failure);
      askAgain(calendar, url);
    } else {
      take(calendar, url, answer.etag, answer.body);
    }
  }

  void take(std::string const& calendar, std::string const& url, std::string_view etag,
            std::string_view text) {
    sdk::ical::Calendar parsed;
    auto failure = sdk::attempt([&] { parsed = sdk::ical::parseEvents(text); });
    if (!failure && !parsed.problems.empty())
      failure.emplace(Kind::providerBug, parsed.problems.front().message);
    if (!failure && parsed.events.size() > 1)
      failure.emplace(Kind::providerBug,
                      "the item holds more than one event (UID), which CalDAV does not allow");
    if (failure) return feed_.problem(url, *failure);
    // A to-do or a journal entry; it may have been an event before.
    if (parsed.events.empty()) return feed_.gone(url, calendar);
    failure = attemptItem({Kind::hostLimit, Kind::invalidInput},
                          [&] { feed_.put(url, etag, calendar, parsed.events.front()); });
    if (failure) feed_.problem(url, *failure);
  }

  // ---- items that the server failed to give
  void askAgain(std::string const& calendar, std::string const& url) {
    auto& retry = state(calendar).retry;
    if (!retry) retry.emplace();
    if (std::ranges::find(*retry, url) != retry->end()) return;
    // Without a checkpoint from here on these items are asked for again.
    if (retry->size() >= max_retries)
      throw Failure(Kind::transient, "the server fails to give more than " + std::to_string(max_retries) +
                                         " items of " + calendar);
    retry->push_back(url);
  }

  void retryFailed(std::string const& calendar) {
    auto const failed = state(calendar).retry;
    if (!failed) return;
    for (auto const& url : *failed) {
      feed_.call().stopIfCancelled();
      std::erase(*state(calendar).retry, url);
      fetchOne(calendar, url);
      if (!isFull()) continue;
      checkpoint();
      pauseIfFull(true);
    }
    if (state(calendar).retry->empty()) state(calendar).retry.reset();
    checkpoint();
  }

  // ---- calendars that are there no more
  void forgetVanished(std::vector<Calendar> const& calendars) {
    Urls vanished;
    for (auto const& [url, known] : cursor_.calendars)
      if (std::none_of(calendars.begin(), calendars.end(), [&](auto const& one) { return one.url == url; }))
        vanished.push_back(url);
    for (auto const& url : vanished) {
      feed_.listing(url, {});
      cursor_.calendars.erase(url);
    }
    if (!vanished.empty()) checkpoint();
  }

  Dav& dav_;
  sdk::calendar::PullRequest const& request_;
  sdk::calendar::Feed& feed_;
  Cursor cursor_;
  bool multiget_works_ = true;
  std::size_t batch_size_ = largest_batch;
  std::uint64_t done_ = 0;
  std::uint64_t total_ = 0;
};

} // namespace

void pull(sdk::Account& account, std::string const& url, sdk::calendar::PullRequest const& request,
          sdk::calendar::Feed& feed) {
  Dav dav(account, url);
  auto const calendars = listCalendars(dav, locate(dav, url));
  Puller(dav, request, feed).pull(calendars);
}

} // namespace garland::caldav
