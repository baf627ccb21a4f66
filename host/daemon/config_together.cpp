#include "host/daemon/config_together.h"

#include <boost/asio/ip/address.hpp>

#include <algorithm>

namespace garland::daemon {
namespace {

void checkTls(LoadedConfig& out, std::string const& name) {
  Config const& config = out.config;
  if (config.tls.certificate.empty() != config.tls.key.empty())
    out.problems.push_back(name + ": [tls] certificate and key go together");
  if (!config.tls.client_ca.empty() && config.tls.certificate.empty())
    out.problems.push_back(name + ": [tls] client_ca needs a certificate and a key");
  if (!config.tls.certificate.empty() && config.clear_text_to_proxy)
    out.problems.push_back(name + ": [tls] clear_text_to_proxy and a certificate contradict each other");
  if (!isLoopback(config.address) && config.tls.certificate.empty() && !config.clear_text_to_proxy)
    out.problems.push_back(name + ": [daemon] address: " + config.address +
                           " can be reached from elsewhere and needs TLS; set [tls] certificate and key");
}

void checkOidc(LoadedConfig& out, std::string const& name) {
  auto const& oidc = out.config.oidc;
  if (oidc.issuer.empty()) return;
  std::string missing;
  auto const need = [&](char const* key, bool there) {
    // A value that was refused is complained of already, and is not missing.
    auto const refused = std::ranges::any_of(out.problems, [key](std::string const& problem) {
      return problem.find("[oidc] " + std::string(key) + " ") != std::string::npos;
    });
    if (!there && !refused) missing += (missing.empty() ? "" : ", ") + std::string(key);
  };
  need("client_id", !oidc.client_id.empty());
  need("public_url", !oidc.public_url.empty());
  need("roles", !oidc.roles.empty());
  if (!missing.empty()) out.problems.push_back(name + ": [oidc] issuer needs these as well: " + missing);
  if (oidc.roles_claim.empty())
    out.problems.push_back(name + ": [oidc] roles_claim must name the claim that roles are read from");
}

void checkMail(LoadedConfig& out, std::string const& name) {
  Config const& config = out.config;
  if (config.mail_certificate.empty() != config.mail_certificate_key.empty())
    out.problems.push_back(name + ": [mail] certificate and certificate_key go together");
  if (!config.mail_address.empty() && !isLoopback(config.mail_address) && config.mail_certificate.empty())
    out.problems.push_back(name +
                           ": [mail] listen: only loopback addresses are listened on without a certificate; "
                           "set [mail] certificate and certificate_key");
}

void checkEvents(LoadedConfig& out, std::string const& name) {
  if (out.config.carrier.servers.empty() || isShared(out.config)) return;
  out.problems.push_back(name +
                         ": [events] nats: only daemons that share a PostgreSQL database tell each other "
                         "anything; leave it out, or set [database] url");
}

} // namespace

bool isLoopback(std::string const& address) {
  boost::system::error_code failed;
  auto const parsed = boost::asio::ip::make_address(address, failed);
  return !failed && parsed.is_loopback();
}

void checkTogether(LoadedConfig& out, std::string const& name) {
  checkTls(out, name);
  checkOidc(out, name);
  checkMail(out, name);
  checkEvents(out, name);
}

} // namespace garland::daemon
