#include "dav_client.h"

#include <algorithm>
#include <charconv>
#include <iterator>

namespace garland::caldav {
namespace {

constexpr std::string_view xml_head = "<?xml version=\"1.0\" encoding=\"utf-8\"?>\n";

// "HTTP/1.1 404 Not Found" -> 404; 0 if there is no number.
int statusOf(std::string_view line) {
  auto const space = line.find(' ');
  int status = 0;
  if (space != std::string_view::npos)
    std::from_chars(line.data() + space + 1, line.data() + line.size(), status);
  return status;
}

// The condition in a DAV:error element, "valid-sync-token".
std::string conditionIn(Element const& error) {
  if (error.children.empty()) return {};
  auto const& name = error.children.front().name;
  return name.substr(name.find('|') + 1);
}

Resource resourceOf(Element& response, std::string const& base) {
  Resource resource;
  resource.url = canonicalUrl(base, response.textOf(names::href));
  if (auto const* status = response.child("DAV:|status")) resource.status = statusOf(trimmed(status->text));
  if (auto const* error = response.child("DAV:|error")) resource.error = conditionIn(*error);
  for (auto& part : response.children) {
    if (part.name != "DAV:|propstat") continue;
    auto const status = part.has("DAV:|status") ? statusOf(part.textOf("DAV:|status")) : 200;
    if (status < 200 || status >= 300) {
      resource.property_status = std::max(resource.property_status, status);
      continue;
    }
    for (auto& inner : part.children)
      if (inner.name == "DAV:|prop")
        std::ranges::move(inner.children, std::back_inserter(resource.properties.children));
  }
  return resource;
}

Multistatus multistatusOf(std::string_view body, std::string const& base) {
  auto root = parseXml(body);
  if (root.name != "DAV:|multistatus")
    throw sdk::Failure(sdk::Kind::providerBug, "the answer is XML, but no multistatus");
  Multistatus result;
  result.sync_token = root.textOf(names::sync_token);
  for (auto& response : root.children)
    if (response.name == "DAV:|response" && !response.textOf(names::href).empty())
      result.resources.push_back(resourceOf(response, base));
  return result;
}

// Servers put anything into the bodies of refusals.
std::string conditionOf(std::string_view body) {
  std::string condition;
  auto const other = sdk::attempt([&] {
    auto const root = parseXml(body);
    if (root.name == "DAV:|error") condition = conditionIn(root);
  });
  return other ? std::string() : condition;
}

// A 207 to a write holds the refusal of the one resource inside.
void unpackRefusal(Answer& answer) {
  if (!answer.multistatus || answer.multistatus->resources.empty()) return;
  auto const& resource = answer.multistatus->resources.front();
  auto const status = std::max(resource.status, resource.property_status);
  if (status >= 400)
    answer.status = status;
  else if (!resource.error.empty())
    answer.status = 422; // a condition without a status is a refusal all the same
  answer.error = resource.error;
}

// The encoding of other bytes in a header is anybody's guess; as a property the tag comes in a known one.
bool isAscii(std::string_view text) {
  return std::ranges::all_of(text, [](char c) { return c >= ' ' && c <= '~'; });
}

std::uint64_t sizeInHost(sdk::Response const& response) {
  constexpr std::uint64_t around_header = 64;
  std::uint64_t size = response.body.size();
  for (auto const& header : response.headers)
    size += header.name.size() + header.value.size() + around_header;
  return size;
}

bool isOfIcloud(std::string_view host) { return host.ends_with(".icloud.com"); }

std::string afterScheme(std::string_view url) {
  auto const scheme = url.find("://");
  return std::string(scheme == std::string_view::npos ? url : url.substr(scheme + 3));
}

} // namespace

std::string strongTag(std::string_view etag) {
  return std::string(etag.starts_with("W/") ? etag.substr(2) : etag);
}

bool concernsEverything(int status) {
  return status == 401 || status == 407 || status == 408 || status == 429 || (status >= 502 && status <= 504);
}

std::string hostOf(std::string_view url) {
  auto const rest = afterScheme(url);
  return rest.substr(0, rest.find('/'));
}

std::string pathOf(std::string_view url) {
  auto const rest = afterScheme(url);
  auto const slash = rest.find('/');
  return slash == std::string::npos ? "/" : rest.substr(slash);
}

std::string canonicalUrl(std::string_view base, std::string_view reference) {
  auto const absolute = sdk::resolve(base, reference);
  auto const path = pathOf(absolute);
  auto head = absolute.substr(0, absolute.size() - afterScheme(absolute).size()) + hostOf(absolute);
  for (char& c : head)
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  if (head.starts_with("https://") && head.ends_with(":443")) head.resize(head.size() - 4);
  if (head.starts_with("http://") && head.ends_with(":80")) head.resize(head.size() - 3);
  auto const query = path.find_first_of("?#");
  std::string_view rest = std::string_view(path).substr(0, query);
  std::string out = head;
  while (!rest.empty()) {
    rest.remove_prefix(1);
    auto const segment = rest.substr(0, rest.find('/'));
    out += '/' + sdk::percentEncode(sdk::percentDecode(segment));
    rest.remove_prefix(segment.size());
  }
  return query == std::string::npos ? out : out + path.substr(query);
}

Dav::Dav(sdk::Account& account, std::string const& url) : account_(account), own_(canonicalUrl(url, "")) {}

// iCloud keeps its accounts on several servers, and says which is whose; the manifest allows these.
void Dav::requireOwn(std::string const& url) const {
  auto const asked = canonicalUrl(url, "");
  auto const host = hostOf(asked);
  bool const safe = asked.starts_with("https://") || own_.starts_with("http://");
  if (safe && (host == hostOf(own_) || (isOfIcloud(host) && isOfIcloud(hostOf(own_))))) return;
  throw sdk::Failure(sdk::Kind::forbidden, "the calendar server leads to " + asked.substr(0, 300) +
                                               ", which is not the server of this connection (" +
                                               hostOf(own_) +
                                               "); connect that address if it is the right one")
      .withProviderCode("host_not_allowed")
      .withEffect(sdk::Effect::notApplied);
}

Answer Dav::send(sdk::Request request) {
  requireOwn(request.url);
  auto const response = account_.send(request);
  received_ += sizeInHost(response);
  Answer answer;
  answer.status = response.status;
  answer.body = response.body;
  if (auto const tag = response.header("etag"); isAscii(tag)) answer.etag = tag;
  if (response.retry_after) retry_after_ = response.retry_after;
  // After a redirect the host may say where the answer really came from; references mean that place.
  auto base = request.url;
  if (auto const place = response.header("content-location"); place.starts_with("http"))
    base = std::string(place);
  if (response.status == 207) {
    auto const unread = sdk::attempt([&] { answer.multistatus = multistatusOf(response.body, base); });
    if (unread) throw sdk::Failure(*unread).within(request.method + " " + request.url);
  } else if (!response.ok()) {
    answer.error = conditionOf(response.body);
  }
  return answer;
}

Answer Dav::propfind(std::string const& url, std::string_view depth, std::string_view properties) {
  sdk::Request request;
  request.method = "PROPFIND";
  request.url = url;
  request.headers = {{"Depth", std::string(depth)}, {"Content-Type", "application/xml; charset=utf-8"}};
  request.body = std::string(xml_head) +
                 "<d:propfind xmlns:d=\"DAV:\" xmlns:c=\"urn:ietf:params:xml:ns:caldav\" "
                 "xmlns:s=\"http://calendarserver.org/ns/\" xmlns:a=\"http://apple.com/ns/ical/\"><d:prop>" +
                 std::string(properties) + "</d:prop></d:propfind>";
  return send(std::move(request));
}

Answer Dav::report(std::string const& url, std::string_view depth, std::string body) {
  sdk::Request request;
  request.method = "REPORT";
  request.url = url;
  request.headers = {{"Depth", std::string(depth)}, {"Content-Type", "application/xml; charset=utf-8"}};
  request.body = std::string(xml_head) + std::move(body);
  return send(std::move(request));
}

Answer Dav::get(std::string const& url) {
  sdk::Request request;
  request.url = url;
  request.headers = {{"Accept", "text/calendar"}};
  auto answer = send(std::move(request));
  if (!answer.ok() || !answer.etag.empty()) return answer;
  // Some servers tell the tag as a property only.
  auto const properties = propfind(url, "0", "<d:getetag/>");
  if (properties.multistatus && !properties.multistatus->resources.empty())
    answer.etag = properties.multistatus->resources.front().text(names::etag);
  return answer;
}

Answer Dav::put(std::string const& url, std::string body, std::string_view if_none_match,
                std::string_view if_match) {
  sdk::Request request;
  request.method = "PUT";
  request.url = url;
  request.headers = {{"Content-Type", "text/calendar; charset=utf-8"}};
  if (!if_none_match.empty()) request.headers.push_back({"If-None-Match", std::string(if_none_match)});
  if (!if_match.empty()) request.headers.push_back({"If-Match", strongTag(if_match)});
  request.body = std::move(body);
  auto answer = send(std::move(request));
  unpackRefusal(answer);
  return answer;
}

Answer Dav::remove(std::string const& url, std::string_view if_match) {
  sdk::Request request;
  request.method = "DELETE";
  request.url = url;
  if (!if_match.empty()) request.headers.push_back({"If-Match", strongTag(if_match)});
  auto answer = send(std::move(request));
  unpackRefusal(answer);
  return answer;
}

void Dav::fail(std::string_view method, std::string const& url, Answer const& answer) const {
  sdk::Request request;
  request.method = method;
  request.url = url;
  sdk::Response response;
  response.status = answer.status;
  response.retry_after = retry_after_;
  auto failure = sdk::failureOf(request, response);
  failure.provider_code = answer.error;
  if (!answer.error.empty()) failure.message += " (" + answer.error + ")";
  if (answer.status == 401) {
    failure.kind = sdk::Kind::authRevoked;
    failure.message =
        "the server does not accept the user name and password; check them (" + failure.message + ")";
    failure.user_message = "The calendar server does not accept this user name and password.";
  }
  // A refusal inside of a 207 looks like a success to the layer below.
  if (answer.multistatus && answer.status >= 400 && answer.status < 500)
    failure.effect = sdk::Effect::notApplied;
  if (answer.multistatus && answer.status >= 500) failure.effect = sdk::Effect::unknown;
  if (answer.ok()) {
    failure.kind = sdk::Kind::providerBug;
    failure.message += ", which is not what WebDAV answers; is this a CalDAV server?";
  }
  throw failure;
}

Multistatus const& Dav::require(std::string_view method, std::string const& url, Answer const& answer) const {
  if (!answer.multistatus) fail(method, url, answer);
  return *answer.multistatus;
}

} // namespace garland::caldav
