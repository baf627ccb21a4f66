// Whatever a client sends: a twin answers or refuses, and its answer is JSON that can be written.
// The first line of the input is the target, the second a JSON fault order, the rest the body.
#include <garland/sdk/twin.hpp>

#include <cstdint>

namespace {

using namespace garland::sdk::twin;

class Echo final : public Twin {
public:
  using Twin::Twin;
  Response serve(Request const& request) override { return dispatch(routes, *this, request); }

private:
  Response form(Request const& request) { return {200, request.formObject()}; }
  Response whole(Request const& request) {
    note("read", request.at("id"), request.bodyJson());
    return Response(200, "text/plain", request.urlWith("next", request.body)).with("x-id", request.at("id"));
  }
  static constexpr Route<Echo> routes[] = {{"POST", "/form", &Echo::form}, {"POST", "/{id}", &Echo::whole}};
};

std::string_view line(std::string_view& text) {
  auto const end = std::min(text.find('\n'), text.size());
  auto const first = text.substr(0, end);
  text.remove_prefix(std::min(end + 1, text.size()));
  return first;
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(std::uint8_t const* data, std::size_t size) {
  std::string_view text(reinterpret_cast<char const*>(data), size);
  auto const target = line(text);
  auto const fault = line(text);
  Echo twin(Settings{});
  for (auto const& [path, body] :
       {std::pair(std::string_view("/_twin/fault"), fault), std::pair(target, text),
        std::pair(std::string_view("/_twin/ledger"), text)}) {
    json::object request{{"method", "POST"}, {"target", path}, {"now", "2026-06-01T00:00:00Z"}};
    request["headers"] = json::array{json::object{{"name", "authorization"}, {"value", "Basic x"}}};
    request["body"] = body;
    static_cast<void>(json::serialize(twin.exchange(request)));
  }
  return 0;
}
