// Hooks: requests of strangers to /hooks/TOKEN. Who is meant, how often, signed or not; then they are items
// of the connection's intake. No API key: the token is the secret. Nobody is told which tokens there are.
#pragma once

#include "host/api/api.h"
#include "host/api/http.h"

#include <map>
#include <string>

namespace garland::api {

// So many at once, and then so many a second, for each connection or whatever else is counted.
class HookRate {
public:
  explicit HookRate(double burst = 200, double per_second = 20) : burst_(burst), per_second_(per_second) {}
  bool admits(std::string const& connection_id, Monotonic now);

private:
  struct Bucket {
    double tokens = 0;
    Monotonic at{};
  };
  double burst_;
  double per_second_;
  std::map<std::string, Bucket> buckets_; // as many as there are hooks
};

// [loop thread]
class Hooks {
public:
  explicit Hooks(Dependencies const& with) : with_(with) {}

  // Answers when the item is durable.
  Task<Response> take(Request request, unsigned short port);
  std::string urlOf(Secret const& token, unsigned short port) const;

private:
  void tellRefused(sync::IntakeDoor const* door, std::string const& peer, std::string_view reason) const;
  Task<Response> judge(Request* request, sync::IntakeDoor door, std::string outside);
  Task<Response> keep(Request const* request, sync::IntakeDoor door, std::string once_key);

  Dependencies const& with_;
  HookRate rate_;
};

} // namespace garland::api
