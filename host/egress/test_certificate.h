// A certificate authority made for one test run.
#pragma once

#include <boost/asio/ssl/context.hpp>

#include <memory>
#include <string>

namespace garland::egress::testing {

class TestAuthority {
public:
  TestAuthority();
  ~TestAuthority();
  TestAuthority(TestAuthority const&) = delete;
  TestAuthority& operator=(TestAuthority const&) = delete;

  // A certificate and its key, as PEM files hold them, of somebody who is `names` until `days` from now.
  struct Identity {
    std::string certificate, key;
  };
  Identity issue(std::string const& names, int days = 1) const;
  // What a server needs to be "DNS:localhost,IP:127.0.0.1" until `days` from now.
  std::shared_ptr<boost::asio::ssl::context> serverContext(std::string const& names, int days = 1) const;
  // The authority's certificate as a PEM file, which lives as long as this object.
  std::string const& file() const { return file_; }

private:
  struct Keys;
  std::unique_ptr<Keys> keys_;
  std::string file_;
};

} // namespace garland::egress::testing
