#include "host/egress/trust.h"

#include "host/egress/egress.h"

#include <openssl/err.h>

#include <sys/stat.h>

#include <array>
#include <utility>

namespace garland::egress {
namespace {

using SharedVerdict = std::shared_ptr<Verdict>;

int verdictIndex() {
  static int const index = SSL_CTX_get_ex_new_index(
      0, nullptr, nullptr, nullptr, [](void*, void* verdict, CRYPTO_EX_DATA*, int, long, void*) {
        delete static_cast<SharedVerdict*>(verdict);
      });
  return index;
}

int onVerified(int good, X509_STORE_CTX* chain) {
  if (good != 0) return good;
  auto* tls = static_cast<SSL*>(X509_STORE_CTX_get_ex_data(chain, SSL_get_ex_data_X509_STORE_CTX_idx()));
  auto* verdict = static_cast<SharedVerdict*>(SSL_CTX_get_ex_data(SSL_get_SSL_CTX(tls), verdictIndex()));
  auto* certificate = X509_STORE_CTX_get_current_cert(chain);
  (*verdict)->error = X509_STORE_CTX_get_error(chain);
  std::array<char, 120> name{}; // longer names are cut
  if (certificate != nullptr)
    (*verdict)->issuer = X509_NAME_oneline(X509_get_issuer_name(certificate), name.data(), name.size());
  return 0;
}

} // namespace

void useTrust(SSL_CTX* context, X509_STORE* store, std::shared_ptr<Verdict> verdict) {
  SSL_CTX_set1_cert_store(context, store);
  SSL_CTX_set_ex_data(context, verdictIndex(), new SharedVerdict(std::move(verdict)));
  SSL_CTX_set_verify(context, SSL_VERIFY_PEER, &onVerified);
}

Result<TrustStore> loadTrust(std::string const& extra_ca_file) {
  TrustStore store(X509_STORE_new());
  if (!store || X509_STORE_set_default_paths(store.get()) != 1)
    return Error(ErrorKind::hostLimit, "the system's certificate authorities could not be loaded");
  // An operator may name an issuing authority or a server's own certificate without its root.
  X509_STORE_set_flags(store.get(), X509_V_FLAG_TRUSTED_FIRST | X509_V_FLAG_PARTIAL_CHAIN);
  if (!extra_ca_file.empty() && X509_STORE_load_file(store.get(), extra_ca_file.c_str()) != 1) {
    ERR_clear_error();
    return Error(ErrorKind::invalidInput,
                 "the CA file " + extra_ca_file + " cannot be read or holds no certificate in PEM form");
  }
  ERR_clear_error();
  return store;
}

Result<void> checkCaFile(std::string const& path) {
  TRY_VOID(loadTrust(path));
  return {};
}

std::string versionOf(std::string const& extra_ca_file) {
  struct stat status{};
  if (extra_ca_file.empty() || ::stat(extra_ca_file.c_str(), &status) != 0) return extra_ca_file;
  return extra_ca_file + "\n" + std::to_string(status.st_ino) + "\n" + std::to_string(status.st_size) + "\n" +
         std::to_string(status.st_mtim.tv_sec) + "." + std::to_string(status.st_mtim.tv_nsec);
}

} // namespace garland::egress
