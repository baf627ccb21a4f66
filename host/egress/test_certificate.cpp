#include "host/egress/test_certificate.h"

#include <openssl/bio.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>

#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <functional>

namespace garland::egress::testing {
namespace {

template <auto Free> struct Deleter {
  template <class T> void operator()(T* object) const { Free(object); }
};
using PrivateKey = std::unique_ptr<EVP_PKEY, Deleter<EVP_PKEY_free>>;
using Certificate = std::unique_ptr<X509, Deleter<X509_free>>;
using Memory = std::unique_ptr<BIO, Deleter<BIO_free_all>>;

PrivateKey newKey() { return PrivateKey(EVP_EC_gen("P-256")); }

std::string pem(std::function<void(BIO*)> const& write) {
  Memory const memory(BIO_new(BIO_s_mem()));
  write(memory.get());
  char* text = nullptr;
  auto const length = BIO_get_mem_data(memory.get(), &text);
  return {text, static_cast<std::size_t>(length)};
}

std::string pem(X509* certificate) {
  return pem([&](BIO* out) { PEM_write_bio_X509(out, certificate); });
}

void extend(X509* certificate, X509* issuer, int id, std::string const& value) {
  X509V3_CTX context;
  X509V3_set_ctx(&context, issuer, certificate, nullptr, nullptr, 0);
  auto* extension = X509V3_EXT_conf_nid(nullptr, &context, id, value.c_str());
  X509_add_ext(certificate, extension, -1);
  X509_EXTENSION_free(extension);
}

Certificate newCertificate(EVP_PKEY* key, std::string const& name, long serial, int days) {
  Certificate certificate(X509_new());
  X509_set_version(certificate.get(), 2);
  ASN1_INTEGER_set(X509_get_serialNumber(certificate.get()), serial);
  X509_gmtime_adj(X509_getm_notBefore(certificate.get()), -2 * 86'400);
  X509_gmtime_adj(X509_getm_notAfter(certificate.get()), days * 86'400L);
  X509_NAME_add_entry_by_txt(X509_get_subject_name(certificate.get()), "CN", MBSTRING_ASC,
                             reinterpret_cast<unsigned char const*>(name.c_str()), -1, -1, 0);
  X509_set_pubkey(certificate.get(), key);
  return certificate;
}

} // namespace

struct TestAuthority::Keys {
  PrivateKey key = newKey();
  Certificate certificate = newCertificate(key.get(), "Garland test authority", 1, 10);
};

TestAuthority::TestAuthority() : keys_(std::make_unique<Keys>()) {
  auto* own = keys_->certificate.get();
  X509_set_issuer_name(own, X509_get_subject_name(own));
  extend(own, own, NID_basic_constraints, "critical,CA:TRUE");
  extend(own, own, NID_key_usage, "critical,keyCertSign");
  X509_sign(own, keys_->key.get(), EVP_sha256());
  file_ = (std::filesystem::temp_directory_path() / "egress_test_ca.XXXXXX").string();
  ::close(::mkstemp(file_.data()));
  std::ofstream(file_) << pem(own);
}

TestAuthority::~TestAuthority() { ::unlink(file_.c_str()); }

TestAuthority::Identity TestAuthority::issue(std::string const& names, int days) const {
  auto const key = newKey();
  auto const certificate = newCertificate(key.get(), "test server", 2, days);
  X509_set_issuer_name(certificate.get(), X509_get_subject_name(keys_->certificate.get()));
  extend(certificate.get(), keys_->certificate.get(), NID_subject_alt_name, names);
  X509_sign(certificate.get(), keys_->key.get(), EVP_sha256());
  auto const key_text =
      pem([&](BIO* out) { PEM_write_bio_PrivateKey(out, key.get(), nullptr, nullptr, 0, nullptr, nullptr); });
  return {pem(certificate.get()), key_text};
}

std::shared_ptr<boost::asio::ssl::context> TestAuthority::serverContext(std::string const& names,
                                                                        int days) const {
  auto const identity = issue(names, days);
  namespace ssl = boost::asio::ssl;
  auto context = std::make_shared<ssl::context>(ssl::context::tls_server);
  context->use_certificate_chain(boost::asio::buffer(identity.certificate));
  context->use_private_key(boost::asio::buffer(identity.key), ssl::context::pem);
  return context;
}

} // namespace garland::egress::testing
