// The mail address of a connection.
#include "host/api/routes.h"
#include "host/api/shapes.h"

namespace garland::api {

void Routes::addMailboxRoutes(std::vector<Route>& table) {
  adder(table)(
      Route{"POST",
            "/api/integrations/connections/{connection}/mailbox",
            "openMailbox",
            "The mail address to which the account's provider sends its leads; made by the first call "
            "and shown once.",
            200,
            "Mailbox",
            {},
            "MailboxInput"},
      &Routes::openMailbox);
}

Task<Response> Routes::openMailbox(Request request) {
  auto const connection = request.text("connection");
  CO_TRY_VOID(requireId("con", connection, "connection"));
  if (with_.mail_domain.empty())
    co_return Error(
        ErrorKind::unsupported,
        "this daemon takes no mail: set [mail] listen and domain in garland.toml and start it again");
  bool const rotate = boolOr(request.json, "/rotate", false);
  auto& intake = with_.engine.intake();
  CO_TRY(opened, co_await intake.openDoor(connection, sync::IntakeSource::mail, rotate));
  json::object body{{"connection_id", connection}, {"address", nullptr}};
  if (!opened.token.empty())
    body["address"] = "lead-" + std::string(opened.token.reveal()) + "@" + with_.mail_domain;
  body["created"] = rfc3339(opened.door.created);
  co_return Response(200, std::move(body));
}

} // namespace garland::api
