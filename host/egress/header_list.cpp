#include "host/egress/header_list.h"

#include "host/egress/sigv4.h"

#include "host/base/bytes.h"

#include <algorithm>
#include <array>
#include <cstring>

namespace garland::egress {
namespace {

constexpr std::string_view kUserAgent = "Garland";

// Who the request comes from, where it goes and how it is framed are not the caller's business.
constexpr std::array<std::string_view, 16> kReserved = {
    "accept-encoding", "authorization",     "connection", "content-length",
    "cookie",          "cookie2",           "expect",     "host",
    "http2-settings",  "idempotency-key",   "keep-alive", "te",
    "trailer",         "transfer-encoding", "upgrade",    "via"};

// A credential of scheme `header` may use these two: some providers sign in through them.
constexpr std::array<std::string_view, 2> kSignInHeaders = {"authorization", "cookie"};

char lower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; }

std::string lower(std::string_view text) {
  std::string copy(text);
  std::transform(copy.begin(), copy.end(), copy.begin(), [](char c) { return lower(c); });
  return copy;
}

bool isTokenCharacter(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
         std::string_view("!#$%&'*+-.^_`|~").find(c) != std::string_view::npos;
}

bool isToken(std::string_view text) {
  constexpr std::size_t kLongest = 256;
  return !text.empty() && text.size() <= kLongest && std::all_of(text.begin(), text.end(), isTokenCharacter);
}

bool isFieldValue(std::string_view text) {
  return std::none_of(text.begin(), text.end(), [](char c) {
    auto const byte = static_cast<unsigned char>(c);
    return (byte < 0x20 && byte != '\t') || byte == 0x7f;
  });
}

bool contains(auto const& names, std::string_view name) {
  return std::find(names.begin(), names.end(), name) != names.end();
}

void addCredential(HeaderList& list, Credential const& credential) {
  using Scheme = Credential::Scheme;
  if (credential.scheme == Scheme::header) list.add(credential.name, credential.secret.reveal());
  std::string plain;
  std::string encoded;
  if (credential.scheme == Scheme::bearer) {
    encoded = "Bearer ";
    encoded += credential.secret.reveal();
  } else if (credential.scheme == Scheme::basic) {
    plain.reserve(credential.username.size() + credential.secret.reveal().size() + 1);
    plain = credential.username;
    plain += ':';
    plain += credential.secret.reveal();
    auto code = base64(plain);
    encoded = "Basic " + code;
    wipe(code.data(), code.size());
  }
  if (!encoded.empty()) list.add("Authorization", encoded);
  wipe(plain.data(), plain.size());
  wipe(encoded.data(), encoded.size());
}

Result<void> checkOauth1(Credential const& credential) {
  if (credential.username.empty() || credential.secret.empty())
    return Error(ErrorKind::invalidInput,
                 "the stored credential has no consumer key or no consumer secret; enter both again");
  if (credential.signing.token.empty() != credential.signing.token_secret.empty())
    return Error(ErrorKind::invalidInput,
                 "the stored credential has a token without its secret, or the other way round; enter both");
  return {};
}

bool isWord(std::string_view text) {
  return !text.empty() && std::all_of(text.begin(), text.end(), [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' || c == '_';
  });
}

// These stand between slashes and commas in the header that carries the signature.
Result<void> checkSigV4(Credential const& credential) {
  if (!isWord(credential.username) || credential.secret.empty())
    return Error(ErrorKind::invalidInput, "the stored access key id is not one of letters and digits, or its "
                                          "secret access key is missing; enter both again");
  if (!isWord(credential.signing.region) || !isWord(credential.signing.service))
    return Error(ErrorKind::invalidInput,
                 "the region or the service that requests are signed for is not a name such as eu-west-1 or "
                 "ses; correct the setting or the connector's manifest");
  if (!isFieldValue(credential.signing.session_token.reveal()))
    return Error(ErrorKind::invalidInput,
                 "the stored session token holds a line break or control character; enter it again");
  return {};
}

} // namespace

HeaderList::~HeaderList() {
  for (auto* node = list_; node != nullptr; node = node->next) wipe(node->data, std::strlen(node->data));
  curl_slist_free_all(list_);
}

