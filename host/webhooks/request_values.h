// What the names in a scheme's templates stand for in one request.
#pragma once

#include "host/webhooks/scheme.h"

namespace garland::webhooks {

class RequestValues {
public:
  // All must outlive it. `members` and `timestamp` may be null.
  struct From {
    RequestView& view;
    Values const& values;
    Keys const& keys;
    Members const* members = nullptr;
    Place const* timestamp = nullptr;
  };
  explicit RequestValues(From from) : from_(from), url_(from.view.request().url) {}

  // Another spelling of the URL, for providers that sign it with or without its default port.
  void useUrl(std::string url) { url_ = std::move(url); }
  void set(std::string const& name, std::string value) { made_[name] = std::move(value); }
  Found<std::string> get(std::string const& name);
  Found<std::string> render(TextTemplate const& text);
  Found<void> check(std::vector<Requirement> const& requirements);

private:
  Found<std::string> builtIn(std::string const& name);
  Found<std::string> sortedParameters();
  Found<std::string> chosenMembers();

  From from_;
  std::string url_;
  std::map<std::string, std::string> made_;
};

// The URL as it is, and with and without the default port of its scheme.
std::vector<std::string> withAndWithoutDefaultPort(std::string const& url);

} // namespace garland::webhooks
