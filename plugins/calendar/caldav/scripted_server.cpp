#include "scripted_server.h"

#include "xml.h"

#include <algorithm>

namespace garland::caldav {
namespace {

using testing::HttpRequest;
using testing::HttpResponse;

std::string decoded(std::string text) {
  for (auto at = text.find("%40"); at != std::string::npos; at = text.find("%40")) text.replace(at, 3, "@");
  for (auto at = text.find("%20"); at != std::string::npos; at = text.find("%20")) text.replace(at, 3, " ");
  return text;
}

std::string pathIn(std::string const& url) {
  auto const host = url.find("://") + 3;
  return decoded(url.substr(url.find('/', host)));
}

std::string tag(int revision) { return "\"r" + std::to_string(revision) + "\""; }

} // namespace

std::string simpleIcs(std::string const& uid, std::string const& title) {
  return "BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:-//Test//EN\r\nBEGIN:VEVENT\r\nUID:" + uid +
         "\r\nDTSTART:20260613T120000Z\r\nSUMMARY:" + title + "\r\nEND:VEVENT\r\nEND:VCALENDAR\r\n";
}

HttpResponse multistatus(std::string const& inside) {
  return {207,
          {{"Content-Type", "text/xml"}},
          "<?xml version=\"1.0\"?><x:multistatus xmlns:x=\"DAV:\" xmlns:C=\"urn:ietf:params:xml:ns:caldav\" "
          "xmlns:S=\"http://calendarserver.org/ns/\">" +
              inside + "</x:multistatus>",
          {}};
}

void ScriptedServer::put(std::string const& file, std::string const& ics) {
  items_[file] = {ics, ++revision_, false};
}

void ScriptedServer::remove(std::string const& file) {
  auto& item = items_.at(file);
  item.gone = true;
  item.revision = ++revision_;
}

testing::HttpReply ScriptedServer::serve(HttpRequest const& request) {
  if (instead)
    if (auto reply = instead(request)) return *reply;
  auto const path = pathIn(request.url);
  if (request.method == "PROPFIND") return propfind(request, path);
  if (request.body.find("sync-collection") != std::string::npos) return syncCollection(request.body);
  if (request.body.find("calendar-multiget") != std::string::npos) return multiget(request.body);
  if (!path.starts_with(calendar)) return HttpResponse{404, {}, "", {}};
  auto const file = path.substr(calendar.size());
  if (request.method == "PUT") return put(request, file);
  auto const item = items_.find(file);
  if (item == items_.end() || item->second.gone) return HttpResponse{404, {}, "", {}};
  if (request.method != "GET") return HttpResponse{405, {}, "", {}};
  HttpResponse response{200, {}, item->second.ics, {}};
  if (tags_on_get) response.headers.emplace_back("ETag", tag(item->second.revision));
  return response;
}

HttpResponse ScriptedServer::propfind(HttpRequest const& request, std::string const& path) const {
  auto const ok = [](std::string const& href, std::string const& properties) {
    return "<x:response><x:href>" + escapeXml(href) + "</x:href><x:propstat><x:prop>" + properties +
           "</x:prop><x:status>HTTP/1.1 200 OK</x:status></x:propstat></x:response>";
  };
  auto const described =
      ok(calendar, "<x:resourcetype><x:collection/><C:calendar/></x:resourcetype><x:displayname>Studio"
                   "</x:displayname><S:getctag>c" +
                       std::to_string(revision_) +
                       "</S:getctag>"
                       "<C:supported-calendar-component-set>" +
                       components + "</C:supported-calendar-component-set>" +
                       (privileges.empty() ? ""
                                           : "<x:current-user-privilege-set>" + privileges +
                                                 "</x:current-user-privilege-set>"));
  bool const deep = request.header("depth") == "1";
  if (path == "/")
    return multistatus(ok("/", "<x:current-user-principal><x:href>/p/</x:href></x:current-user-principal>"));
  if (path == "/p/")
    return multistatus(ok("/p/",
                          "<C:calendar-home-set><x:href>/cal/u@example.com/</x:href></C:calendar-home-set>"
                          "<x:displayname>Anna</x:displayname>"));
  if (path == "/cal/u@example.com/")
    return multistatus(ok(path, "<x:resourcetype><x:collection/></x:resourcetype>") +
                       (deep ? described : ""));
  if (path == calendar) {
    std::string inside = described;
    if (deep)
      for (auto const& [file, item] : items_)
        if (!item.gone) inside += entry(file, item, false);
    return multistatus(inside);
  }
  if (path.starts_with(calendar))
    if (auto const item = items_.find(path.substr(calendar.size()));
        item != items_.end() && !item->second.gone)
      return multistatus(entry(item->first, item->second, false));
  return {404, {}, "", {}};
}

std::string ScriptedServer::entry(std::string const& file, Item const& item, bool with_data) const {
  auto const href = "<x:response><x:href>" + escapeXml(calendar + file) + "</x:href>";
  if (item.gone) return href + "<x:status>HTTP/1.1 404 Not Found</x:status></x:response>";
  return href + "<x:propstat><x:prop><x:getetag>" + escapeXml(tag(item.revision)) + "</x:getetag>" +
         (with_data ? "<C:calendar-data>" + escapeXml(item.ics) + "</C:calendar-data>" : "") +
         "</x:prop><x:status>HTTP/1.1 200 OK</x:status></x:propstat></x:response>";
}

HttpResponse ScriptedServer::syncCollection(std::string const& body) const {
  auto const from = body.find("<d:sync-token>") + 14;
  auto const token = body.substr(from, body.find('<', from) - from);
  int const since = token.empty() ? 0 : std::stoi(token.substr(1));
  std::vector<std::pair<int, std::string>> changed;
  for (auto const& [file, item] : items_)
    if (item.revision > since && !(token.empty() && item.gone)) changed.emplace_back(item.revision, file);
  std::sort(changed.begin(), changed.end());
  bool const cut = changed.size() > page;
  if (cut) changed.resize(page);
  std::string inside;
  for (auto const& [revision, file] : changed) inside += entry(file, items_.at(file), false);
  if (cut)
    inside += "<x:response><x:href>" + calendar +
              "</x:href><x:status>HTTP/1.1 507 Insufficient Storage</x:status></x:response>";
  return multistatus(inside + "<x:sync-token>t" + std::to_string(cut ? changed.back().first : revision_) +
                     "</x:sync-token>");
}

HttpResponse ScriptedServer::multiget(std::string const& body) {
  std::string inside;
  auto const request = parseXml(body);
  for (auto const& child : request.children) {
    if (child.name != "DAV:|href") continue;
    if (std::exchange(forgets_one_in_multiget, false)) continue;
    auto const file = decoded(child.text).substr(calendar.size());
    inside += entry(file, items_.contains(file) ? items_.at(file) : Item{"", 0, true}, true);
  }
  return multistatus(inside);
}

HttpResponse ScriptedServer::put(HttpRequest const& request, std::string const& file) {
  auto const item = items_.find(file);
  bool const exists = item != items_.end() && !item->second.gone;
  if (!request.header("if-none-match").empty() && exists) return {412, {}, "", {}};
  auto const match = request.header("if-match");
  if (!match.empty() && (!exists || (match != "*" && match != tag(item->second.revision))))
    return {412, {}, "", {}};
  put(file, request.body);
  return {exists ? 204 : 201, {}, "", {}};
}

} // namespace garland::caldav