void HeaderList::append(std::string line) {
  if (auto* longer = curl_slist_append(list_, line.c_str()); longer != nullptr) list_ = longer;
  wipe(line.data(), line.size());
}

void HeaderList::add(std::string_view name, std::string_view value) {
  std::string line;
  line.reserve(name.size() + value.size() + sizeof(std::string));
  line = name;
  // libcurl reads "Name:" as "leave this header out"; "Name;" is its spelling of an empty value.
  line += value.empty() ? ";" : ": ";
  line += value;
  append(std::move(line));
}

void HeaderList::suppress(std::string_view name) { append(std::string(name) + ":"); }

Result<void> checkRequest(Request const& request) {
  if (!isToken(request.method))
    return Error(ErrorKind::invalidInput, "the method of the request is no HTTP method such as GET",
                 "/method");
  // TRACE would have the server repeat the credential in its answer, CONNECT open a tunnel.
  if (auto const method = lower(request.method); method == "trace" || method == "connect")
    return Error(ErrorKind::invalidInput, "the method " + request.method + " is not allowed", "/method");
  for (std::size_t i = 0; i < request.headers.size(); ++i) {
    auto const& header = request.headers[i];
    auto const field = "/headers/" + std::to_string(i);
    if (!isToken(header.name))
      return Error(ErrorKind::invalidInput, "a header's name holds a character that HTTP does not allow",
                   field);
    if (!isFieldValue(header.value))
      return Error(ErrorKind::invalidInput,
                   "the value of the header " + header.name + " holds a line break or control character",
                   field);
  }
  if (!isFieldValue(request.idempotency_key))
    return Error(ErrorKind::invalidInput, "the idempotency key holds a line break or control character",
                 "/idempotency_key");
  return {};
}

Result<void> checkCredential(Credential const& credential) {
  using Scheme = Credential::Scheme;
  if (credential.scheme == Scheme::none) return {};
  if (credential.scheme == Scheme::basic) {
    if (credential.username.find(':') != std::string::npos || !isFieldValue(credential.username))
      return Error(ErrorKind::invalidInput, "the user name holds a colon or a control character; correct it");
    return {};
  }
  if (!isFieldValue(credential.secret.reveal()))
    return Error(ErrorKind::invalidInput,
                 "the stored secret holds a line break or control character; enter it again");
  if (credential.scheme == Scheme::bearer || credential.scheme == Scheme::address) return {};
  if (credential.scheme == Scheme::oauth1) return checkOauth1(credential);
  if (credential.scheme == Scheme::sigv4) return checkSigV4(credential);
  auto const name = lower(credential.name);
  if (credential.scheme == Scheme::query
          ? name.empty()
          : !isToken(name) || (isReserved(name) && !contains(kSignInHeaders, name)))
    return Error(ErrorKind::invalidInput, "a credential cannot be sent as \"" + credential.name +
                                              "\"; correct the connector's manifest");
  return {};
}

bool isReserved(std::string_view name) {
  auto const small = lower(name);
  return small.starts_with("proxy-") || contains(kReserved, small);
}

void fillHeaders(HeaderList& list, Request const& request, Credential const& credential) {
  bool const by_header = credential.scheme == Credential::Scheme::header;
  auto const own = by_header ? lower(credential.name) : std::string();
  bool const by_sigv4 = credential.scheme == Credential::Scheme::sigv4;
  bool has_agent = false;
  bool has_type = false;
  for (auto const& header : request.headers) {
    auto const name = lower(header.name);
    if (isReserved(name) || name == own || (by_sigv4 && isOwnOfSigV4(name))) continue;
    has_agent = has_agent || name == "user-agent";
    has_type = has_type || name == "content-type";
    list.add(header.name, header.value);
  }
  if (!has_agent) list.add("User-Agent", kUserAgent);
  // libcurl would call any body a web form, and wait a second for leave to send a long one.
  if (!has_type) list.suppress("Content-Type");
  list.suppress("Expect");
  if (!request.idempotency_key.empty()) list.add("Idempotency-Key", request.idempotency_key);
  addCredential(list, credential);
}

} // namespace garland::egress
