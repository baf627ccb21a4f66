// Account: which slot, which base, JSON bodies.
#include <garland/sdk/account.hpp>

namespace garland::sdk {

void Account::setHeader(std::string name, std::string value) {
  std::erase_if(headers_, [&](Header const& header) { return header.name == name; });
  headers_.push_back({std::move(name), std::move(value)});
}

Response Account::send(Request request) {
  if (!request.slot) request.slot = info_.slots.empty() ? std::string() : info_.slots.front();
  if (!base_.empty()) request.url = resolve(base_, request.url);
  request.headers.insert(request.headers.end(), headers_.begin(), headers_.end());
  return call_.send(request);
}

Response Account::fetch(Request request) {
  auto const response = send(request);
  expectSuccess(request, response);
  return response;
}

Response Account::get(std::string_view url, Query const& query) {
  Request request;
  request.url = withQuery(url, query);
  request.headers.push_back({"Accept", "application/json"});
  return fetch(std::move(request));
}

Response Account::sendJson(std::string_view method, std::string_view url, json::value const& body) {
  Request request;
  request.method = method;
  request.url = url;
  request.headers.push_back({"Accept", "application/json"});
  request.headers.push_back({"Content-Type", "application/json"});
  request.body = json::serialize(body);
  return fetch(std::move(request));
}

Response Account::post(std::string_view url, json::value const& body) { return sendJson("POST", url, body); }
Response Account::put(std::string_view url, json::value const& body) { return sendJson("PUT", url, body); }
Response Account::patch(std::string_view url, json::value const& body) {
  return sendJson("PATCH", url, body);
}

void Account::remove(std::string_view url) {
  Request request;
  request.method = "DELETE";
  request.url = url;
  fetch(std::move(request));
}

} // namespace garland::sdk
