// Which certificate authorities are believed: the system's, and an operator's bundle besides.
#pragma once

#include "host/base/result.h"

#include <openssl/ssl.h>

#include <memory>
#include <string>

namespace garland::egress {

struct StoreDeleter {
  void operator()(X509_STORE* store) const { X509_STORE_free(store); }
};
using TrustStore = std::unique_ptr<X509_STORE, StoreDeleter>;

// Errors: invalidInput (the bundle cannot be read or holds no certificate).
Result<TrustStore> loadTrust(std::string const& extra_ca_file);
// Changes when the file is replaced, so that trust in force follows the file. Empty for an empty path.
std::string versionOf(std::string const& extra_ca_file);

// Why a server's certificate was refused.
struct Verdict {
  long error = X509_V_OK; // X509_V_ERR_...
  std::string issuer;     // of the certificate that failed, as text; from outside
};

// Makes `context` believe `store`, and note in the verdict what fails. libcurl does not tell every
// failure apart, and the context outlives the transfer that made it: hence a shared verdict.
void useTrust(SSL_CTX* context, X509_STORE* store, std::shared_ptr<Verdict> verdict);

} // namespace garland::egress
