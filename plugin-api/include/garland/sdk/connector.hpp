// A connector is a class with one member function per operation:
//
//   class Example final : public Connector {
//   public:
//     HealthReport check(Account& account, Call& call);
//     static std::span<OperationEntry const> operations() {
//       static constexpr OperationEntry table[] = {operation<&Example::check>("health.check/1")};
//       return table;
//     }
//   };
//   GARLAND_CONNECTOR(Example)
//
// One object of it is one account; calls to it never overlap. An operation takes the Account, then in
// any order what it needs of: its input as `T const&` (decoded by json.hpp, json::value for raw), and
// `Call&` or another type that is made from a Call&. What it returns is encoded as the result.
// It runs as plain code, may throw Failure, and must not use sockets, threads, files or thread_local.
#pragma once

#include <garland/sdk/account.hpp>
#include <garland/sdk/call.hpp>
#include <garland/sdk/error.hpp>
#include <garland/sdk/json.hpp>

#include <memory>
#include <span>
#include <string_view>
#include <type_traits>
#include <utility>

namespace garland::sdk {

class Connector {
public:
  Connector() = default;
  Connector(Connector const&) = delete;
  Connector& operator=(Connector const&) = delete;
  virtual ~Connector() = default;
};

// One row of a connector's table: an operation id and the C function that runs it.
struct OperationEntry {
  std::string_view id;
  garland_op run;
};

// Result of health.check/1.
struct HealthReport {
  std::string account; // name of the account at the provider
  // The provider's id of it, if its name may change or be another account's, too.
  std::optional<std::string> id = {};
};
GARLAND_RECORD(HealthReport, account, id)

namespace detail {

// What the object says of itself to the host.
struct Definition {
  std::string_view id;
  std::string_view version;
  std::span<OperationEntry const> operations;
  std::unique_ptr<Connector> (*make)();
};

garland_status enter(garland_host const* host, garland_plugin* plugin, Definition const& definition) noexcept;

// Runs `body` for one call, sets its result or tells the host how it failed. Nothing is thrown out.
using Body = json::value (*)(Connector&, Account&, Call&, json::value const&);
garland_status run(garland_instance* self, garland_call* handle, garland_json input, Body body) noexcept;

// Gives the operation's parameters what they are: services by reference, input by const reference.
template <class Parameter> struct Argument {
  using Type = std::remove_cvref_t<Parameter>;
  static_assert(std::is_lvalue_reference_v<Parameter>,
                "operations take Account&, T const& (the input), Call&");
  static constexpr bool is_input = std::is_const_v<std::remove_reference_t<Parameter>>;

  Argument(Call& call, json::value const& input) : held(make(call, input)) {}
  static Type make(Call& call, json::value const& input) {
    if constexpr (is_input)
      return decode<Type>(input, Kind::invalidInput);
    else
      return Type(call);
  }
  Parameter get() { return held; }
  Type held;
};
template <> struct Argument<Call&> {
  Argument(Call& call, json::value const&) : held(call) {}
  Call& get() { return held; }
  Call& held;
};

template <auto Member> struct Operation;
template <class Result, class Class, class... Parameters, Result (Class::*Member)(Account&, Parameters...)>
struct Operation<Member> {
  static_assert(std::is_base_of_v<Connector, Class>, "operations are member functions of a Connector");

  static json::value body(Connector& connector, Account& account, Call& call, json::value const& input) {
    auto& self = static_cast<Class&>(connector);
    if constexpr (std::is_void_v<Result>) {
      (self.*Member)(account, Argument<Parameters>(call, input).get()...);
      return json::object();
    } else {
      return encode((self.*Member)(account, Argument<Parameters>(call, input).get()...));
    }
  }
  static garland_status entry(garland_instance* self, garland_call* handle, garland_json input) noexcept {
    return run(self, handle, input, &body);
  }
};

template <class Class> std::unique_ptr<Connector> make() { return std::make_unique<Class>(); }

} // namespace detail

// A row for the member function `Member`.
template <auto Member> constexpr OperationEntry operation(std::string_view id) {
  return {id, &detail::Operation<Member>::entry};
}

} // namespace garland::sdk

// Defines the object's one exported symbol. Id and version come from the manifest, by way of
// garland_add_connector().
#define GARLAND_CONNECTOR(Class)                                                                             \
  extern "C" GARLAND_EXPORT garland_status garland_entry_v1(garland_host const* host,                        \
                                                            garland_plugin* plugin) noexcept {               \
    static ::garland::sdk::detail::Definition const definition{                                              \
        GARLAND_CONNECTOR_ID, GARLAND_CONNECTOR_VERSION, Class::operations(),                                \
        &::garland::sdk::detail::make<Class>};                                                               \
    return ::garland::sdk::detail::enter(host, plugin, definition);                                          \
  }
