#include "host/api/ownership.h"

#include <algorithm>
#include <array>
#include <utility>
#include <vector>

namespace garland::api {

namespace {

// Parameters of path and query by which a request says whose things it is about. Records and deliveries are
// not among them: they are asked for within a vendor, or an endpoint.
constexpr std::array<std::string_view, 10> kNames{"vendor", "vendor_id", "connection", "connection_id",
                                                  "action", "item",      "webhook",    "endpoint",
                                                  "key",    "id"};
// ... and members of a body.
constexpr std::array<std::string_view, 2> kMembers{"vendor_id", "connection_id"};

using Named = std::vector<std::pair<std::string, std::string>>;

bool isVendor(std::string_view name) { return name == "vendor" || name == "vendor_id"; }

Named namedIn(Request const& request) {
  Named out;
  for (auto const name : kNames) {
    auto const found = request.parameters.find(name);
    if (found == request.parameters.end()) continue;
    // An empty vendor would stand for all of them; an empty connection does not widen anything.
    if (!found->second.empty() || isVendor(name)) out.emplace_back(name, found->second);
  }
  for (auto const name : kMembers)
    if (auto id = textOr(request.json, "/" + std::string(name), ""); !id.empty())
      out.emplace_back(name, std::move(id));
  return out;
}

// What gives a thing of a vendor another address: its settings, its URL, the mailbox that is visited for it.
bool movesIt(Request const& request) { return request.method == "PATCH" || request.method == "PUT"; }

Error notThere(std::string const& own, std::string const& id) {
  return Error(ErrorKind::notFound, "the vendor " + own + " has nothing of the id " + id);
}

Error otherVendor(std::string const& own) {
  return Error(ErrorKind::forbidden, "this API key is for the vendor " + own + " only");
}

} // namespace

void narrow(Route const& route, Request& request, std::string const& vendor_id) {
  auto const is = [](std::string_view name) { return name == "vendor_id"; };
  bool const takes = std::ranges::any_of(route.query, is, &QueryParameter::name);
  bool const says = std::ranges::any_of(request.query, is, [](auto const& one) { return one.first; });
  if (takes && !says) request.query.emplace_back("vendor_id", vendor_id);
}

Task<Ownership::Owner> Ownership::ownerOfConnection(std::string id) {
  CO_TRY(connection, co_await engine_.connection(std::move(id)));
  co_return Owner(connection.vendor_id, connection.allow_private_network);
}

Task<Ownership::Owner> Ownership::ownerOfStatus(std::string id) {
  if (id.starts_with("con_")) co_return co_await ownerOfConnection(std::move(id));
  CO_TRY(run, co_await engine_.run(std::move(id)));
  co_return co_await ownerOfConnection(run.connection_id);
}

Task<Ownership::Owner> Ownership::ownerOf(std::string name, std::string id) {
  if (isVendor(name)) co_return Owner(std::move(id));
  if (name == "id") co_return co_await ownerOfStatus(std::move(id));
  if (name == "action") {
    CO_TRY(action, co_await engine_.actions().one(std::move(id)));
    co_return Owner(action.vendor_id);
  }
  if (name == "item") {
    CO_TRY(item, co_await engine_.intake().one(std::move(id)));
    co_return Owner(item.vendor_id);
  }
  if (name == "webhook") {
    CO_TRY(webhook, co_await engine_.webhooks().one(std::move(id)));
    co_return Owner(webhook.vendor_id);
  }
  if (name == "endpoint") {
    if (notifier_ == nullptr)
      co_return Error(ErrorKind::unsupported, "this daemon tells no endpoints anything");
    CO_TRY(endpoint, co_await notifier_->one(std::move(id)));
    co_return Owner(endpoint.vendor_id, endpoint.allow_private_network);
  }
  co_return co_await ownerOfConnection(std::move(id));
}

Task<void> Ownership::check(Request const* request, std::string vendor_id) {
  auto const named = namedIn(*request);
  if (named.empty())
    co_return Error(ErrorKind::forbidden, "say what it is about: this API key is for the vendor " +
                                              vendor_id +
                                              " only, so name the vendor or one of its connections");
  for (auto const& [name, id] : named) {
    // Of keys only the one that is shown: another of the vendor's may live longer.
    if (name == "key" && id != request->by_key) co_return notThere(vendor_id, id);
    if (name == "key") continue;
    auto asking = ownerOf(name, id);
    auto const owner = co_await std::move(asking);
    if (!owner && owner.error().kind != ErrorKind::notFound) co_return owner.error();
    bool const own = owner && owner->vendor_id == vendor_id;
    if (!own && isVendor(name)) co_return otherVendor(vendor_id);
    if (!own) co_return notThere(vendor_id, id);
    // Another address of it would be asked for in that network, too.
    if (owner->private_network && movesIt(*request))
      co_return Error(ErrorKind::forbidden,
                      id + " may reach a private network, so only an operator may change it");
  }
  if (boolOr(request->json, "/allow_private_network", false))
    co_return Error(ErrorKind::forbidden, "only an operator may allow a private network",
                    "/allow_private_network");
  co_return Result<void>();
}

} // namespace garland::api
