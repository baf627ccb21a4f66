// URLs come from plugins, settings and Location headers. Whatever is accepted must read the same a
// second time, or the check and the request could mean different hosts.
#include "host/egress/retry_after.h"
#include "host/egress/url.h"

#include <cstdlib>

using namespace garland::egress;

extern "C" int LLVMFuzzerTestOneInput(std::uint8_t const* data, std::size_t size) {
  std::string const text(reinterpret_cast<char const*>(data), size);
  (void)retryAfter(text, text, {});
  static auto const base = Url::parse("https://example.com/a/b?c").value();
  for (auto const& url : {Url::parse(text), base.resolve(text), Url::parse("https://" + text)}) {
    if (!url) continue;
    auto const again = Url::parse(url->text());
    if (!again || again->origin() != url->origin() || again->path() != url->path()) std::abort();
    if (isAllowed(*url, {"allowed.example"}) && url->host() != "allowed.example") std::abort();
  }
  (void)isAllowed(base, {text});
  return 0;
}
