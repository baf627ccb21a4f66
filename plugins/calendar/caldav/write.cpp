#include "write.h"

#include "discovery.h"

#include <garland/sdk/ical.hpp>

#include <algorithm>
#include <array>
#include <cstdio>

namespace garland::caldav {
namespace {

using sdk::Failure;
using sdk::Kind;
using sdk::calendar::Event;
using sdk::calendar::StoredEvent;
using sdk::calendar::UpsertRequest;

[[noreturn]] void conflict(std::string const& what, std::string const& current) {
  throw Failure(Kind::conflict, what).withDetail("current", sdk::json::value(current)).withProviderCode("precondition-failed");
}

bool isGone(Answer const& answer) { return answer.status == 404 || answer.status == 410; }

// The same name for the same UID on every try, so that a repeated create meets the first one.
std::string resourceName(std::string const& uid) {
  constexpr std::size_t longest = 180; // file systems take 255 bytes
  auto name = sdk::percentEncode(uid);
  if (name.size() <= longest) return name + ".ics";
  std::uint64_t hash = 14695981039346656037U; // FNV-1a
  for (char const c : uid) hash = (hash ^ static_cast<unsigned char>(c)) * 1099511628211U;
  std::array<char, 24> digits{};
  std::snprintf(digits.data(), digits.size(), "-%016llx", static_cast<unsigned long long>(hash));
  name.resize(name.find_last_not_of("%0123456789ABCDEF", longest) + 1);
  return name + digits.data() + ".ics";
}

class Writer {
public:
  Writer(Dav& dav, UpsertRequest const& request, sdk::Call& call) : dav_(dav), request_(request), now_(call.now()) {}

  StoredEvent create(std::string scope) {
    if (!scope.ends_with('/')) scope += '/';
    auto const url = canonicalUrl(scope, resourceName(request_.data.uid));
    auto text = textOver("");
    auto const answer = dav_.put(url, text, "*", "");
    if (answer.status == 412) return alreadyThere(url, scope, text);
    if (answer.status == 409 || answer.error == "no-uid-conflict")
      conflict("the calendar has another item with the UID \"" + request_.data.uid + "\"", "");
    if (!answer.ok()) refuse(url, answer);
    return readBack(url, scope);
  }

  StoredEvent update(std::string const& url) {
    auto const scope = canonicalUrl(url, ".");
    auto const before = dav_.get(url);
    if (!before.ok()) dav_.fail("GET", url, before);
    if (request_.version && strongTag(*request_.version) != strongTag(before.etag))
      conflict("the event was changed at the server meanwhile", before.etag);
    std::string const stored(before.body);
    auto text = textOver(stored);
    if (text == stored) return {url, before.etag, scope, request_.data};
    auto const answer = dav_.put(url, std::move(text), "", before.etag.empty() ? "*" : before.etag);
    if (answer.status == 412) {
      auto const now = dav_.get(url);
      conflict("the event was changed at the server meanwhile", now.ok() ? now.etag : "");
    }
    if (!answer.ok()) refuse(url, answer);
    return readBack(url, scope);
  }

private:
  std::string textOver(std::string existing) const {
    auto const zones = request_.zones.value_or(std::map<std::string, std::string>());
    return sdk::ical::toIcs(request_.data, {zones, std::move(existing), now_});
  }

  // A create that meets an item of its name: our own earlier try, if it says the same.
  StoredEvent alreadyThere(std::string const& url, std::string const& scope, std::string const& text) {
    auto const existing = dav_.get(url);
    if (!existing.ok()) dav_.fail("GET", url, existing);
    auto const ours = sdk::ical::parseEvents(text).events;
    std::vector<Event> theirs;
    // What cannot be read is not ours.
    static_cast<void>(sdk::attempt([&] { theirs = sdk::ical::parseEvents(existing.body).events; }));
    if (ours.empty() || theirs != ours)
      conflict("the calendar has another event under the same name", existing.etag);
    return {url, existing.etag, scope, theirs.front()};
  }

  [[noreturn]] void refuse(std::string const& url, Answer const& answer) const {
    if (answer.error.starts_with("valid-calendar"))
      throw Failure(Kind::invalidInput, "the server does not take the event: " + answer.error)
          .withField("/data").withHttpStatus(answer.status).withProviderCode(answer.error);
    dav_.fail("PUT", url, answer);
  }

  StoredEvent readBack(std::string const& url, std::string const& scope) {
    auto const now = dav_.get(url);
    if (!now.ok()) dav_.fail("GET", url, now);
    auto const parsed = sdk::ical::parseEvents(now.body);
    if (parsed.events.size() != 1)
      throw Failure(Kind::providerBug, "the server took the event, but " + url + " holds something else now");
    return {url, now.etag, scope, parsed.events.front()};
  }

  Dav& dav_;
  UpsertRequest const& request_;
  sdk::TimePoint now_;
};

std::string defaultCalendar(Dav& dav, std::string const& url) {
  for (auto const& calendar : listCalendars(dav, locate(dav, url)))
    if (calendar.writable) return calendar.url;
  throw Failure(Kind::forbidden, "the account has no calendar that may be written");
}

} // namespace

StoredEvent upsert(sdk::Account& account, std::string const& url, UpsertRequest const& request, sdk::Call& call) {
  Dav dav(account);
  Writer writer(dav, request, call);
  if (request.id) return writer.update(*request.id);
  return writer.create(request.scope && !request.scope->empty() ? *request.scope : defaultCalendar(dav, url));
}

void remove(sdk::Account& account, sdk::calendar::DeleteRequest const& request) {
  Dav dav(account);
  auto const answer = dav.remove(request.id, request.version.value_or(""));
  if (answer.ok() || isGone(answer)) return;
  if (answer.status != 412) dav.fail("DELETE", request.id, answer);
  auto const now = dav.get(request.id);
  if (isGone(now)) return;
  conflict("the event was changed at the server meanwhile", now.ok() ? now.etag : "");
}

} // namespace garland::caldav
