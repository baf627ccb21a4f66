// Connecting an account by a sign-in at its provider's own page: where to send somebody, the page that says
// for whom, and the way back. The latter two are for browsers, without a key: a ticket and a cookie are.
#include "host/api/cookies.h"
#include "host/api/problem.h"
#include "host/api/routes.h"
#include "host/api/selection.h"
#include "host/api/shapes.h"
#include "host/api/stranger.h"
#include "host/egress/egress.h"

#include <algorithm>

namespace garland::api {

namespace {

constexpr std::string_view kStart = "/api/integrations/oauth/start";
constexpr std::string_view kCallback = "/api/integrations/oauth/callback";
constexpr std::string_view kCookie = "garland_sign_in";
constexpr std::size_t kCookieLength = 43;       // 256 bits as base64url
constexpr std::string_view kCookieLife = "600"; // seconds, as long as a ticket

std::string escaped(std::string_view text) {
  std::string out;
  for (char const c : text) switch (c) {
    case '&': out += "&amp;"; break;
    case '<': out += "&lt;"; break;
    case '>': out += "&gt;"; break;
    case '"': out += "&quot;"; break;
    case '\'': out += "&#39;"; break;
    default: out += c;
    }
  return out;
}

// `body`: HTML. As with every answer, nothing of the address, which holds a ticket, is told to where a link
// goes.
Response page(int status, std::string_view title, std::string const& body) {
  Response response(status);
  response.content_type = "text/html; charset=utf-8";
  response.body = "<!doctype html><html lang=\"en\"><meta charset=\"utf-8\"><title>" + escaped(title) +
                  "</title><h1>" + escaped(title) + "</h1>" + body + "</html>\n";
  return response;
}

Response failed(Error const& error) {
  return page(statusOf(error.kind), "Not connected", "<p>" + escaped(error.message) + "</p>");
}

// These routes take requests as they come, so their query is as it was sent. "" if it is not there.
std::string sent(Request const& request, std::string_view name) {
  auto const found = std::ranges::find(request.query, name, [](auto const& one) { return one.first; });
  return found == request.query.end() ? std::string() : found->second;
}

bool isOfASecret(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' || c == '_';
}

// The secret that this browser was given, or "".
std::string browserOf(Request const& request) {
  auto const secret = cookieNamed(request, kCookie);
  bool const good = secret.size() == kCookieLength && std::ranges::all_of(secret, isOfASecret);
  return good ? secret : std::string();
}

json::object shape(oauth::Authorization const& one) {
  return json::object{{"id", one.id},
                      {"vendor_id", one.vendor_id},
                      {"plugin", one.plugin_id},
                      {"state", one.state},
                      {"cause", one.cause},
                      {"connection_id", one.connection_id},
                      {"expires", rfc3339(one.expires)}};
}

} // namespace

void Routes::addAuthorizeRoutes(std::vector<Route>& table) {
  auto const add = adder(table);
  add(Route{"POST",
            "/api/integrations/vendor/authorize",
            "authorize",
            "Connects a vendor's account by a sign-in at its provider's own page: checks what is given, "
            "without "
            "the token, keeps it for ten minutes, and answers with the address to open in the vendor's "
            "browser, which is shown once.",
            201,
            "Authorization",
            {},
            "ConnectInput"},
      &Routes::authorize);
  add(Route{"POST",
            "/api/integrations/vendor/authorize/device",
            "authorizeDevice",
            "Connects a vendor's account by a sign-in on another device (RFC 8628): checks what is given, "
            "without the "
            "token, and answers with a code and where somebody types it; both are shown once. The account is "
            "connected as soon as the provider says so; getAuthorization tells. 501 if its provider offers "
            "none.",
            201,
            "Authorization",
            {},
            "ConnectInput"},
      &Routes::authorizeDevice);
  add(Route{"GET",
            "/api/integrations/vendors/{vendor}/authorizations/{authorization}",
            "getAuthorization",
            "What came of a sign-in at a provider's own page, or on another device. It is known for a day.",
            200,
            "Authorization",
            {}},
      &Routes::showAuthorization);
  Route start{
      "GET", kStart, "showWayToProvider",
      "For a browser: says which account is about to be connected for whom, and leads to the provider."};
  start.query = {{"state", ParameterType::text, true, "The ticket."}};
  Route back{"GET", kCallback, "comeBackFromProvider",
             "For a browser: where the provider sends it back to. The account is connected once this answers "
             "200."};
  back.query = {{"state", ParameterType::text, true, "The ticket."},
                {"code", ParameterType::text, false, "What tokens are asked for with."},
                {"error", ParameterType::text, false, "Why there is none."}};
  for (auto* route : {&start, &back}) {
    route->open = true;
    route->as_it_comes = true;
    route->answer_type = "text/html";
  }
  add(start, &Routes::wayToProvider);
  add(back, &Routes::comeBack);
}

Result<sync::ConnectRequest> Routes::wishOf(json::value& body) const {
  auto wish = readConnect(body);
  TRY_VOID(requireId("ven", wish.vendor_id, "vendor"));
  TRY(found, usablePlugin(wish.plugin_id));
  wish.plugin_id = found->manifest.id;
  return Result<sync::ConnectRequest>(std::move(wish));
}

Task<Response> Routes::authorizeDevice(Request request) {
  CO_TRY(wish, wishOf(request.json));
  CO_TRY(begun, co_await with_.engine.beginDeviceSignIn(std::move(wish)));
  auto body = shape(begun.authorization);
  body["user_code"] = begun.user_code;
  body["verification_uri"] = begun.verification_uri;
  if (!begun.verification_uri_complete.empty())
    body["verification_uri_complete"] = begun.verification_uri_complete;
  co_return Response(201, std::move(body));
}

Task<Response> Routes::authorize(Request request) {
  CO_TRY(wish, wishOf(request.json));
  auto const outside = outsideOf(with_, port_());
  auto back_to = outside + std::string(kCallback);
  // A browser shows its session at the host only that gave it.
  bool const is_shown_there =
      request.by_key.starts_with("ses_") && egress::haveSameOrigin(outside, with_.oidc.public_url);
  std::string session;
  if (is_shown_there) session = request.by_key;
  CO_TRY(begun, co_await with_.engine.beginSignIn(std::move(wish), std::move(back_to), std::move(session)));
  json::object body = shape(begun.authorization);
  body["url"] = outside + std::string(kStart) + "?state=" + std::string(begun.ticket.reveal());
  co_return Response(201, std::move(body));
}

Task<Response> Routes::showAuthorization(Request request) {
  CO_TRY_VOID(requireId("ven", request.text("vendor"), "vendor"));
  CO_TRY_VOID(requireId("aut", request.text("authorization"), "authorization"));
  CO_TRY(one, co_await with_.engine.signIn(request.text("authorization")));
  if (one.vendor_id != request.text("vendor"))
    co_return Error(ErrorKind::notFound, "there is no sign-in \"" + one.id + "\" of this vendor");
  co_return Response(200, shape(one));
}

// Its id, as long as it is neither over nor ended; "" if there is none.
Task<std::string> Routes::sessionOf(Request const* request) {
  auto const cookie = cookieNamed(*request, kSessionCookie);
  if (with_.sessions == nullptr || !access::isSessionKey(cookie)) co_return std::string();
  CO_TRY(admission, co_await with_.sessions->admit(access::hashOf(cookie)));
  if (admission.outcome != access::SessionAdmission::Outcome::letIn) co_return std::string();
  co_return admission.session.id;
}

// Names the vendor: who was sent here by somebody else sees for whom an account would be connected.
Task<Response> Routes::wayToProvider(Request request) {
  auto ticket = sent(request, "state");
  auto browser = browserOf(request);
  auto session = co_await sessionOf(&request);
  if (!session) co_return failed(session.error());
  auto const visit =
      co_await with_.engine.visitSignIn(std::move(ticket), std::move(browser), std::move(*session));
  if (!visit) co_return failed(visit.error());
  CO_TRY(vendors, co_await with_.engine.vendors());
  auto const& one = visit->authorization;
  auto const vendor = std::ranges::find(vendors, one.vendor_id, &sync::Vendor::id);
  auto const name = vendor == vendors.end() ? one.vendor_id : vendor->name;
  auto const* plugin = with_.catalogue.find(one.plugin_id);
  auto const provider = plugin == nullptr ? one.plugin_id : plugin->manifest.name;
  auto response = page(200, "Connect " + provider + " for " + name,
                       "<p>You sign in at the provider, and it lets this server reach your account for <b>" +
                           escaped(name) + "</b>. If that is not you, close this page.</p><p><a href=\"" +
                           escaped(visit->address) + "\">Go on to the provider</a></p>");
  auto cookie = std::string(kCookie) + "=" + std::string(visit->browser.reveal()) +
                "; Path=/api/integrations/oauth; Max-Age=" + std::string(kCookieLife) +
                "; HttpOnly; SameSite=Lax";
  if (outsideOf(with_, port_()).starts_with("https:")) cookie += "; Secure";
  response.headers.emplace_back("set-cookie", std::move(cookie));
  co_return response;
}

Task<Response> Routes::comeBack(Request request) {
  sync::SignInReturn back;
  back.ticket = sent(request, "state");
  back.browser = browserOf(request);
  back.code = Secret(sent(request, "code"));
  back.refusal = sent(request, "error");
  if (back.code.empty() && back.refusal.empty()) back.refusal = "no_code";
  auto const connected = co_await with_.engine.endSignIn(std::move(back));
  if (!connected) co_return failed(connected.error());
  auto const& connection = connected->connection;
  co_return page(200, "Connected",
                 "<p>The account " + escaped(connection.account_name) + " is connected as " +
                     escaped(connection.id) + ". You may close this page.</p>");
}

} // namespace garland::api
