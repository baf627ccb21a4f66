// Finding a value in a request: in a header, the query or a JSON body, and there among the items of a list.
#pragma once

#include "host/webhooks/reject.h"

namespace garland::webhooks {

struct Place {
  enum class In { header, query, body };
  In in = In::header;
  std::string name;   // header, member of the query, or JSON Pointer with "*"
  std::string split;  // empty: the value is one item
  std::string member; // not empty: items NAME=VALUE of this name count
  std::string prefix; // not empty: items that begin so count

  std::string words() const; // "the header X-Signature"
};

using Pairs = std::vector<std::pair<std::string, std::string>>;

// Reads the query and the body once, when they are first asked for. The request must outlive it.
class RequestView {
public:
  explicit RequestView(Request const& request) : request_(request) {}
  RequestView(RequestView const&) = delete;
  RequestView& operator=(RequestView const&) = delete;

  Request const& request() const { return request_; }
  Found<json::value const*> json();
  Found<Pairs const*> query();
  // The value, which stands there once.
  Found<std::string> one(Place const& place);
  // At least one value: every item of a list, every match of "*".
  Found<std::vector<std::string>> all(Place const& place);

private:
  Found<std::vector<std::string>> raw(Place const& place);

  Request const& request_;
  std::optional<Found<json::value>> json_;
  std::optional<Found<Pairs>> query_;
};

// "a=1&b=x%20y+z" decoded; malformed if a percent sign has no two digits after it.
Found<Pairs> formPairs(std::string_view text, std::string_view what);

} // namespace garland::webhooks
