// How egress makes its client and a visit to a mailbox; callers outside use Client::create.
#pragma once

#include "host/egress/transfer.h"

namespace garland::egress {

std::unique_ptr<Client> createClient(asio::any_io_executor executor, Clock& clock, Random& random,
                                     Log const& log, AddressCheck kind_of);

// What a visit to a mailbox uses of its client.
struct VisitHost {
  asio::any_io_executor executor;
  Clock& clock;
  AddressCheck kind_of = nullptr;
  std::function<void(AuditEntry const&)> audit;
  std::function<void(std::shared_ptr<Transport> const&)> opened; // so that it can be ended by shutdown
};
Task<std::unique_ptr<Mailbox>> openMailbox(VisitHost host, MailboxPlace place, Policy policy);

} // namespace garland::egress
