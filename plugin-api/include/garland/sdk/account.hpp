// Account: one connected account, and HTTP in its name. The host attaches the secrets; a connector
// only names a credential slot, and by default it is the first one of the manifest.
#pragma once

#include <garland/sdk/call.hpp>
#include <garland/sdk/url.hpp>

#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace garland::sdk {

// What the host says of an account when it opens it.
struct AccountInfo {
  std::string account_id;
  json::object settings;
  std::vector<std::string> slots; // credential slots that are filled
};
GARLAND_RECORD(AccountInfo, account_id, settings, slots)

class Account {
public:
  Account(AccountInfo const& info, Call& call) : info_(info), call_(call) {}
  Account(Account const&) = delete;
  Account& operator=(Account const&) = delete;

  std::string const& id() const { return info_.account_id; }
  json::object const& settings() const { return info_.settings; }
  // The settings as a type of one's own; Failure(invalidInput) names what does not fit, "/settings/url".
  template <class T> T settingsAs() const {
    Place const whole(Kind::invalidInput);
    return decode<T>(json::value(info_.settings), Place(whole, "settings"));
  }
  std::vector<std::string> const& slots() const { return info_.slots; }

  // Relative URLs are resolved against it. Lasts as long as this object: one operation.
  void setBase(std::string url) { base_ = std::move(url); }
  std::string const& base() const { return base_; }
  // Sent with every request from now on, for as long: a version, whom a request acts for.
  void setHeader(std::string name, std::string value);

  // Any status is an answer; throws only if there is none. [suspends]
  Response send(Request request);
  // send(), then expectSuccess(). [suspends]
  Response fetch(Request request);

  Response get(std::string_view url, Query const& query = {});
  Response post(std::string_view url, json::value const& body);
  Response put(std::string_view url, json::value const& body);
  Response patch(std::string_view url, json::value const& body);
  void remove(std::string_view url); // DELETE

  // The JSON answer as a type; Failure(providerBug) names what does not fit.
  template <class T> T get(std::string_view url, Query const& query = {}) {
    return read<T>(url, get(url, query));
  }
  template <class T> T post(std::string_view url, json::value const& body) {
    return read<T>(url, post(url, body));
  }
  template <class T> T put(std::string_view url, json::value const& body) {
    return read<T>(url, put(url, body));
  }
  template <class T> T patch(std::string_view url, json::value const& body) {
    return read<T>(url, patch(url, body));
  }

  Call& call() { return call_; }

private:
  template <class T> T read(std::string_view url, Response const& response) {
    try {
      return decode<T>(parse(response.body));
    } catch (Failure& failure) {
      throw std::move(failure).within("the answer of " + std::string(url));
    }
  }
  Response sendJson(std::string_view method, std::string_view url, json::value const& body);

  AccountInfo const& info_;
  Call& call_;
  std::string base_;
  std::vector<Header> headers_;
};

} // namespace garland::sdk
