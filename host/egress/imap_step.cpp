#include "host/egress/imap_step.h"

#include "host/egress/failure.h"

#include "host/base/bytes.h"

#include <algorithm>
#include <sys/socket.h>
#include <unistd.h>

namespace garland::egress {
namespace {

constexpr long kConnectMilliseconds = 20'000; // signing in counts
// libcurl cuts lines that are longer than half of this; a list of kMailWindow UIDs is not.
constexpr long kLineBuffer = 512L * 1024;
constexpr std::size_t kLongestWord = 500;

Error coded(ErrorKind kind, std::string code, std::string message) {
  Error error(kind, std::move(message));
  error.provider_code = std::move(code);
  return error;
}

bool isPlain(std::string const& text) {
  return !text.empty() && text.size() <= kLongestWord &&
         std::all_of(text.begin(), text.end(), [](char c) { return c >= 0x20 && c < 0x7f; });
}

} // namespace

// The host is read by the same parser as every other address.
Result<MailServer> mailServerOf(MailboxPlace const& place) {
  MailServer server;
  std::string_view rest = place.url;
  server.tls_first = rest.starts_with("imaps://");
  if (!server.tls_first && !rest.starts_with("imap://"))
    return Error(
        ErrorKind::invalidInput,
        "the address of a mailbox begins with imaps://, or with imap:// where TLS is offered by STARTTLS",
        "/url");
  rest.remove_prefix(server.tls_first ? 8 : 7);
  if (rest.ends_with('/')) rest.remove_suffix(1);
  if (rest.find_first_of("/?#@;") != std::string_view::npos)
    return Error(
        ErrorKind::invalidInput,
        "the address of a mailbox is a host and perhaps a port; user and folder are told apart from it",
        "/url");
  TRY(url, Url::parse("https://" + std::string(rest)));
  server.host = url.host();
  auto const colon = rest.rfind(':');
  bool const names_port = colon != std::string_view::npos && rest.find(']', colon) == std::string_view::npos;
  server.port = names_port ? std::to_string(url.port()) : server.tls_first ? "993" : "143";
  return server;
}

Result<void> checkMailbox(MailboxPlace const& place) {
  TRY_VOID(mailServerOf(place));
  if (!isPlain(place.folder))
    return Error(ErrorKind::invalidInput,
                 "the folder of a mailbox is named in ASCII, as the server writes it (modified UTF-7)",
                 "/folder");
  if (!isPlain(place.username))
    return Error(ErrorKind::invalidInput, "the user name of a mailbox is plain ASCII", "/user");
  return {};
}

ImapStep::ImapStep(std::shared_ptr<Transport> transport, MailLine& line, What what)
    : Exchange(std::move(transport)), line_(line), what_(std::move(what)) {
  if (handle() != nullptr) setUp();
}

void ImapStep::setUp() {
  auto const& place = line_.place;
  auto url = line_.server.origin() + "/" + percentEncode(place.folder);
  if (what_.command.empty()) url += "/;UID=" + std::to_string(what_.uid);
  set(CURLOPT_URL, url.c_str());
  if (!what_.command.empty()) set(CURLOPT_CUSTOMREQUEST, what_.command.c_str());
  set(CURLOPT_USERNAME, place.username.c_str());
  set(CURLOPT_PASSWORD, std::string(place.password.reveal()).c_str());
  // No Kerberos, which would ask other servers, and blocks.
  set(CURLOPT_LOGIN_OPTIONS, "AUTH=PLAIN");
  set(CURLOPT_TIMEOUT_MS, static_cast<long>(place.timeout.count()));
  set(CURLOPT_CONNECTTIMEOUT_MS, std::min(kConnectMilliseconds, static_cast<long>(place.timeout.count())));
  set(CURLOPT_BUFFERSIZE, kLineBuffer);
  set(CURLOPT_WRITEFUNCTION, &ImapStep::onBody);
  set(CURLOPT_WRITEDATA, this);
  setUpSafety();
}

void ImapStep::setUpSafety() {
  auto const* scheme = line_.server.tls_first ? "imaps" : "imap";
  set(CURLOPT_NOSIGNAL, 1L);
  set(CURLOPT_QUICK_EXIT, 1L);
  set(CURLOPT_PROXY, "");
  set(CURLOPT_NETRC, static_cast<long>(CURL_NETRC_IGNORED));
  set(CURLOPT_PROTOCOLS_STR, scheme);
  set(CURLOPT_REDIR_PROTOCOLS_STR, scheme);
  set(CURLOPT_USE_SSL, static_cast<long>(CURLUSESSL_ALL));
  set(CURLOPT_OPENSOCKETFUNCTION, &ImapStep::openSocket);
  set(CURLOPT_OPENSOCKETDATA, &line_);
  set(CURLOPT_CLOSESOCKETFUNCTION, &ImapStep::closeSocket);
  set(CURLOPT_CLOSESOCKETDATA, &line_);
  set(CURLOPT_PREREQFUNCTION, &ImapStep::beforeCommand);
  set(CURLOPT_PREREQDATA, this);
  set(CURLOPT_SSLVERSION, static_cast<long>(CURL_SSLVERSION_TLSv1_2));
  set(CURLOPT_SSL_VERIFYPEER, 1L);
  set(CURLOPT_SSL_VERIFYHOST, 2L);
  set(CURLOPT_CAINFO, nullptr);
  set(CURLOPT_CAPATH, nullptr);
  set(CURLOPT_SSL_CTX_FUNCTION, &ImapStep::onTls);
  set(CURLOPT_SSL_CTX_DATA, this);
}

CURLcode ImapStep::onTls(CURL*, void* context, void* step) {
  auto const& self = *static_cast<ImapStep*>(step);
  useTrust(static_cast<SSL_CTX*>(context), self.transport().trust(), self.line_.verdict);
  return CURLE_OK;
}

curl_socket_t ImapStep::openSocket(void* of, curlsocktype, curl_sockaddr* address) {
  auto& line = *static_cast<MailLine*>(of);
  if (line.opened) return CURL_SOCKET_BAD;
  auto const kind = line.kind_of(address->addr);
  if (kind != AddressKind::outside && !(kind == AddressKind::inside && line.allow_private)) {
    line.refused_address = textOf(address->addr);
    return CURL_SOCKET_BAD;
  }
  line.refused_address.clear();
  line.socket = ::socket(address->family, address->socktype | SOCK_CLOEXEC, address->protocol);
  return line.socket;
}

int ImapStep::closeSocket(void* of, curl_socket_t socket) {
  auto& line = *static_cast<MailLine*>(of);
  if (line.socket == socket) line.socket = -1;
  return ::close(socket);
}

// The server has taken the user name and password.
int ImapStep::beforeCommand(void* step, char*, char*, int, int) {
  static_cast<ImapStep*>(step)->signed_in_ = true;
  return CURL_PREREQFUNC_OK;
}

std::size_t ImapStep::onBody(char* data, std::size_t size, std::size_t count, void* step) {
  auto& self = *static_cast<ImapStep*>(step);
  auto const bytes = size * count;
  if (bytes > self.what_.max_bytes - self.answer_.size()) {
    self.too_large_ = true;
    return 0;
  }
  self.answer_.append(data, bytes);
  return bytes;
}

std::optional<Error> ImapStep::failure() const {
  auto const& host = line_.server.host;
  if (cancelled())
    return Error(ErrorKind::cancelled, "the visit to the mailbox at " + host + " was cancelled");
  if (code() == CURLE_OK) return std::nullopt;
  if (too_large_)
    return coded(ErrorKind::hostLimit, "too_large",
                 "the mail is larger than the " + std::to_string(what_.max_bytes) + " bytes allowed");
  if (!line_.refused_address.empty())
    return coded(ErrorKind::forbidden, "private_address",
                 host + " leads to " + line_.refused_address +
                     ", which is no public address; an operator can allow the private network for this "
                     "connection (--allow-private-network)");
  return byCode();
}

std::optional<Error> ImapStep::byCode() const {
  auto const& host = line_.server.host;
  switch (code()) {
  case CURLE_COULDNT_RESOLVE_HOST:
    return coded(ErrorKind::transient, "unknown_host",
                 "the name " + host + " does not exist or cannot be looked up; check the server address");
  case CURLE_COULDNT_CONNECT:
    return coded(ErrorKind::transient, line_.opened ? "connection_lost" : "unreachable",
                 line_.opened ? host + " closed the connection in the middle of a visit; it is tried again"
                              : host + " cannot be reached at port " + line_.server.port +
                                    "; check the address and that the server runs");
  case CURLE_OPERATION_TIMEDOUT:
    return coded(ErrorKind::transient, "timed_out",
                 host + " did not answer in time; it is tried again later");
  case CURLE_PEER_FAILED_VERIFICATION:
  case CURLE_SSL_ISSUER_ERROR: return untrusted(*line_.verdict, host);
  case CURLE_SSL_CONNECT_ERROR:
    if (line_.verdict->error != X509_V_OK) return untrusted(*line_.verdict, host);
    return coded(ErrorKind::transient, "tls_failed", host + " did not complete a TLS handshake");
  case CURLE_USE_SSL_FAILED:
    return coded(ErrorKind::forbidden, "plain_imap",
                 host + " offers no TLS, so the password would be sent readable; use imaps://");
  case CURLE_LOGIN_DENIED:
    // libcurl says the same where the folder cannot be selected.
    if (signed_in_)
      return coded(ErrorKind::notFound, "no_folder",
                   "the mailbox at " + host + " has no folder " + line_.place.folder + " that can be opened");
    return coded(ErrorKind::authExpired, "login_denied",
                 "the mailbox at " + host + " refuses the user name or password");
  case CURLE_REMOTE_FILE_NOT_FOUND:
    return coded(ErrorKind::notFound, "no_mail",
                 host + " did not hand the mail out: it is gone, or the server refuses it");
  case CURLE_RECV_ERROR:
  case CURLE_SEND_ERROR:
  case CURLE_PARTIAL_FILE:
  case CURLE_GOT_NOTHING:
    return coded(ErrorKind::transient, "connection_lost",
                 "the connection to " + host + " broke before its answer was complete; it is tried again");
  case CURLE_OUT_OF_MEMORY:
  case CURLE_FAILED_INIT:
    return Error(ErrorKind::hostLimit, "there is no memory left for a visit to a mailbox");
  default:
    return coded(ErrorKind::providerBug, "bad_imap",
                 host + " answered what is not proper IMAP (" + curl_easy_strerror(code()) + ")");
  }
}

} // namespace garland::egress
