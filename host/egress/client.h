// How egress makes its client; callers outside use Client::create.
#pragma once

#include "host/egress/transfer.h"

namespace garland::egress {

std::unique_ptr<Client> createClient(asio::any_io_executor executor, Clock& clock, Random& random,
                                     Log const& log, AddressCheck kind_of);

} // namespace garland::egress
