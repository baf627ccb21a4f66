#include "host/sync/mailbox_accounts.h"

#include "host/sync/commits.h"

namespace garland::sync {
namespace {

constexpr std::string_view kColumns =
    "vendor_id,connection_id,url,folder,username,revision,created,uid_validity,taken_to,since,visited,"
    "next_visit,failures,problem,stuck_at,attempts";

MailboxAccount accountOf(store::Row const& row) {
  MailboxAccount account;
  account.vendor_id = row.text(0);
  account.connection_id = row.text(1);
  account.url = row.text(2);
  account.folder = row.text(3);
  account.username = row.text(4);
  account.revision = row.integer(5);
  account.created = fromMillis(row.integer(6));
  account.uid_validity = static_cast<std::uint32_t>(row.integer(7));
  account.taken_to = static_cast<std::uint32_t>(row.integer(8));
  account.since = timeAt(row, 9);
  account.visited = timeAt(row, 10);
  account.next_visit = fromMillis(row.integer(11));
  account.failures = row.integer(12);
  account.problem = row.text(13);
  account.stuck_at = static_cast<std::uint32_t>(row.integer(14));
  account.attempts = row.integer(15);
  return account;
}

store::Value timeOrNull(std::optional<TimePoint> const& when) {
  if (!when) return nullptr;
  return toMillis(*when);
}

std::string sealingPlace(MailboxAccount const& account) {
  return account.vendor_id + "/" + account.connection_id + "/mailbox";
}

bool samePlace(MailboxAccount const& a, MailboxAccount const& b) {
  return a.url == b.url && a.folder == b.folder && a.username == b.username;
}

} // namespace

Task<MailboxAccount> MailboxAccounts::watch(MailboxAccount account, Secret password) {
  CO_TRY(session, co_await connections_.open(account.connection_id));
  auto const& manifest = session.plugin->manifest;
  if (find(manifest.document, "/intake/mail") == nullptr)
    co_return Error(ErrorKind::invalidInput, manifest.name + " takes nothing in by mail", "/source");
  account.vendor_id = session.connection.vendor_id;
  account.created = account.next_visit = context_.now();
  auto signing = signIn(account, password.clone());
  CO_TRY(mailbox, co_await std::move(signing));
  mailbox.reset();
  CO_TRY(before, co_await known(&session.connection));
  // No revision comes twice, not even when it is removed in between: a visit may still be under way.
  account.revision = before ? before->revision + 1 : toMillis(account.created);
  if (before && samePlace(*before, account)) {
    account.uid_validity = before->uid_validity;
    account.taken_to = before->taken_to;
    account.since = before->since;
    account.visited = before->visited;
    account.created = before->created;
  }
  CO_TRY(sealed, context_.doors.vault.seal(password, sealingPlace(account)));
  CO_TRY_VOID(co_await keep(account, std::move(sealed)));
  co_return account;
}

Task<void> MailboxAccounts::keep(MailboxAccount account, std::string sealed) {
  store::Unit unit;
  // The connection may have gone while we signed in.
  unit.push_back(
      store::Statement(
          "INSERT INTO mailboxes (vendor_id,connection_id,url,folder,username,sealed,revision,created,"
          "uid_validity,taken_to,since,visited,next_visit,failures,problem) "
          "SELECT c.vendor_id,c.connection_id,$3,$4,$5,$6,CAST($7 AS BIGINT),CAST($8 AS BIGINT),"
          "CAST($9 AS BIGINT),CAST($10 AS BIGINT),CAST($11 AS BIGINT),CAST($12 AS BIGINT),CAST($13 AS "
          "BIGINT),0,'' FROM connections c "
          "WHERE c.vendor_id=$1 AND c.connection_id=$2 "
          "ON CONFLICT (vendor_id,connection_id) DO UPDATE SET url=excluded.url, folder=excluded.folder, "
          "username=excluded.username, sealed=excluded.sealed, revision=excluded.revision, "
          "created=excluded.created, uid_validity=excluded.uid_validity, taken_to=excluded.taken_to, "
          "since=excluded.since, visited=excluded.visited, next_visit=excluded.next_visit, failures=0, "
          "problem='', stuck_at=0, attempts=0",
          {account.vendor_id, account.connection_id, account.url, account.folder, account.username, sealed,
           account.revision, toMillis(account.created), std::int64_t{account.uid_validity},
           std::int64_t{account.taken_to}, timeOrNull(account.since), timeOrNull(account.visited),
           toMillis(account.next_visit)})
          .expecting(1));
  unit.push_back(told(context_, "mailbox.watch", account.vendor_id, account.connection_id));
  CO_TRY_VOID(co_await context_.doors.store.commit(std::move(unit)));
  co_return Result<void>();
}

Task<std::optional<MailboxAccount>> MailboxAccounts::known(Connection const* connection) {
  store::Statement query("SELECT " + std::string(kColumns) +
                             " FROM mailboxes WHERE vendor_id=$1 AND connection_id=$2",
                         {connection->vendor_id, connection->id});
  CO_TRY(rows, co_await context_.doors.store.read(std::move(query)));
  std::optional<MailboxAccount> account;
  if (!rows.rows.empty()) account = accountOf(rows.rows[0]);
  co_return account;
}

Task<MailboxAccount> MailboxAccounts::of(std::string connection_id) {
  CO_TRY(connection, co_await connections_.one(connection_id));
  CO_TRY(account, co_await known(&connection));
  if (!account)
    co_return Error(ErrorKind::notFound, "no mailbox is visited for " + connection_id +
                                             "; garland connections imap " + connection_id +
                                             " --url imaps://... --user ... names one");
  co_return *std::move(account);
}

Task<void> MailboxAccounts::unwatch(std::string connection_id) {
  CO_TRY(account, co_await of(std::move(connection_id)));
  store::Unit unit;
  unit.emplace_back("DELETE FROM mailboxes WHERE vendor_id=$1 AND connection_id=$2",
                    Values{account.vendor_id, account.connection_id});
  unit.push_back(told(context_, "mailbox.unwatch", account.vendor_id, account.connection_id));
  CO_TRY_VOID(co_await context_.doors.store.commit(std::move(unit)));
  co_return Result<void>();
}

Task<std::vector<MailboxAccount>> MailboxAccounts::due(int limit) {
  Values args{toMillis(context_.now()), std::int64_t{limit}};
  auto const which = andMine(context_, "mailboxes", args);
  store::Statement query("SELECT " + std::string(kColumns) + " FROM mailboxes WHERE next_visit<=$1" + which +
                             " ORDER BY next_visit LIMIT $2",
                         std::move(args));
  CO_TRY(rows, co_await context_.doors.store.read(std::move(query)));
  std::vector<MailboxAccount> accounts;
  for (auto const& row : rows.rows) accounts.push_back(accountOf(row));
  co_return accounts;
}

Task<std::unique_ptr<egress::Mailbox>> MailboxAccounts::visit(MailboxAccount account) {
  store::Statement query(
      "SELECT sealed FROM mailboxes WHERE vendor_id=$1 AND connection_id=$2 AND revision=$3",
      {account.vendor_id, account.connection_id, account.revision});
  CO_TRY(rows, co_await context_.doors.store.read(std::move(query)));
  if (rows.rows.empty()) co_return Error(ErrorKind::notFound, "the mailbox was removed or set up again");
  CO_TRY(password, context_.doors.vault.open(rows.rows[0].text(0), sealingPlace(account)));
  co_return co_await signIn(std::move(account), std::move(password));
}

Task<std::unique_ptr<egress::Mailbox>> MailboxAccounts::signIn(MailboxAccount account, Secret password) {
  CO_TRY(connection, co_await connections_.one(account.connection_id));
  egress::MailboxPlace place;
  place.url = account.url;
  place.folder = account.folder;
  place.username = account.username;
  place.password = std::move(password);
  place.audit_subject = account.connection_id;
  egress::Policy policy;
  policy.allow_private_network = connection.allow_private_network;
  policy.extra_ca_file = context_.doors.extra_ca_file;
  auto visiting = context_.doors.egress.visit(std::move(place), std::move(policy));
  auto mailbox = co_await std::move(visiting);
  CO_TRY_VOID(co_await audit_.save(account.vendor_id, account.connection_id, "mailbox.visit"));
  co_return mailbox;
}

Task<void> MailboxAccounts::save(MailboxAccount account) {
  store::Unit unit;
  unit.push_back(
      store::Statement(
          "UPDATE mailboxes SET uid_validity=$1, taken_to=$2, since=$3, visited=$4, next_visit=$5, "
          "failures=$6, problem=$7, stuck_at=$8, attempts=$9 WHERE vendor_id=$10 AND connection_id=$11 AND "
          "revision=$12",
          {std::int64_t{account.uid_validity}, std::int64_t{account.taken_to}, timeOrNull(account.since),
           timeOrNull(account.visited), toMillis(account.next_visit), account.failures,
           context_.scrub(account.problem), std::int64_t{account.stuck_at}, account.attempts,
           account.vendor_id, account.connection_id, account.revision})
          .expecting(1));
  Owner owner{account.vendor_id, account.connection_id};
  CO_TRY_VOID(co_await commitOwned(&context_, std::move(owner), std::move(unit)));
  CO_TRY_VOID(co_await audit_.save(account.vendor_id, account.connection_id, "mailbox.visit"));
  co_return Result<void>();
}

} // namespace garland::sync
