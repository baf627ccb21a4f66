// A twin: a deterministic stand-in for a provider, as a plugin with the one operation twin.serve/1.
//
//   class Lists final : public Twin {
//   public:
//     explicit Lists(Settings const& settings) : Twin(settings) { seed settings.volume rows; }
//     Response serve(Request const& request) override { return dispatch(routes, *this, request); }
//   ...
//   };
//   GARLAND_TWIN(Lists)
//
// The kit answers everything under /_twin/ itself: the truth ledger, edits by somebody else, faults.
// The same seed, requests and clock give the same answers and the same ledger, byte for byte: take
// randomness from random() or ids(), time from now(), and nothing from anywhere else.
#pragma once

#include <garland/sdk/connector.hpp>
#include <garland/sdk/twin_http.hpp>
#include <garland/sdk/twin_tools.hpp>

#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace garland::sdk::twin {

// The settings of the account that the twin is opened with.
struct Settings {
  std::uint64_t seed = 1;
  std::int64_t volume = 0; // how much to begin with; the twin says of what
  TimePoint start = TimePoint(Milliseconds(1'767'225'600'000)); // 2026-01-01T00:00:00Z: when it begins
};

// A notice that the provider sends to an address its customer registered. The host signs it by a scheme
// of its webhook verifier and delivers it after the answer; the twin computes no signature.
struct Webhook {
  std::string id;  // what the receiver knows repetitions by
  std::string url; // where to
  std::string body;
  std::string content_type = "application/json";
  std::vector<Header> headers;
  std::string scheme; // "stripe"; empty: unsigned
  std::string secret; // made up by the twin, so no secret of anybody
  Milliseconds delay{0};
};

class Twin {
public:
  explicit Twin(Settings const& settings);
  virtual ~Twin();
  Twin(Twin const&) = delete;
  Twin& operator=(Twin const&) = delete;

  // One request of the provider's API. May throw Refusal, and Malformed for a body that cannot be read.
  virtual Response serve(Request const& request) = 0;
  // POST /_twin/edit: a change that somebody else makes at the provider. The answer is shown to who asked.
  virtual json::value edit(json::object const& change);
  // What GET /_twin/state shows besides what the kit knows: sizes, sums.
  virtual json::object state() const;
  // An answer in the provider's own error form, for what the kit finds wrong: 400 not to be read, 404 no
  // such path, 405 not that method.
  virtual Response refuse(int status, std::string_view why) const;

  // One exchange, reserved paths and faults included: input and result of twin.serve/1.
  json::value exchange(json::value const& input);

protected:
  // Finds the route and runs it; refuse(404) or refuse(405) if there is none.
  template <class Class, std::size_t N>
  Response dispatch(Route<Class> const (&routes)[N], Class& self, Request const& request) {
    bool known_path = false;
    for (auto const& route : routes) {
      auto captured = matchPath(route.path, request.path);
      if (!captured) continue;
      known_path = true;
      if (route.method != request.method) continue;
      Request matched = request;
      matched.captured = std::move(*captured);
      return (self.*route.run)(matched);
    }
    return known_path ? refuse(405, "this path does not know " + request.method)
                      : refuse(404, "there is nothing at " + request.path);
  }

  Settings const& settings() const;
  TimePoint now() const; // of the running request; settings().start while the twin is made
  Random& random();
  Ids& ids();
  // What the twin did, for the ledger.
  void note(std::string what, std::string id, json::value data = json::object());
  Ledger const& ledger() const;
  void deliver(Webhook webhook);

private:
  struct Kit;
  std::unique_ptr<Kit> kit_;
};

namespace detail {

// Opens the account's twin at its first request and hands requests over.
class Stand : public Connector {
public:
  json::value serve(Account& account, json::value const& input);

protected:
  virtual std::unique_ptr<Twin> make(Settings const& settings) const = 0;

private:
  std::unique_ptr<Twin> twin_;
};

template <class Class> class StandOf final : public Stand {
public:
  static std::span<OperationEntry const> operations() {
    static constexpr OperationEntry table[] = {operation<&StandOf::answer>("twin.serve/1")};
    return table;
  }
  json::value answer(Account& account, json::value const& input) { return serve(account, input); }

protected:
  std::unique_ptr<Twin> make(Settings const& settings) const override {
    return std::make_unique<Class>(settings);
  }
};

} // namespace detail

} // namespace garland::sdk::twin

// Defines the object's one exported symbol; for sources of garland_add_twin().
#define GARLAND_TWIN(Class) GARLAND_CONNECTOR(::garland::sdk::twin::detail::StandOf<Class>)
