#include "host/api/own_names.h"

#include <boost/asio/ip/address.hpp>

#include <algorithm>
#include <charconv>
#include <optional>
#include <string_view>

namespace garland::api {
namespace {

struct Host {
  std::string name; // in lower case, an IPv6 address without its brackets
  std::optional<unsigned short> port;
};

std::optional<unsigned short> portIn(std::string_view text) {
  unsigned short port = 0;
  auto const [end, wrong] = std::from_chars(text.data(), text.data() + text.size(), port);
  if (wrong != std::errc() || end != text.data() + text.size() || text.empty()) return std::nullopt;
  return port;
}

// Nothing if it is no host.
std::optional<Host> readHost(std::string_view text) {
  Host out;
  auto end = text.find(':');
  if (text.starts_with('[')) {
    end = text.find(']');
    if (end == std::string_view::npos) return std::nullopt;
    out.name = text.substr(1, end - 1);
    ++end;
  } else {
    out.name = text.substr(0, end);
  }
  auto const rest = text.substr(std::min(end, text.size()));
  if (!rest.empty()) {
    out.port = rest.front() == ':' ? portIn(rest.substr(1)) : std::nullopt;
    if (!out.port) return std::nullopt;
  }
  std::ranges::transform(out.name, out.name.begin(),
                         [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; });
  return out;
}

std::optional<asio::ip::address> addressIn(std::string const& text) {
  boost::system::error_code failed;
  auto address = asio::ip::make_address(text, failed);
  if (failed) return std::nullopt;
  return address;
}

bool reachedFromElsewhere(std::string const& listens) {
  auto const address = addressIn(listens);
  return address && !address->is_loopback();
}

std::string inUrl(std::string const& host) {
  return host.find(':') == std::string::npos ? host : "[" + host + "]";
}

// An address that stands for all of this machine's is none that a client can ask.
std::string reachable(std::string const& listens) {
  auto const address = addressIn(listens);
  if (!address || !address->is_unspecified()) return listens;
  return address->is_v6() ? "::1" : "127.0.0.1";
}

} // namespace

Result<std::string> ownOrigin(Options const& options) {
  auto const address = reachable(options.address);
  if (options.tls.certificate.empty()) return "http://" + inUrl(address);
  TRY(identity, TlsIdentity::load(options.tls));
  return "https://" + inUrl(identity->hostFor(address));
}

Guard guardFor(Request const& request, Guard const& guard, TlsIdentity const* identity) {
  auto const* text = request.header("host");
  auto const host = text == nullptr ? std::nullopt : readHost(*text);
  if (!host) return guard;
  bool const by_address = reachedFromElsewhere(guard.address) && addressIn(host->name).has_value();
  bool const by_name = identity != nullptr && identity->isNamed(host->name);
  Guard called = guard;
  // What a certificate says, it says to everybody who connects.
  if (!by_address && !by_name && identity != nullptr && !hostIsOurs(*text, guard))
    called.names = identity->facts().names;
  if (!by_address && !by_name) return called;
  called.address = host->name;
  called.port = host->port.value_or(80); // of those that the router takes without their number
  return called;
}

} // namespace garland::api
