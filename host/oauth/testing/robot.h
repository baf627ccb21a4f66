// A client that vouches for itself, and what its provider makes of what it says.
#pragma once

#include "host/base/bytes.h"
#include "host/vault/testing/rsa_key.h"

#include <boost/algorithm/string/classification.hpp>
#include <boost/algorithm/string/replace.hpp>
#include <boost/algorithm/string/split.hpp>

#include <string>
#include <string_view>
#include <vector>

namespace garland::oauth::testing {

// Of no account anywhere.
inline std::string const kRobotKey = vault::testing::kRsaKey;

// The parts of an assertion, unpacked.
inline std::vector<std::string> partsOf(std::string_view assertion) {
  std::vector<std::string> parts;
  boost::algorithm::split(parts, std::string(assertion), boost::algorithm::is_any_of("."));
  for (auto& part : parts) {
    boost::algorithm::replace_all(part, "-", "+");
    boost::algorithm::replace_all(part, "_", "/");
    part.append((4 - part.size() % 4) % 4, '=');
    part = fromBase64(part).value();
  }
  return parts;
}

} // namespace garland::oauth::testing
