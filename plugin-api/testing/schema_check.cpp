// JSON Schema checks by valijson, the only translation unit that sees it.
#include <garland/schemas.hpp>
#include <garland/testing/fake_host.hpp>

#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>

#define VALIJSON_USE_EXCEPTIONS 1
#include <valijson/adapters/boost_json_adapter.hpp>
#include <valijson/schema.hpp>
#include <valijson/schema_parser.hpp>
#include <valijson/validation_results.hpp>
#include <valijson/validator.hpp>

#include <stdexcept>

namespace garland::testing {
namespace {

// `partial`: of an object that need not say everything.
std::shared_ptr<valijson::Schema const> compiled(std::string_view name, bool partial) {
  static std::map<std::pair<std::string, bool>, std::shared_ptr<valijson::Schema const>> cache;
  std::pair const key(std::string(name), partial);
  if (auto const found = cache.find(key); found != cache.end()) return found->second;
  auto const text = schemaText(name);
  if (text.empty()) throw std::invalid_argument("there is no schema " + std::string(name));
  auto document = json::parse(text);
  if (partial)
    for (auto const* rule : {"required", "anyOf"}) document.as_object().erase(rule);
  auto schema = std::make_shared<valijson::Schema>();
  valijson::SchemaParser(valijson::SchemaParser::kDraft7)
      .populateSchema(valijson::adapters::BoostJsonAdapter(document), *schema);
  return cache.emplace(key, std::move(schema)).first->second;
}

std::vector<std::string> problemsBy(std::shared_ptr<valijson::Schema const> const& rules,
                                    json::value const& value) {
  valijson::ValidationResults results;
  valijson::Validator validator;
  std::vector<std::string> problems;
  if (validator.validate(*rules, valijson::adapters::BoostJsonAdapter(value), &results)) return problems;
  valijson::ValidationResults::Error error;
  while (results.popError(error)) {
    std::string pointer;
    for (auto const& step : error.context)
      if (step != "<root>") pointer += "/" + (step.starts_with('[') ? step.substr(1, step.size() - 2) : step);
    problems.push_back(pointer + ": " + error.description);
  }
  return problems;
}

} // namespace

std::vector<std::string> schemaProblems(std::string_view schema, json::value const& value) {
  return problemsBy(compiled(schema, false), value);
}

std::vector<std::string> partialProblems(std::string_view schema, json::value const& value) {
  return problemsBy(compiled(schema, true), value);
}

} // namespace garland::testing
