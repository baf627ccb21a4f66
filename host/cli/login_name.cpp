#include "host/cli/login_name.h"

#include <pwd.h>
#include <unistd.h>

namespace garland::cli {

std::string loginName() {
  auto const* user = ::getpwuid(::getuid());
  bool const named = user != nullptr && *user->pw_name != '\0';
  return named ? user->pw_name : "user " + std::to_string(::getuid());
}

} // namespace garland::cli
