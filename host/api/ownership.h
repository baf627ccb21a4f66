// Whether what a request names belongs to the vendor whose key it came with.
#pragma once

#include "host/api/router.h"
#include "host/notify/notify.h"
#include "host/sync/sync.h"

#include <string>
#include <utility>

namespace garland::api {

// A list of many vendors' things is asked for those of this vendor, unless the request says of whom.
void narrow(Route const& route, Request& request, std::string const& vendor_id);

// [loop thread]
class Ownership {
public:
  // null: this daemon has no endpoints.
  Ownership(sync::Engine& engine, notify::Notifier* notifier) : engine_(engine), notifier_(notifier) {}

  // After parameters and body were checked. forbidden: it names another vendor, nobody, or asks for what only
  // operators may. notFound: it names a thing that is another's or nobody's; which of the two is not told.
  // The request must outlive the task.
  Task<void> check(Request const* request, std::string vendor_id);

private:
  // Whose a thing is, and whether an operator has allowed it a private network.
  struct Owner {
    explicit Owner(std::string vendor_id_in, bool private_network_in = false)
        : vendor_id(std::move(vendor_id_in)), private_network(private_network_in) {}
    std::string vendor_id;
    bool private_network;
  };
  Task<Owner> ownerOf(std::string name, std::string id);
  Task<Owner> ownerOfConnection(std::string id);
  Task<Owner> ownerOfStatus(std::string id);

  sync::Engine& engine_;
  notify::Notifier* notifier_;
};

} // namespace garland::api
