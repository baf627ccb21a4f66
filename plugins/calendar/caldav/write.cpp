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

// The write was refused: nothing was changed.
[[noreturn]] void conflict(std::string const& what, std::string const& current) {
  throw Failure(Kind::conflict, what)
      .withDetail("current", sdk::json::value(current))
      .withEffect(sdk::Effect::notApplied);
}

// valid-calendar-data, valid-calendar-object-resource, ...: the text is refused, not the write.
bool isAboutData(Answer const& answer) {
  return answer.error.starts_with("valid-calendar") || answer.error.starts_with("supported-calendar");
}

bool isGone(Answer const& answer) { return answer.status == 404 || answer.status == 410; }

// The same name for the same UID on every try, so that a repeated create meets the first one. What a
// server might not take in a name, encoded or not, is replaced, and a hash keeps the names apart.
std::string resourceName(std::string const& uid) {
  constexpr std::size_t longest = 180; // file systems take 255 bytes
  std::string name;
  std::uint64_t hash = 14695981039346656037U; // FNV-1a
  for (char const c : uid) {
    hash = (hash ^ static_cast<unsigned char>(c)) * 1099511628211U;
    bool const plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
                       std::string_view("-_@").find(c) != std::string_view::npos ||
                       (c == '.' && !name.empty());
    name += plain ? c : '-';
  }
  if (name == uid && name.size() <= longest) return sdk::percentEncode(name) + ".ics";
  std::array<char, 24> digits{};
  std::snprintf(digits.data(), digits.size(), "-%016llx", static_cast<unsigned long long>(hash));
  return sdk::percentEncode(name.substr(0, longest)) + digits.data() + ".ics";
}

class Writer {
public:
  Writer(Dav& dav, UpsertRequest const& request, sdk::Call& call)
      : dav_(dav), request_(request), now_(call.now()) {}

  StoredEvent create(std::string scope) {
    if (!scope.ends_with('/')) scope += '/';
    auto const url = canonicalUrl(scope, resourceName(request_.data.uid));
    auto text = textOver("");
    auto const answer = dav_.put(url, text, "*", "");
    if (answer.status == 409 || answer.error == "no-uid-conflict")
      conflict("the calendar has another item with the UID \"" + request_.data.uid + "\"", "");
    if (answer.status == 412 && answer.error.empty()) return alreadyThere(url, scope, text);
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
    if (answer.status == 412 && !isAboutData(answer)) {
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
    if (!isAboutData(answer)) dav_.fail("PUT", url, answer);
    throw Failure(Kind::invalidInput, "the server does not take the event: " + answer.error)
        .withField("/data")
        .withHttpStatus(answer.status)
        .withProviderCode(answer.error)
        .withEffect(sdk::Effect::notApplied);
  }

  StoredEvent readBack(std::string const& url, std::string const& scope) {
    auto const now = dav_.get(url);
    if (now.status == 404)
      throw Failure(Kind::providerBug, "the server took the event, but there is nothing at " + url);
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

StoredEvent upsert(sdk::Account& account, std::string const& url, UpsertRequest const& request,
                   sdk::Call& call) {
  Dav dav(account, url);
  Writer writer(dav, request, call);
  if (request.id) return writer.update(*request.id);
  return writer.create(request.scope && !request.scope->empty() ? *request.scope : defaultCalendar(dav, url));
}

void remove(sdk::Account& account, std::string const& url, sdk::calendar::DeleteRequest const& request) {
  Dav dav(account, url);
  auto const answer = dav.remove(request.id, request.version.value_or(""));
  if (answer.ok() || isGone(answer)) return;
  if (answer.status != 412) dav.fail("DELETE", request.id, answer);
  auto const now = dav.get(request.id);
  if (isGone(now)) return;
  conflict("the event was changed at the server meanwhile", now.ok() ? now.etag : "");
}

} // namespace garland::caldav
