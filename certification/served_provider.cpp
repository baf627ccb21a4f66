#include "certification/served_provider.h"

namespace garland::certification {
namespace {

Effect effectOf(int status) {
  if (status >= 200 && status < 300) return Effect::applied;
  return status >= 400 && status < 500 ? Effect::notApplied : Effect::unknown;
}

// Egress signs in by itself and takes no such header from others.
egress::Credential signInOf(std::string const& header) {
  egress::Credential out;
  if (header.starts_with("Bearer ")) {
    out.scheme = egress::Credential::Scheme::bearer;
    out.secret = Secret(header.substr(7));
  } else if (header.starts_with("Basic ")) {
    auto const pair = fromBase64(header.substr(6));
    auto const colon = pair ? pair->find(':') : std::string::npos;
    if (colon == std::string::npos) return out;
    out.scheme = egress::Credential::Scheme::basic;
    out.username = pair->substr(0, colon);
    out.secret = Secret(pair->substr(colon + 1));
  }
  return out;
}

} // namespace

ServedProvider::ServedProvider(egress::Client& egress, std::string address)
    : egress_(egress), address_(std::move(address)) {}

Task<egress::Response> ServedProvider::send(ProviderRequest request) {
  egress::Request out;
  out.method = std::move(request.method);
  out.url = address_ + request.target;
  out.body = std::move(request.body);
  egress::Credential credential;
  for (auto& [name, value] : request.headers) {
    if (name == "authorization")
      credential = signInOf(value);
    else if (name != "host")
      out.headers.push_back({name, value});
  }
  egress::Policy policy;
  policy.allowed_hosts = {address_.substr(address_.find("://") + 3)};
  policy.allow_private_network = true;
  policy.max_redirects = 0;
  co_return co_await egress_.fetch(std::move(out), std::move(policy), std::move(credential));
}

Task<runtime::HttpAnswer> ServedProvider::serve(ProviderRequest request) {
  auto sending = send(std::move(request));
  CO_TRY(response, co_await std::move(sending));
  runtime::HttpAnswer out;
  out.status = response.status;
  out.effect = effectOf(response.status);
  out.retry_after = response.retry_after;
  for (auto& [name, value] : response.headers) out.headers.emplace_back(std::move(name), std::move(value));
  out.body = std::move(response.body);
  co_return std::move(out);
}

Task<json::value> ServedProvider::control(std::string method, std::string path, json::value body) {
  ProviderRequest request;
  request.method = std::move(method);
  request.target = std::move(path);
  if (!body.is_null()) request.body = json::serialize(body);
  auto sending = send(std::move(request));
  CO_TRY(response, co_await std::move(sending));
  co_return parseJson(response.body);
}

} // namespace garland::certification
