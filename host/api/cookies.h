// Cookies of people who sign in (RFC 6265).
#pragma once

#include "host/api/http.h"
#include "host/base/clock.h"

#include <string>
#include <string_view>

namespace garland::api {

// A sign-in that is under way; only the paths of sign-ins see it.
inline constexpr std::string_view kSignInCookie = "__Secure-garland-sign-in";
// A session. The prefix has browsers take it from this host only, by TLS only, for all paths.
inline constexpr std::string_view kSessionCookie = "__Host-garland";

// "" if there is none of that name, or several: which one counts is not for us to guess.
std::string cookieNamed(Request const& request, std::string_view name);

// Set-Cookie with what both have in common: no script reads it, and it goes by TLS only. `rest`: its path and
// whether other sites' links bring it. No life: it is taken away.
Header setCookie(std::string_view name, std::string_view value, Milliseconds life, std::string_view rest);

} // namespace garland::api
