// Fuzz target: addresses, form bodies and headers come from a connector, and whatever they are, they are
// signed.
#include "host/egress/oauth1.h"
#include "host/egress/sigv4.h"

#include <cstdlib>

extern "C" int LLVMFuzzerTestOneInput(unsigned char const* data, std::size_t size) {
  using namespace garland;
  using namespace garland::egress;
  std::string_view const text(reinterpret_cast<char const*>(data), size);
  auto const line = text.find('\n');
  auto const url = Url::parse("https://a.example/" + std::string(text.substr(0, line)));
  if (!url) return 0;
  std::string const body(line == std::string_view::npos ? "" : text.substr(line + 1));
  std::string const method = "POST";
  std::vector<Header> const headers{{"Content-Type", "application/x-www-form-urlencoded"}, {"X-Amz-A", body}};
  Credential credential;
  credential.username = "key";
  credential.secret = Secret("secret");
  credential.signing.region = "eu-west-1";
  credential.signing.service = size % 2 == 0 ? "s3" : "ses";
  Signable const hop{method, *url, headers, body};
  auto const sorted = sortedForm(formPairs(body));
  // What is sorted and encoded reads as the same again.
  if (sortedForm(formPairs(sorted)) != sorted) std::abort();
  static_cast<void>(oauth1Authorization(hop, credential, TimePoint(), "n"));
  static_cast<void>(signV4(hop, credential, TimePoint()));
  return 0;
}
