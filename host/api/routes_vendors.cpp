// Vendors, installed plugins, and which vendor may use which plugin.
#include "host/api/routes.h"
#include "host/api/shapes.h"

namespace garland::api {

namespace {

json::object listOfAdoptions(std::vector<runtime::Adoption> const& adoptions) {
  json::array items;
  for (auto const& adoption : adoptions) items.push_back(runtime::toJson(adoption));
  json::object body;
  body["items"] = std::move(items);
  return body;
}

// What tells of other vendors' calls is not for a vendor.
template <class Thing> void leaveOthersOut(std::vector<Thing>& things, std::string const& vendor_id) {
  if (vendor_id.empty()) return;
  std::erase_if(things,
                [&](Thing const& thing) { return !thing.vendor_id.empty() && thing.vendor_id != vendor_id; });
}

void leaveOthersCallsOut(std::vector<runtime::SupervisorEvent>& events, std::string const& vendor_id) {
  if (vendor_id.empty()) return;
  std::erase_if(events, [&](auto const& event) { return event.call && event.call->vendor_id != vendor_id; });
}

} // namespace

void Routes::addVendorRoutes(std::vector<Route>& table) {
  auto const add = adder(table);
  add(Route{"POST",
            "/api/integrations/vendors",
            "addVendor",
            "Adds a vendor.",
            201,
            "Vendor",
            {},
            "VendorInput"},
      &Routes::addVendor);
  add(Route{"GET", "/api/integrations/vendors", "listVendors", "All vendors.", 200, "VendorList", {}},
      &Routes::listVendors);
  add(Route{"GET",
            "/api/integrations/plugins",
            "listPlugins",
            "Installed plugins, with the reason if one may not be loaded.",
            200,
            "PluginList",
            {}},
      &Routes::listPlugins);
  add(Route{"GET",
            "/api/integrations/plugins/{plugin}",
            "getPlugin",
            "One plugin, by id or the last part of its id.",
            200,
            "PluginDetail",
            {}},
      &Routes::showPlugin);
  Route rescan{"POST",
               "/api/integrations/plugins/rescan",
               "rescanPlugins",
               "Looks again what is installed: newer builds take new calls at once, removed plugins end.",
               200,
               "AdoptionList",
               {}};
  rescan.query = {{"allow_downgrade", ParameterType::flag, false, "Take an older version over, too."}};
  add(std::move(rescan), &Routes::rescanPlugins);
  add(Route{"POST",
            "/api/integrations/plugins/install",
            "installPlugin",
            "Installs a package that lies in the data folder, if it may be loaded here, and takes it over.",
            200,
            "AdoptionList",
            {},
            "InstallInput"},
      &Routes::installPlugin);
  add(Route{"POST",
            "/api/integrations/plugins/{plugin}/release",
            "releasePlugin",
            "Lifts the quarantine of its builds, and takes the installed one over.",
            200,
            "AdoptionList",
            {}},
      &Routes::releasePlugin);
  add(Route{"GET",
            "/api/integrations/vendors/{vendor}/plugins",
            "listEnabledPlugins",
            "Plugins that this vendor may connect.",
            200,
            "EnabledList",
            {}},
      &Routes::listEnabled);
  add(Route{"PUT",
            "/api/integrations/vendors/{vendor}/plugins/{plugin}",
            "enablePlugin",
            "Lets the vendor connect accounts of this plugin.",
            204,
            "",
            {}},
      &Routes::enablePlugin);
  add(Route{"DELETE",
            "/api/integrations/vendors/{vendor}/plugins/{plugin}",
            "disablePlugin",
            "Takes that back; connected accounts stay but are not synced.",
            204,
            "",
            {}},
      &Routes::disablePlugin);
}

Result<runtime::PluginInfo const*> Routes::plugin(std::string const& name) const {
  auto const* found = with_.catalogue.find(name);
  if (found != nullptr) return found;
  return Error(ErrorKind::notFound,
               "no plugin \"" + name + "\" is installed; `garland plugins ls` lists those that are");
}

// A damaged or refused one may have an earlier build that goes on.
Result<runtime::PluginInfo const*> Routes::usablePlugin(std::string const& name) const {
  TRY(found, plugin(name));
  if (found->refusal.empty() || with_.supervisor.standing(*found).runs) return found;
  return Error(ErrorKind::unsupported, found->refusal);
}

Task<Response> Routes::addVendor(Request request) {
  CO_TRY(name, textAt(request.json, "/name"));
  if (name.find_first_not_of(" \t\r\n") == std::string::npos)
    co_return Error(ErrorKind::invalidInput, "a vendor's name must not be blank", "/name");
  auto adding = with_.engine.addVendor(name);
  CO_TRY(vendor, co_await std::move(adding));
  Response response(201, shape(vendor));
  response.headers.push_back(Header{"location", "/api/integrations/vendors/" + vendor.id + "/plugins"});
  co_return response;
}

Task<Response> Routes::listVendors(Request) {
  CO_TRY(vendors, co_await with_.engine.vendors());
  co_return Response(200, listOf(vendors));
}

Task<Response> Routes::listPlugins(Request) {
  auto const workers = with_.supervisor.workers();
  std::vector<PluginView> views;
  for (auto const& plugin : with_.catalogue.plugins())
    views.push_back(PluginView{plugin, with_.supervisor.standing(plugin), workers});
  co_return Response(200, listOf(views));
}

Task<Response> Routes::showPlugin(Request request) {
  CO_TRY(found, plugin(request.text("plugin")));
  auto workers = with_.supervisor.workers();
  auto events = with_.supervisor.events();
  leaveOthersOut(workers, request.of_vendor);
  leaveOthersOut(events, request.of_vendor);
  leaveOthersCallsOut(events, request.of_vendor);
  PluginView const view{*found, with_.supervisor.standing(*found), workers};
  co_return Response(200, detail(view, events));
}

Task<Response> Routes::rescanPlugins(Request request) {
  if (!with_.rescan) co_return Error(ErrorKind::unsupported, "this daemon does not look for plugins");
  CO_TRY(adoptions, co_await with_.rescan(request.flag("allow_downgrade")));
  co_return Response(200, listOfAdoptions(adoptions));
}

Task<Response> Routes::installPlugin(Request request) {
  if (!with_.install) co_return Error(ErrorKind::unsupported, "this daemon does not install packages");
  CO_TRY(file, textAt(request.json, "/file"));
  CO_TRY(adoptions, co_await with_.install(file));
  co_return Response(200, listOfAdoptions(adoptions));
}

Task<Response> Routes::releasePlugin(Request request) {
  CO_TRY(found, plugin(request.text("plugin")));
  auto const id = found->manifest.id;
  CO_TRY(released, co_await with_.supervisor.release(id));
  std::vector<runtime::Adoption> out;
  out.push_back(std::move(released));
  if (!with_.rescan) co_return Response(200, listOfAdoptions(out));
  CO_TRY(adoptions, co_await with_.rescan(false));
  for (auto const& adoption : adoptions)
    if (adoption.plugin_id == id && adoption.outcome != runtime::Adoption::Outcome::unchanged)
      out.push_back(adoption);
  co_return Response(200, listOfAdoptions(out));
}

Task<Response> Routes::enablePlugin(Request request) {
  CO_TRY_VOID(requireId("ven", request.text("vendor"), "vendor"));
  CO_TRY(found, usablePlugin(request.text("plugin")));
  CO_TRY_VOID(co_await with_.engine.enablePlugin(request.text("vendor"), found->manifest.id));
  co_return Response(204);
}

Task<Response> Routes::disablePlugin(Request request) {
  CO_TRY_VOID(requireId("ven", request.text("vendor"), "vendor"));
  // A plugin that is not installed any more can still be disabled.
  auto const* found = with_.catalogue.find(request.text("plugin"));
  std::string id = request.text("plugin");
  if (found != nullptr) id = found->manifest.id;
  CO_TRY_VOID(co_await with_.engine.disablePlugin(request.text("vendor"), id));
  co_return Response(204);
}

Task<Response> Routes::listEnabled(Request request) {
  CO_TRY_VOID(requireId("ven", request.text("vendor"), "vendor"));
  CO_TRY(ids, co_await with_.engine.enabledPlugins(request.text("vendor")));
  json::object body;
  body["items"] = json::array(ids.begin(), ids.end());
  co_return Response(200, body);
}

} // namespace garland::api
