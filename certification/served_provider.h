// The provider as a twin that somebody serves over HTTP (`garland twin serve`), so that its state outlives a
// bench, and others can look at it and change it meanwhile.
#pragma once

#include "certification/provider.h"
#include "host/egress/egress.h"

namespace garland::certification {

// Everything must outlive it. [loop thread]
class ServedProvider final : public Provider {
public:
  // "http://127.0.0.1:8123"
  ServedProvider(egress::Client& egress, std::string address);

  Task<runtime::HttpAnswer> serve(ProviderRequest request) override;
  Task<json::value> control(std::string method, std::string path, json::value body) override;

private:
  Task<egress::Response> send(ProviderRequest request);

  egress::Client& egress_;
  std::string address_;
};

} // namespace garland::certification
