// The mail address of a connection, and a mailbox of the vendor that is visited for it.
#include "host/api/routes.h"
#include "host/api/shapes.h"

namespace garland::api {

namespace {

constexpr std::string_view kImapPath = "/api/integrations/connections/{connection}/imap";

Response show(sync::MailboxAccount const& account) {
  json::object body{{"connection_id", account.connection_id},
                    {"url", account.url},
                    {"folder", account.folder},
                    {"user", account.username}};
  body["created"] = rfc3339(account.created);
  body["visited"] = account.visited ? json::value(rfc3339(*account.visited)) : json::value();
  body["next_visit"] = rfc3339(account.next_visit);
  body["failures"] = account.failures;
  body["problem"] = account.problem;
  return Response(200, std::move(body));
}

} // namespace

void Routes::addMailboxRoutes(std::vector<Route>& table) {
  auto const add = adder(table);
  add(Route{"POST",
            "/api/integrations/connections/{connection}/mailbox",
            "openMailbox",
            "The mail address to which the account's provider sends its leads; made by the first call "
            "and shown once.",
            200,
            "Mailbox",
            {},
            "MailboxInput"},
      &Routes::openMailbox);
  add(Route{"PUT",
            kImapPath,
            "watchMailbox",
            "Visits a mailbox of the vendor by IMAP for mails of the account; signs in before it answers.",
            200,
            "WatchedMailbox",
            {},
            "WatchedMailboxInput"},
      &Routes::watchMailbox);
  add(Route{"GET",
            kImapPath,
            "showMailbox",
            "The mailbox that is visited for the account, and how the last visit went.",
            200,
            "WatchedMailbox",
            {}},
      &Routes::showMailbox);
  add(Route{"DELETE",
            kImapPath,
            "unwatchMailbox",
            "Visits the mailbox no more and forgets its password.",
            204,
            "",
            {}},
      &Routes::unwatchMailbox);
}

Task<Response> Routes::watchMailbox(Request request) {
  sync::MailboxAccount account;
  account.connection_id = request.text("connection");
  CO_TRY_VOID(requireId("con", account.connection_id, "connection"));
  account.url = textOr(request.json, "/url", "");
  account.folder = textOr(request.json, "/folder", "INBOX");
  account.username = textOr(request.json, "/user", "");
  auto& typed = request.json.as_object()["password"].as_string();
  Secret password(std::string(typed.data(), typed.size()));
  wipe(typed.data(), typed.size());
  CO_TRY(watched, co_await with_.engine.mailboxes().watch(std::move(account), std::move(password)));
  co_return show(watched);
}

Task<Response> Routes::showMailbox(Request request) {
  auto connection = request.text("connection");
  CO_TRY_VOID(requireId("con", connection, "connection"));
  CO_TRY(account, co_await with_.engine.mailboxes().of(std::move(connection)));
  co_return show(account);
}

Task<Response> Routes::unwatchMailbox(Request request) {
  auto connection = request.text("connection");
  CO_TRY_VOID(requireId("con", connection, "connection"));
  CO_TRY_VOID(co_await with_.engine.mailboxes().unwatch(std::move(connection)));
  co_return Response(204);
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
