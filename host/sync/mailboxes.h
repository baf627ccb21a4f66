// Mailboxes that are visited: a vendor's own, in which mails for a connection come in. Other rooms come here
// through sync.h. Who visits them, and what becomes of a mail, is not decided here.
//
// A mail that is taken in is durable before the account's place in the mailbox moves (save), so a mail may be
// read twice, which changes nothing, and is never passed over.
#pragma once

#include "host/base/clock.h"
#include "host/base/secret.h"
#include "host/base/task.h"
#include "host/egress/egress.h"

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace garland::sync {

struct MailboxAccount {
  std::string vendor_id;
  std::string connection_id;
  std::string url; // as egress::MailboxPlace has them
  std::string folder = "INBOX";
  std::string username;
  std::int64_t revision = 0; // grows when it is set up again, which ends what began with the one before
  TimePoint created;

  // How far its mails were taken in: up to this UID, as long as the mailbox keeps this validity.
  std::uint32_t uid_validity = 0; // 0: it was never visited
  std::uint32_t taken_to = 0;
  std::optional<TimePoint> since; // mails that came before that day are left out; none: all are taken
  std::uint32_t stuck_at = 0;     // the mail at which visits ended, and how many of them; 0: none
  std::int64_t attempts = 0;

  std::optional<TimePoint> visited; // when a visit ended well
  TimePoint next_visit;
  std::int64_t failures = 0; // visits in a row
  std::string problem;       // of the last one; "" if it went well
};

// [loop thread]
class Mailboxes {
public:
  virtual ~Mailboxes() = default;
  // Signs in once, then keeps the account in the place of another one of its connection. With the same url,
  // folder and user only the password is replaced. invalidInput: the connector takes no mail, or a member
  // cannot be used; and whatever a visit answers.
  virtual Task<MailboxAccount> watch(MailboxAccount account, Secret password) = 0;
  virtual Task<void> unwatch(std::string connection_id) = 0;      // notFound
  virtual Task<MailboxAccount> of(std::string connection_id) = 0; // notFound
  virtual Task<std::vector<MailboxAccount>> due(int limit) = 0;   // the longest due first
  virtual Task<std::unique_ptr<egress::Mailbox>> visit(MailboxAccount account) = 0;
  // Its place, its schedule and how the last visit went. `conflict` if it was set up again or removed
  // meanwhile.
  virtual Task<void> save(MailboxAccount account) = 0;
};

} // namespace garland::sync
