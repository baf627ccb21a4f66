// How a secret may stand in a text: for whoever takes it out of one.
#pragma once

#include <cstddef>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace garland {

// Each form once. Wiped with this.
class SecretForms {
public:
  explicit SecretForms(std::string_view secret);
  SecretForms(SecretForms const&) = delete;
  SecretForms& operator=(SecretForms const&) = delete;
  ~SecretForms();

  // As it is, percent-encoded in both cases, in JSON with "/" as it is and as "\/".
  std::span<std::string const> quoted() const { return {all_.data(), quoted_}; }
  // Those; percent-encoded twice; hexadecimal digits of both cases; base64 (of RFC 4648's sections 4 and 5)
  // of it, and what base64 makes of it wherever in a longer text it begins.
  std::span<std::string const> all() const { return all_; }

private:
  void add(std::string form);

  std::vector<std::string> all_;
  std::size_t quoted_ = 0;
};

} // namespace garland
