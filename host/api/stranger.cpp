#include "host/api/stranger.h"

#include "host/vault/vault.h"

#include <algorithm>

namespace garland::api {
namespace {

constexpr std::size_t kMostDeliveryId = 300;

bool isPlain(std::string_view id) {
  bool const printable =
      std::ranges::none_of(id, [](char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7F; });
  return printable && id.size() <= kMostDeliveryId;
}

} // namespace

std::string outsideOf(Dependencies const& with, unsigned short port) {
  return with.public_url.empty() ? with.own_origin + ":" + std::to_string(port) : with.public_url;
}

webhooks::Request signedRequest(Request& request, std::string const& outside) {
  webhooks::Request out;
  out.method = request.method;
  out.url = outside + request.target;
  out.headers.reserve(request.headers.size());
  for (auto const& header : request.headers) out.headers.emplace_back(header.name, header.value);
  out.body = std::move(request.body);
  return out;
}

Response answerOf(webhooks::Response handshake) {
  Response response(handshake.status);
  for (auto& [name, value] : handshake.headers) {
    if (name == "Content-Type")
      response.content_type = std::move(value);
    else if (name != "X-Content-Type-Options") // every answer has it
      response.headers.emplace_back(std::move(name), std::move(value));
  }
  response.body = std::move(handshake.body);
  return response;
}

Error forStrangers(Error const& error) {
  bool const full = error.kind == ErrorKind::quota || error.kind == ErrorKind::rateLimited;
  if (!full && error.kind != ErrorKind::transient) return error;
  Error out(error.kind, full ? "this hook takes nothing more at the moment; send it again later"
                             : "this could not be kept; send it again later");
  out.retry_after = error.retry_after;
  return out;
}

std::string keyOf(std::string id) { return isPlain(id) ? id : vault::sha256Hex(id); }

} // namespace garland::api
