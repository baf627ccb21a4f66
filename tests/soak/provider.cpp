#include "tests/soak/provider.h"

#include <charconv>

namespace garland::soak {
namespace {

constexpr std::string_view kUrl = "https://example.test/";

Error unexpected() { return Error(ErrorKind::unsupported, "no call of the soak asks for that"); }

} // namespace

Task<runtime::HttpAnswer> Provider::http(runtime::HttpAsk ask) {
  runtime::HttpAnswer answer;
  answer.effect = Effect::applied;
  auto const number = std::string_view(ask.url).substr(std::min(kUrl.size(), ask.url.size()));
  std::size_t call = applied_.size();
  std::from_chars(number.data(), number.data() + number.size(), call);
  if (!ask.url.starts_with(kUrl) || call >= applied_.size()) {
    ++strangers_;
    answer.status = 404;
    co_return answer;
  }
  if (applied_[call] < 255) ++applied_[call];
  answer.status = 200;
  answer.body = std::to_string(call);
  co_return answer;
}

Task<void> Provider::emit(std::string, std::string) { co_return unexpected(); }
Task<void> Provider::checkpoint(std::string) { co_return unexpected(); }
Task<runtime::KvEntry> Provider::kvGet(std::string) { co_return unexpected(); }
Task<void> Provider::kvPut(std::string, Bytes, std::uint64_t, Milliseconds) { co_return unexpected(); }

} // namespace garland::soak
