#include "listing.h"

#include <algorithm>

namespace garland::caldav {
namespace {

constexpr int max_pages = 10'000;

struct Page {
  std::optional<Listing> listing;
  Answer refusal;
};

bool isCollection(Resource const& resource) {
  auto const* type = resource.properties.child(names::resource_type);
  return type != nullptr && type->has("DAV:|collection");
}

enum class Scope { everything, changes };

void sortIn(Listing& listing, Resource const& resource, std::string const& calendar, Scope scope) {
  // RFC 6578, 3.6: the list was cut. It is said of the collection, which servers spell as they like.
  if (resource.status == 507) {
    listing.truncated = true;
    return;
  }
  bool const itself =
      canonicalUrl(calendar, "") == resource.url || canonicalUrl(calendar + "/", "") == resource.url;
  if (itself || isCollection(resource)) return;
  bool const missing = resource.status == 404 || resource.status == 410;
  // Some servers tell what is gone by the properties that it has no more. In a list of everything the
  // same means an item that is there, but without an ETag.
  bool const stripped =
      scope == Scope::changes && resource.property_status == 404 && resource.properties.children.empty();
  if (missing || stripped)
    listing.gone.push_back(resource.url);
  else
    listing.present[resource.url] = resource.text(names::etag);
}

Listing sorted(Multistatus const& answer, std::string const& calendar, Scope scope) {
  Listing listing;
  for (auto const& resource : answer.resources) sortIn(listing, resource, calendar, scope);
  listing.token = answer.sync_token;
  return listing;
}

// A refusal is answered as such; what concerns the whole account is thrown.
Page syncReport(Dav& dav, std::string const& calendar, std::string const& token, Scope scope) {
  auto const body =
      "<d:sync-collection xmlns:d=\"DAV:\"><d:sync-token>" + escapeXml(token) +
      "</d:sync-token><d:sync-level>1</d:sync-level><d:prop><d:getetag/><d:resourcetype/></d:prop>"
      "</d:sync-collection>";
  Page page;
  // An answer that is no multistatus is a refusal, too.
  auto const unreadable = sdk::attempt([&] {
    auto answer = dav.report(calendar, "0", body);
    if (concernsEverything(answer.status)) dav.fail("REPORT", calendar, answer);
    if (answer.multistatus) page.listing = sorted(*answer.multistatus, calendar, scope);
    page.refusal = std::move(answer);
  });
  if (unreadable && unreadable->kind != sdk::Kind::providerBug) throw sdk::Failure(*unreadable);
  // Without a token to go on from the answer cannot be relied on for changes.
  if (page.listing && page.listing->token.empty()) page.listing.reset();
  return page;
}

Listing listByEtag(Dav& dav, std::string const& calendar) {
  auto const answer = dav.propfind(calendar, "1", "<d:getetag/><d:resourcetype/>");
  auto const& found = dav.require("PROPFIND", calendar, answer);
  if (found.resources.empty())
    throw sdk::Failure(sdk::Kind::providerBug, "PROPFIND " + calendar + " was answered with an empty list");
  auto listing = sorted(found, calendar, Scope::everything);
  if (listing.truncated)
    throw sdk::Failure(sdk::Kind::transient,
                       "PROPFIND " + calendar + ": the server gave a part of the list only (status 507)");
  // Nothing but the calendar itself: then it must be the answer to this question, and not a stale one.
  auto const typed = [](Resource const& resource) { return resource.properties.has(names::resource_type); };
  if (listing.present.empty() && std::ranges::none_of(found.resources, typed))
    throw sdk::Failure(sdk::Kind::providerBug,
                       "PROPFIND " + calendar + " was answered without what was asked for");
  listing.gone.clear();
  listing.token.clear();
  return listing;
}

} // namespace

std::optional<Listing> changesSince(Dav& dav, std::string const& calendar, std::string const& token) {
  return syncReport(dav, calendar, token, Scope::changes).listing;
}

Listing listAll(Dav& dav, std::string const& calendar, bool with_tokens) {
  if (!with_tokens) return listByEtag(dav, calendar);
  Listing all;
  for (int pages = 0; pages < max_pages; ++pages) {
    auto page = syncReport(dav, calendar, all.token, Scope::everything).listing;
    if (!page) return listByEtag(dav, calendar);
    for (auto const& url : page->gone) all.present.erase(url);
    all.present.merge(page->present);
    bool const stuck = page->token == all.token;
    all.token = std::move(page->token);
    if (!page->truncated) return all;
    if (stuck) break;
  }
  throw sdk::Failure(sdk::Kind::providerBug, "REPORT " + calendar + ": the list of changes has no end");
}

std::string readCtag(Dav& dav, std::string const& calendar) {
  auto const answer = dav.propfind(calendar, "0", "<s:getctag/>");
  if (concernsEverything(answer.status)) dav.fail("PROPFIND", calendar, answer);
  if (!answer.multistatus || answer.multistatus->resources.empty()) return {};
  return answer.multistatus->resources.front().text(names::ctag);
}

} // namespace garland::caldav
