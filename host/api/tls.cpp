#include "host/api/tls.h"

#include <boost/asio/ssl/context.hpp> // brings OpenSSL's own headers

#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdint>
#include <ctime>
#include <utility>

namespace garland::api {
namespace {

namespace ssl = asio::ssl;
using Wants = TlsSession::Wants;

template <auto Free> struct Deleter {
  template <class T> void operator()(T* object) const { Free(object); }
};

// ---------------------------------------------------------------- a socket as OpenSSL sees one

int socketOf(BIO* bio) { return static_cast<int>(reinterpret_cast<std::intptr_t>(BIO_get_data(bio))); }

bool mustWait() { return errno == EAGAIN || errno == EWOULDBLOCK || errno == EINTR; }

// OpenSSL's own would raise SIGPIPE where a client has gone away.
int sendBytes(BIO* bio, char const* bytes, int count) {
  BIO_clear_retry_flags(bio);
  auto const sent =
      ::send(socketOf(bio), bytes, static_cast<std::size_t>(count), MSG_NOSIGNAL | MSG_DONTWAIT);
  if (sent < 0 && mustWait()) BIO_set_retry_write(bio);
  return static_cast<int>(sent);
}

int receiveBytes(BIO* bio, char* into, int count) {
  BIO_clear_retry_flags(bio);
  auto const came = ::recv(socketOf(bio), into, static_cast<std::size_t>(count), MSG_DONTWAIT);
  if (came < 0 && mustWait()) BIO_set_retry_read(bio);
  return static_cast<int>(came);
}

long control(BIO*, int command, long, void*) { return command == BIO_CTRL_FLUSH ? 1 : 0; }

BIO_METHOD const* socketMethod() {
  static std::unique_ptr<BIO_METHOD, Deleter<BIO_meth_free>> const method = [] {
    std::unique_ptr<BIO_METHOD, Deleter<BIO_meth_free>> made(
        BIO_meth_new(BIO_get_new_index() | BIO_TYPE_SOURCE_SINK, "socket"));
    if (!made) return made;
    BIO_meth_set_write(made.get(), sendBytes);
    BIO_meth_set_read(made.get(), receiveBytes);
    BIO_meth_set_ctrl(made.get(), control);
    return made;
  }();
  return method.get();
}

// ---------------------------------------------------------------- what is spoken

// Forward secrecy and authenticated encryption only; TLS 1.3 has nothing else.
constexpr char const* kCiphersOfTls12 = "ECDHE+AESGCM:ECDHE+CHACHA20";
constexpr std::array<unsigned char, 9> kHttp11{8, 'h', 't', 't', 'p', '/', '1', '.', '1'};

// A client that names protocols and not this one would not understand an answer.
int chooseProtocol(SSL*, unsigned char const** chosen, unsigned char* size, unsigned char const* offered,
                   unsigned int offered_size, void*) {
  unsigned char* found = nullptr;
  int const agreed =
      SSL_select_next_proto(&found, size, kHttp11.data(), kHttp11.size(), offered, offered_size);
  *chosen = found;
  return agreed == OPENSSL_NPN_NEGOTIATED ? SSL_TLSEXT_ERR_OK : SSL_TLSEXT_ERR_ALERT_FATAL;
}

// No session is resumed: each handshake stands for itself, so that another certificate or another `client_ca`
// counts from the next connection on, and no key of this process outlives a connection.
void configure(SSL_CTX* context) {
  SSL_CTX_set_min_proto_version(context, TLS1_2_VERSION);
  SSL_CTX_set_options(context, SSL_OP_NO_COMPRESSION | SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_TICKET |
                                   SSL_OP_CIPHER_SERVER_PREFERENCE | SSL_OP_PRIORITIZE_CHACHA);
  SSL_CTX_set_cipher_list(context, kCiphersOfTls12);
  SSL_CTX_set_session_cache_mode(context, SSL_SESS_CACHE_OFF);
  SSL_CTX_set_num_tickets(context, 0);
  SSL_CTX_set_mode(context, SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER |
                                SSL_MODE_RELEASE_BUFFERS);
  SSL_CTX_set_alpn_select_cb(context, chooseProtocol, nullptr);
}

Error unusable(std::string const& what, std::string const& file, std::string const& why,
               std::string const& wanted, std::string const& setting) {
  ERR_clear_error();
  return {ErrorKind::invalidInput, what + " " + file + " cannot be used (" + why + "): it must be " + wanted,
          "/tls/" + setting};
}

Result<void> loadCertificate(ssl::context& context, TlsFiles const& files) {
  boost::system::error_code failed;
  context.use_certificate_chain_file(files.certificate, failed);
  if (failed)
    return unusable("the certificate", files.certificate, failed.message(), "a PEM file with its chain",
                    "certificate");
  // A daemon asks nobody for a passphrase.
  context.set_password_callback([](std::size_t, ssl::context::password_purpose) { return std::string(); },
                                failed);
  context.use_private_key_file(files.key, ssl::context::pem, failed);
  bool const fits = !failed && SSL_CTX_check_private_key(context.native_handle()) == 1;
  if (!fits)
    return unusable("the key", files.key, failed ? failed.message() : "it belongs to another certificate",
                    "the PEM key of " + files.certificate + ", without a passphrase", "key");
  return {};
}

Result<void> loadClientAuthorities(ssl::context& context, std::string const& file) {
  if (file.empty()) return {};
  boost::system::error_code failed;
  context.load_verify_file(file, failed);
  if (!failed) context.set_verify_mode(ssl::verify_peer | ssl::verify_fail_if_no_peer_cert, failed);
  auto* const names = failed ? nullptr : SSL_load_client_CA_file(file.c_str());
  if (names == nullptr)
    return unusable("the file of client authorities", file, failed ? failed.message() : "no certificate",
                    "a PEM file of certificates", "client_ca");
  SSL_CTX_set_client_CA_list(context.native_handle(), names); // takes it over
  return {};
}

// ---------------------------------------------------------------- what a certificate says

TimePoint timeOf(ASN1_TIME const* time) {
  std::tm parts{};
  ASN1_TIME_to_tm(time, &parts);
  return TimePoint(Milliseconds(1'000 * static_cast<std::int64_t>(::timegm(&parts))));
}

std::vector<std::string> namesOf(X509* certificate) {
  std::unique_ptr<GENERAL_NAMES, Deleter<GENERAL_NAMES_free>> const all(
      static_cast<GENERAL_NAMES*>(X509_get_ext_d2i(certificate, NID_subject_alt_name, nullptr, nullptr)));
  std::vector<std::string> out;
  for (int i = 0; all && i < sk_GENERAL_NAME_num(all.get()); ++i) {
    auto const* name = sk_GENERAL_NAME_value(all.get(), i);
    if (name->type != GEN_DNS) continue;
    auto const* text = name->d.dNSName;
    out.emplace_back(reinterpret_cast<char const*>(ASN1_STRING_get0_data(text)),
                     static_cast<std::size_t>(ASN1_STRING_length(text)));
  }
  return out;
}

bool isForAddress(X509* certificate, std::string const& address) {
  return X509_check_ip_asc(certificate, address.c_str(), 0) == 1;
}

} // namespace

// ---------------------------------------------------------------- a session

struct TlsSession::Held {
  std::unique_ptr<SSL, Deleter<SSL_free>> ssl;
  std::string why;
  bool over = false; // failed, or said goodbye
  bool refused_client = false;
};

TlsSession::TlsSession(std::unique_ptr<Held> held) : held_(std::move(held)) {}
TlsSession::~TlsSession() = default;

TlsSession::Step TlsSession::outcome(int returned, std::size_t bytes) {
  if (returned > 0) return {Wants::nothing, bytes};
  int const code = SSL_get_error(held_->ssl.get(), returned);
  if (code == SSL_ERROR_WANT_READ) return {Wants::toRead, 0};
  if (code == SSL_ERROR_WANT_WRITE) return {Wants::toWrite, 0};
  if (code == SSL_ERROR_SSL || code == SSL_ERROR_SYSCALL) held_->over = true;
  auto const error = ERR_peek_error();
  if (auto const* reason = ERR_reason_error_string(error)) held_->why = reason;
  // The first error may be a signature's that does not hold, of which the verification then made its own.
  bool const none =
      ERR_GET_LIB(error) == ERR_LIB_SSL && ERR_GET_REASON(error) == SSL_R_PEER_DID_NOT_RETURN_A_CERTIFICATE;
  if (none || SSL_get_verify_result(held_->ssl.get()) != X509_V_OK) held_->refused_client = true;
  ERR_clear_error();
  return {Wants::toEnd, 0};
}

// What an earlier failure left behind would be taken for this step's.
TlsSession::Step TlsSession::handshake() {
  ERR_clear_error();
  return outcome(SSL_accept(held_->ssl.get()), 0);
}

TlsSession::Step TlsSession::read(asio::mutable_buffer into) {
  ERR_clear_error();
  std::size_t bytes = 0;
  int const returned = SSL_read_ex(held_->ssl.get(), into.data(), into.size(), &bytes);
  return outcome(returned, bytes);
}

TlsSession::Step TlsSession::write(asio::const_buffer from) {
  ERR_clear_error();
  std::size_t bytes = 0;
  int const returned = SSL_write_ex(held_->ssl.get(), from.data(), from.size(), &bytes);
  return outcome(returned, bytes);
}

bool TlsSession::hasMore() const { return SSL_pending(held_->ssl.get()) > 0; }

void TlsSession::sayGoodbye() {
  if (std::exchange(held_->over, true) || SSL_is_init_finished(held_->ssl.get()) == 0) return;
  ERR_clear_error();
  SSL_shutdown(held_->ssl.get());
  ERR_clear_error();
}

std::string const& TlsSession::why() const { return held_->why; }
bool TlsSession::refusedClient() const { return held_->refused_client; }

// ---------------------------------------------------------------- an identity

struct TlsIdentity::Context {
  ssl::context tls{ssl::context::tls_server};
  X509* certificate() { return SSL_CTX_get0_certificate(tls.native_handle()); }
};

TlsIdentity::TlsIdentity(std::unique_ptr<Context> context) : context_(std::move(context)) {}
TlsIdentity::~TlsIdentity() = default;

Result<std::shared_ptr<TlsIdentity const>> TlsIdentity::load(TlsFiles const& files) {
  auto context = std::make_unique<Context>();
  configure(context->tls.native_handle());
  TRY_VOID(loadCertificate(context->tls, files));
  TRY_VOID(loadClientAuthorities(context->tls, files.client_ca));
  return std::shared_ptr<TlsIdentity const>(new TlsIdentity(std::move(context)));
}

std::unique_ptr<TlsSession> TlsIdentity::session(int socket) const {
  auto held = std::make_unique<TlsSession::Held>();
  held->ssl.reset(SSL_new(context_->tls.native_handle()));
  auto* const bio = socketMethod() == nullptr ? nullptr : BIO_new(socketMethod());
  if (!held->ssl || bio == nullptr) {
    BIO_free(bio);
    ERR_clear_error();
    return nullptr;
  }
  BIO_set_data(bio, reinterpret_cast<void*>(static_cast<std::intptr_t>(socket)));
  SSL_set_bio(held->ssl.get(), bio, bio); // takes it over
  SSL_set_accept_state(held->ssl.get());
  return std::unique_ptr<TlsSession>(new TlsSession(std::move(held)));
}

bool TlsIdentity::isNamed(std::string const& host) const {
  if (host.empty() || host.front() == '.')
    return false; // OpenSSL takes ".example.com" for every name below it
  if (isForAddress(context_->certificate(), host)) return true;
  return X509_check_host(context_->certificate(), host.data(), host.size(), 0, nullptr) == 1;
}

std::string TlsIdentity::hostFor(std::string const& address) const {
  if (isForAddress(context_->certificate(), address)) return address;
  auto const names = namesOf(context_->certificate());
  auto const whole = std::ranges::find_if(names, [](auto const& name) { return !name.starts_with('*'); });
  return whole == names.end() ? address : *whole;
}

CertificateFacts TlsIdentity::facts() const {
  CertificateFacts out;
  out.begins = timeOf(X509_get0_notBefore(context_->certificate()));
  out.ends = timeOf(X509_get0_notAfter(context_->certificate()));
  out.names = namesOf(context_->certificate());
  return out;
}

Result<CertificateFacts> examineCertificate(TlsFiles const& files) {
  TRY(identity, TlsIdentity::load(files));
  return identity->facts();
}

} // namespace garland::api
