// The header lines of one hop: what the caller may set, what egress sets itself, and the credential.
#pragma once

#include "host/egress/egress.h"

#include <curl/curl.h>

#include <string>
#include <string_view>

namespace garland::egress {

// libcurl's list of header lines. It may hold a credential: its memory is wiped before it is freed.
class HeaderList {
public:
  HeaderList() = default;
  HeaderList(HeaderList const&) = delete;
  HeaderList& operator=(HeaderList const&) = delete;
  ~HeaderList();

  void add(std::string_view name, std::string_view value);
  // Keeps libcurl from sending its own header of that name.
  void suppress(std::string_view name);
  curl_slist* list() const { return list_; }

private:
  void append(std::string line);
  curl_slist* list_ = nullptr;
};

// Method and headers are what HTTP allows: tokens, and values without control characters.
// Errors: invalidInput.
Result<void> checkRequest(Request const& request);
// The credential can be written into a request. Errors: invalidInput, never with the secret.
Result<void> checkCredential(Credential const& credential);

// Whether a caller's header is left out, because egress or libcurl decides it.
bool isReserved(std::string_view name);

// All header lines but those of a signature and the query credential; the arguments passed the checks above.
void fillHeaders(HeaderList& list, Request const& request, Credential const& credential);

} // namespace garland::egress
