// The settings of [oidc]: where people sign in, and what they may.
#pragma once

#include "host/daemon/config.h"

#include <toml++/toml.h>

#include <optional>
#include <string>

namespace garland::daemon::oidc {

// The sentence that is wrong with a value: "must be ...", or nothing.
using Complaint = std::optional<std::string>;

Complaint takeIssuer(std::string const& value, Config& config);
Complaint takeClientId(std::string const& value, Config& config);
Complaint takePublicUrl(std::string const& value, Config& config);
Complaint takeScopes(std::string const& value, Config& config);
Complaint takeRolesClaim(std::string const& value, Config& config);
Complaint takeRoles(toml::node const& node, Config& config);
Complaint takeAudiences(toml::node const& node, Config& config);
Complaint takePrivateNetwork(toml::node const& node, Config& config);

} // namespace garland::daemon::oidc
