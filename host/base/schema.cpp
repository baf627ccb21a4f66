// The only translation unit that sees valijson.
#define VALIJSON_USE_EXCEPTIONS 1
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wall"
#pragma GCC diagnostic ignored "-Wextra"
#include "host/base/schema.h"

#include <valijson/adapters/boost_json_adapter.hpp>
#include <valijson/schema.hpp>
#include <valijson/schema_parser.hpp>
#include <valijson/validation_results.hpp>
#include <valijson/validator.hpp>
#pragma GCC diagnostic pop

namespace garland {
namespace {

constexpr std::size_t kMostProblems = 20;

// valijson tells a place as "<root>", "[name]", "[3]": the same as a JSON Pointer.
std::string pointerFrom(std::vector<std::string> const& context) {
  std::string pointer;
  for (auto const& step : context) {
    if (step.size() < 2 || step.front() != '[') continue;
    pointer += '/';
    for (char const c : step.substr(1, step.size() - 2)) {
      if (c == '~')
        pointer += "~0";
      else if (c == '/')
        pointer += "~1";
      else
        pointer += c;
    }
  }
  return pointer;
}

} // namespace

struct Schema::Impl {
  json::value document; // the parsed schema refers into it
  valijson::Schema schema;
};

Schema::Schema(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
Schema::Schema(Schema&&) noexcept = default;
Schema& Schema::operator=(Schema&&) noexcept = default;
Schema::~Schema() = default;

Result<Schema> Schema::compile(json::value const& schema) {
  auto impl = std::make_unique<Impl>();
  impl->document = schema;
  try {
    valijson::SchemaParser parser(valijson::SchemaParser::kDraft7);
    valijson::adapters::BoostJsonAdapter const adapter(impl->document);
    parser.populateSchema(adapter, impl->schema);
  } catch (std::exception const& problem) {
    return Error(ErrorKind::invalidInput, std::string("not a JSON Schema: ") + problem.what());
  }
  return Schema(std::move(impl));
}

std::vector<SchemaProblem> Schema::check(json::value const& value) const {
  std::vector<SchemaProblem> problems;
  try {
    valijson::Validator validator(valijson::Validator::kStrongTypes);
    valijson::ValidationResults results;
    valijson::adapters::BoostJsonAdapter const adapter(value);
    if (validator.validate(impl_->schema, adapter, &results)) return problems;
    valijson::ValidationResults::Error found;
    // The innermost failures come first and say most; what encloses them only repeats.
    while (problems.size() < kMostProblems && results.popError(found))
      problems.push_back({pointerFrom(found.context), found.description});
  } catch (std::exception const& problem) {
    problems.push_back({"", problem.what()});
  }
  return problems;
}

Result<void> Schema::require(json::value const& value, std::string_view what) const {
  auto const problems = check(value);
  if (problems.empty()) return {};
  auto const& first = problems.front();
  auto const place = first.pointer.empty() ? std::string("/") : first.pointer;
  return Error(ErrorKind::invalidInput, std::string(what) + ": " + place + ": " + first.message,
               first.pointer);
}

} // namespace garland
