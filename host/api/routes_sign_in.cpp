// People: they sign in, see who they are, sign out; and an operator sees who is in.
#include "host/api/cookies.h"
#include "host/api/routes.h"
#include "host/api/selection.h"
#include "host/api/shapes.h"

namespace garland::api {

namespace {

constexpr std::string_view kOwn = "/api/integrations/session";
constexpr std::string_view kAll = "/api/integrations/sessions";

Error notSignedIn() {
  return Error(ErrorKind::notFound, "this request comes with an API key, which has no session: sign in at "
                                    "/sign-in to have one");
}

} // namespace

void Routes::addSignInRoutes(std::vector<Route>& table) {
  auto const add = adder(table);
  Route begin{"GET", "/sign-in", "signIn", "Sends a browser to the OpenID provider.", 303};
  begin.open = true;
  begin.as_it_comes = true;
  add(begin, &Routes::signIn);
  Route finish{"GET",
               "/sign-in/callback",
               "finishSignIn",
               "Where the provider sends the browser back; the answer brings the cookie of the session.",
               200,
               "Session"};
  finish.open = true;
  finish.as_it_comes = true;
  add(finish, &Routes::finishSignIn);
  add(Route{"GET", kOwn, "getSession", "Who is signed in. 404: the request comes with an API key.", 200,
            "Session"},
      &Routes::showSession);
  add(Route{"DELETE", kOwn, "signOut", "Ends the session and takes the cookie away.", 200, "Session"},
      &Routes::signOut);
  Route list{"GET", kAll, "listSessions", "Who is signed in, oldest first.", 200, "SessionPage"};
  list.query = {{"after", ParameterType::text, false, "Continue after this session."},
                {"limit", ParameterType::integer, false, "At most so many.", 1, 1000}};
  add(list, &Routes::listSessions);
  add(Route{"DELETE", "/api/integrations/sessions/{session}", "endSession",
            "The session is refused from now on, by every daemon.", 200, "Session"},
      &Routes::endSession);
}

Result<access::Sessions*> Routes::sessions() const {
  if (with_.sessions == nullptr)
    return Error(ErrorKind::notFound, "nobody signs in here: [oidc] is not configured");
  return with_.sessions;
}

Task<Response> Routes::signIn(Request request) { co_return co_await sign_in_door_.begin(std::move(request)); }

Task<Response> Routes::finishSignIn(Request request) {
  co_return co_await sign_in_door_.finish(std::move(request));
}

Task<access::Session> Routes::ownSession(std::string cookie) {
  CO_TRY(sessions, this->sessions());
  if (!access::isSessionKey(cookie)) co_return notSignedIn();
  CO_TRY(admission, co_await sessions->admit(access::hashOf(cookie)));
  if (admission.outcome != access::SessionAdmission::Outcome::letIn) co_return notSignedIn();
  co_return std::move(admission.session);
}

Task<Response> Routes::showSession(Request request) {
  CO_TRY(session, co_await ownSession(cookieNamed(request, kSessionCookie)));
  co_return Response(200, shapeOf(session));
}

Task<Response> Routes::signOut(Request request) {
  CO_TRY(session, co_await ownSession(cookieNamed(request, kSessionCookie)));
  CO_TRY(ended, co_await with_.sessions->end(session.id));
  Response response(200, shapeOf(ended));
  response.headers.push_back(setCookie(kSessionCookie, "", Milliseconds(0), "SameSite=Strict; Path=/"));
  co_return response;
}

Task<Response> Routes::listSessions(Request request) {
  json::object body{{"items", json::array()}, {"next_after", nullptr}};
  if (with_.sessions == nullptr) co_return Response(200, std::move(body));
  auto const limit = static_cast<int>(request.integer("limit", kPage));
  CO_TRY(found, co_await with_.sessions->list(request.text("after"), limit + 1));
  bool const more = std::ssize(found) > limit;
  if (more) found.erase(found.begin() + limit, found.end());
  auto& items = body["items"].as_array();
  for (auto const& session : found) items.push_back(shapeOf(session));
  if (more) body["next_after"] = found.back().id;
  co_return Response(200, std::move(body));
}

Task<Response> Routes::endSession(Request request) {
  CO_TRY(sessions, this->sessions());
  CO_TRY_VOID(requireId("ses", request.text("session"), "session"));
  CO_TRY(ended, co_await sessions->end(request.text("session")));
  co_return Response(200, shapeOf(ended));
}

} // namespace garland::api
