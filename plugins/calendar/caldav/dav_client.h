// WebDAV requests and their multistatus answers (RFC 4918, 4791, 6578), for the other files here.
#pragma once

#include "xml.h"

#include <garland/sdk/account.hpp>

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace garland::caldav {

namespace names {
constexpr std::string_view href = "DAV:|href";
constexpr std::string_view etag = "DAV:|getetag";
constexpr std::string_view display_name = "DAV:|displayname";
constexpr std::string_view resource_type = "DAV:|resourcetype";
constexpr std::string_view principal = "DAV:|current-user-principal";
constexpr std::string_view privileges = "DAV:|current-user-privilege-set";
constexpr std::string_view sync_token = "DAV:|sync-token";
constexpr std::string_view calendar = "urn:ietf:params:xml:ns:caldav|calendar";
constexpr std::string_view calendar_data = "urn:ietf:params:xml:ns:caldav|calendar-data";
constexpr std::string_view home_set = "urn:ietf:params:xml:ns:caldav|calendar-home-set";
constexpr std::string_view components = "urn:ietf:params:xml:ns:caldav|supported-calendar-component-set";
constexpr std::string_view zone_id = "urn:ietf:params:xml:ns:caldav|calendar-timezone-id";
constexpr std::string_view color = "http://apple.com/ns/ical/|calendar-color";
constexpr std::string_view ctag = "http://calendarserver.org/ns/|getctag";
} // namespace names

// One resource of a multistatus answer.
struct Resource {
  std::string url;           // absolute, in one spelling: see canonicalUrl()
  int status = 200;          // of the resource itself
  Element properties;        // those that the server gave with status 200
  int property_status = 200; // of the worst other ones asked for; 200 if there were none
  std::string error;         // local name of its DAV:error condition

  std::string text(std::string_view name) const { return properties.textOf(name); }
};

struct Multistatus {
  std::vector<Resource> resources;
  std::string sync_token;
};

struct Answer {
  int status = 0;
  std::string_view body; // the host's
  std::string etag;
  std::optional<Multistatus> multistatus; // of a 207
  std::string error; // local name of the DAV:error condition of a refusal; empty if there is none

  bool ok() const { return status >= 200 && status < 300; }
};

// The same resource in one spelling: scheme and host in lower case, path segments encoded alike.
std::string canonicalUrl(std::string_view base, std::string_view reference);
std::string pathOf(std::string_view url);
// Without "W/", which comes from proxies that compress: If-Match compares strong tags only.
std::string strongTag(std::string_view etag);
// "host:port" as it stands in the URL.
std::string hostOf(std::string_view url);

class Dav {
public:
  // `url`: the connection's. Nothing is asked of another server, whatever an answer names.
  Dav(sdk::Account& account, std::string const& url);

  // Depth "0" or "1". `properties`: XML of the properties asked for.
  Answer propfind(std::string const& url, std::string_view depth, std::string_view properties);
  Answer report(std::string const& url, std::string_view depth, std::string body);
  // With its ETag, asked for separately if the answer has none.
  Answer get(std::string const& url);
  // Exactly one of the preconditions, or none: "*" in `if_none_match`, an ETag in `if_match`.
  Answer put(std::string const& url, std::string body, std::string_view if_none_match,
             std::string_view if_match);
  Answer remove(std::string const& url, std::string_view if_match);

  // Throws what a refusal means; for a 401 that the vendor has to sign in anew.
  [[noreturn]] void fail(std::string_view method, std::string const& url, Answer const& answer) const;
  Multistatus const& require(std::string_view method, std::string const& url, Answer const& answer) const;

  // Bytes of all answers of this call: they stay in the host's memory until it ends.
  std::uint64_t received() const { return received_; }
  sdk::Account& account() { return account_; }

private:
  Answer send(sdk::Request request);
  void requireOwn(std::string const& url) const;

  sdk::Account& account_;
  std::string own_; // the connection's URL
  std::uint64_t received_ = 0;
  std::optional<std::chrono::milliseconds> retry_after_; // of the last answer that had one
};

// Whether a refusal says something about the account or the server as a whole, so that trying the
// next way or the next item is no use: not signed in, too many requests, out of service.
bool concernsEverything(int status);

} // namespace garland::caldav
