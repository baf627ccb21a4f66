// What is in a calendar, or changed in it: by sync token where the server has them, else by listing
// every ETag.
#pragma once

#include "dav_client.h"

#include <map>
#include <optional>
#include <string>
#include <vector>

namespace garland::caldav {

struct Listing {
  std::map<std::string, std::string> present; // URL -> ETag
  std::vector<std::string> gone;              // only with a token
  std::string token;                          // to go on from; empty: the server has none
  bool truncated = false;                     // there is more behind `token`
};

// What changed since the token, or one page of it. Nothing if the server refuses the token, whatever
// status it has for that, so that only a full listing helps.
std::optional<Listing> changesSince(Dav& dav, std::string const& calendar, std::string const& token);

// Everything. `with_tokens` false: as if the server had no sync tokens.
Listing listAll(Dav& dav, std::string const& calendar, bool with_tokens = true);

// The calendar's change tag now; empty if the server has none.
std::string readCtag(Dav& dav, std::string const& calendar);

} // namespace garland::caldav
