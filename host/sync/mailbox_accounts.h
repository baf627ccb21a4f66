// The table of mailboxes, and signing in to them.
#pragma once

#include "host/sync/connections.h"
#include "host/sync/mailboxes.h"

namespace garland::sync {

class MailboxAccounts final : public Mailboxes {
public:
  MailboxAccounts(Context& context, Connections& connections, AuditTrail& audit)
      : context_(context), connections_(connections), audit_(audit) {}

  Task<MailboxAccount> watch(MailboxAccount account, Secret password) override;
  Task<void> unwatch(std::string connection_id) override;
  Task<MailboxAccount> of(std::string connection_id) override;
  Task<std::vector<MailboxAccount>> due(int limit) override;
  Task<std::unique_ptr<egress::Mailbox>> visit(MailboxAccount account) override;
  Task<void> save(MailboxAccount account) override;

private:
  Task<std::optional<MailboxAccount>> known(Connection const* connection);
  Task<std::unique_ptr<egress::Mailbox>> signIn(MailboxAccount account, Secret password);
  Task<void> keep(MailboxAccount account, std::string sealed);

  Context& context_;
  Connections& connections_;
  AuditTrail& audit_;
};

} // namespace garland::sync
