// An address in a request is followed only if it lies on the provider's own hosts.
#pragma once

#include "host/webhooks/place.h"

namespace garland::webhooks {

struct HostRule {
  Place url;
  std::vector<std::string> hosts; // "*.": any names below; "*" between dots: one name
  std::string path_prefix;
};

// https, no user name, the usual port, one of the hosts, no way out of the path.
Found<void> checkAddress(HostRule const& rule, std::string const& url);

} // namespace garland::webhooks
