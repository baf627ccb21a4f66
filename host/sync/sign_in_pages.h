// Accounts that are connected by a sign-in at the provider's own page: what was typed waits, sealed, until
// somebody comes back from there with a code.
#pragma once

#include "host/sync/connections.h"

namespace garland::sync {

class SignInPages {
public:
  SignInPages(Context& context, Vendors& vendors, Connections& connections)
      : context_(context), vendors_(vendors), connections_(connections) {}

  Task<oauth::Authorizations::Begun> begin(ConnectRequest request, std::string redirect_uri,
                                           std::string session);
  Task<Connected> end(SignInReturn back);

private:
  Task<Connected> connect(oauth::Authorizations::Taken taken, SignInReturn back);

  Context& context_;
  Vendors& vendors_;
  Connections& connections_;
};

} // namespace garland::sync
