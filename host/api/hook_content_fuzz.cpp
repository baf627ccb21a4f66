// Anything that may come to a hook: what is made of it conforms to the schema of intake.parse/1, and is
// UTF-8.
#include "host/api/hook_content.h"
#include "host/base/schema.h"
#include "host/base/utf8.h"

#include <garland/schemas.hpp>

#include <cstdlib>

using namespace garland;

namespace {

Schema const& rules() {
  static Schema const schema =
      Schema::compile(parseJson(schemas::schemaText("intake.parse.1.in.json")).value()).value();
  return schema;
}

} // namespace

// First byte: which content type; then the query, a line break, and the body.
extern "C" int LLVMFuzzerTestOneInput(std::uint8_t const* data, std::size_t size) {
  if (size == 0) return 0;
  static constexpr std::string_view types[] = {"application/json", "application/x-www-form-urlencoded",
                                               "text/plain; charset=utf-16", ""};
  std::string_view text(reinterpret_cast<char const*>(data) + 1, size - 1);
  auto const line = std::min(text.find('\n'), text.size());
  auto const query = api::formParameters(text.substr(0, line));
  auto const type = data[0] < 4 ? types[data[0]] : text.substr(0, line);
  if (!isUtf8(api::brokenJson(type, text.substr(std::min(line + 1, text.size()))))) std::abort();
  auto content = api::hookContent(type, query, text.substr(std::min(line + 1, text.size())));
  json::object input;
  input["item"] = json::object{{"id", "i"}, {"source", "hook"}, {"received_at", "2026-06-13T12:00:00Z"}};
  input["hook"] = std::move(content);
  auto const fits = rules().require(input, "input");
  if (!fits || !parseJson(json::serialize(input))) std::abort();
  return 0;
}
