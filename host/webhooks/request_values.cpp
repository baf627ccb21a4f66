#include "host/webhooks/request_values.h"

#include "host/vault/vault.h"

#include <boost/crc.hpp>
#include <boost/url/parse.hpp>
#include <boost/url/url.hpp>

namespace garland::webhooks {
namespace {

std::string part(std::string_view url, bool query) {
  url = url.substr(0, url.find('#'));
  auto const mark = url.find('?');
  if (query) return mark == std::string_view::npos ? "" : std::string(url.substr(mark + 1));
  url = url.substr(0, mark);
  auto const authority = url.find("://");
  if (authority == std::string_view::npos) return std::string(url);
  auto const slash = url.find('/', authority + 3);
  return slash == std::string_view::npos ? "" : std::string(url.substr(slash));
}

std::string crc32(std::string_view bytes) {
  boost::crc_32_type crc;
  crc.process_bytes(bytes.data(), bytes.size());
  return std::to_string(crc.checksum());
}

} // namespace

std::vector<std::string> withAndWithoutDefaultPort(std::string const& url) {
  std::vector<std::string> spellings{url};
  auto const parsed = boost::urls::parse_uri(url);
  if (!parsed) return spellings;
  std::string const usual = parsed->scheme() == "https" ? "443" : parsed->scheme() == "http" ? "80" : "";
  if (usual.empty()) return spellings;
  boost::urls::url other(*parsed);
  if (!parsed->has_port())
    other.set_port(usual);
  else if (std::string_view(parsed->port().data(), parsed->port().size()) == usual)
    other.remove_port();
  else
    return spellings;
  spellings.emplace_back(other.buffer());
  return spellings;
}

Found<std::string> RequestValues::sortedParameters() {
  TRY(pairs, formPairs(from_.view.request().body, "the body"));
  // Sorted by name, then value; the same pair counts once.
  std::set<std::pair<std::string, std::string>> const sorted(pairs.begin(), pairs.end());
  std::string text;
  for (auto const& [name, value] : sorted) text += name + value;
  return text;
}

Found<std::string> RequestValues::chosenMembers() {
  auto const& members = *from_.members;
  TRY(kind, from_.view.one(members.by));
  auto const chosen = members.of.find(kind);
  if (chosen == members.of.end())
    return Reject{Reason::wrongValue, members.by.words() + " is none of those that the scheme knows"};
  TRY(document, from_.view.json());
  auto const* object = document->if_object();
  std::string text;
  for (auto const& name : chosen->second) {
    auto const* value = object == nullptr ? nullptr : object->if_contains(name);
    if (value == nullptr && members.optional.contains(name)) continue;
    if (value == nullptr) return Reject{Reason::missing, "the body's member " + name + " is missing"};
    if (!value->is_string()) return Reject{Reason::malformed, "the body's member " + name + " is no text"};
    text += name + "\n" + std::string(value->get_string()) + "\n";
  }
  return text;
}

Found<std::string> RequestValues::builtIn(std::string const& name) {
  auto const& request = from_.view.request();
  if (name == "url") return url_;
  if (name == "path") return part(url_, false);
  if (name == "query") return part(url_, true);
  if (name == "method") return request.method;
  if (name == "body") return request.body;
  if (name == "body_sha256") return vault::sha256Hex(request.body);
  if (name == "body_crc32") return crc32(request.body);
  if (name == "sorted_params") return sortedParameters();
  if (name == "members" && from_.members != nullptr) return chosenMembers();
  // Last, so that nothing which is agreed on can stand in for what the request says.
  auto const agreed = from_.keys.parameters.find(name);
  if (agreed != from_.keys.parameters.end() && !agreed->second.empty()) return agreed->second;
  return Reject{Reason::noSecret,
                "the value " + name + ", agreed on when the webhook was registered, is not kept here"};
}

Found<std::string> RequestValues::get(std::string const& name) {
  if (auto const made = made_.find(name); made != made_.end()) return made->second;
  if (name == "timestamp" && from_.timestamp != nullptr) return from_.view.one(*from_.timestamp);
  if (auto const place = from_.values.find(name); place != from_.values.end())
    return from_.view.one(place->second);
  return builtIn(name);
}

Found<std::string> RequestValues::render(TextTemplate const& text) {
  return text.render([this](std::string const& name) { return get(name); });
}

Found<void> RequestValues::check(std::vector<Requirement> const& requirements) {
  for (auto const& requirement : requirements) {
    TRY(found, from_.view.all(requirement.at));
    if (requirement.equals.empty()) continue;
    TRY(wanted, render(requirement.equals));
    for (auto const& value : found)
      if (!vault::equalInConstantTime(value, wanted))
        return Reject{Reason::wrongValue, requirement.at.words() + " is not what was agreed on"};
  }
  return {};
}

} // namespace garland::webhooks
