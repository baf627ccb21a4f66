// The only translation unit that sees valijson.
#define VALIJSON_USE_EXCEPTIONS 1
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wall"
#pragma GCC diagnostic ignored "-Wextra"
#include "host/base/schema.h"

#include "host/base/schema_pattern.h"
#include "host/base/schema_words.h"

#include <valijson/adapters/boost_json_adapter.hpp>
#include <valijson/constraint_builder.hpp>
#include <valijson/constraints/concrete_constraints.hpp>
#include <valijson/schema.hpp>
#include <valijson/schema_parser.hpp>
#include <valijson/validation_results.hpp>
#include <valijson/validator.hpp>
#pragma GCC diagnostic pop

#include <algorithm>

namespace garland {
namespace {

constexpr std::size_t kMostProblems = 20;
constexpr std::size_t kMostRead = 200;

// valijson tells a place as "<root>", "[name]", "[3]".
std::vector<std::string> stepsFrom(std::vector<std::string> const& context) {
  std::vector<std::string> steps;
  for (auto const& step : context)
    if (step.size() >= 2 && step.front() == '[') steps.push_back(step.substr(1, step.size() - 2));
  return steps;
}

std::string pointerFrom(std::vector<std::string> const& steps) {
  std::string pointer;
  for (auto const& step : steps) {
    pointer += '/';
    for (char const c : step) {
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

struct Found {
  SchemaProblem problem;
  std::string field; // the pointer, down to a member that should not be there
};

// In our words, each said once; what only encloses another is left out unless nothing else is known.
std::vector<Found> inWords(json::value const& schema, json::value const& value,
                           std::vector<schema_words::Told> const& found) {
  auto const encloses = [](schema_words::Told const& told) {
    return schema_words::enclosesOthers(told.description);
  };
  bool const only_enclosing = std::all_of(found.begin(), found.end(), encloses);
  std::vector<Found> problems;
  for (auto const& told : found) {
    if (problems.size() == kMostProblems) break;
    if (!only_enclosing && encloses(told)) continue;
    SchemaProblem problem{pointerFrom(told.steps), schema_words::say(schema, value, told)};
    auto const same = [&](Found const& other) {
      return other.problem.pointer == problem.pointer && other.problem.message == problem.message;
    };
    if (std::any_of(problems.begin(), problems.end(), same)) continue;
    auto field = told.steps;
    if (auto unknown = schema_words::unknownMember(told.description); !unknown.empty())
      field.push_back(std::move(unknown));
    problems.push_back(Found{std::move(problem), pointerFrom(field)});
  }
  return problems;
}

std::vector<Found> problemsOf(valijson::Schema const& schema, json::value const& document,
                              json::value const& value) {
  try {
    valijson::Validator validator(valijson::Validator::kStrongTypes);
    valijson::ValidationResults results;
    valijson::adapters::BoostJsonAdapter const adapter(value);
    if (validator.validate(schema, adapter, &results)) return {};
    valijson::ValidationResults::Error error;
    std::vector<schema_words::Told> found;
    // The innermost failures come first and say most; what encloses them only repeats.
    while (found.size() < kMostRead && results.popError(error))
      found.push_back(schema_words::placed(document, value, {stepsFrom(error.context), error.description}));
    if (found.empty()) found.push_back(schema_words::placed(document, value, {{}, "Failed to validate"}));
    return inWords(document, value, found);
  } catch (std::exception const&) {
    return {Found{SchemaProblem{"", "could not be checked against its schema"}, ""}};
  }
}

class PatternConstraint : public valijson::constraints::PolyConstraint {
public:
  explicit PatternConstraint(schema_patterns::Pattern pattern) : pattern_(std::move(pattern)) {}

  bool validate(valijson::adapters::Adapter const& target, std::vector<std::string> const& context,
                valijson::ValidationResults* results) const override {
    if (!target.isString() || pattern_.matches(target.asString())) return true;
    if (results != nullptr) results->pushError(context, "Failed to match regex");
    return false;
  }

private:
  valijson::constraints::Constraint* cloneInto(void* memory) const override {
    return new (memory) PatternConstraint(*this);
  }
  std::size_t sizeOf() const override { return sizeof(PatternConstraint); }

  schema_patterns::Pattern pattern_;
};

class PatternBuilder : public valijson::ConstraintBuilder {
public:
  valijson::constraints::Constraint* make(valijson::adapters::Adapter const& keyword) const override {
    auto pattern = schema_patterns::Pattern::compile(keyword.asString());
    if (!pattern) throw std::runtime_error(pattern.error().message);
    return new PatternConstraint(std::move(*pattern));
  }
};

} // namespace

struct Schema::Impl {
  json::value document;
  json::value handed; // the same as valijson was given it; the parsed schema refers into it
  valijson::Schema schema;
};

Schema::Schema(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
Schema::Schema(Schema&&) noexcept = default;
Schema& Schema::operator=(Schema&&) noexcept = default;
Schema::~Schema() = default;

Result<Schema> Schema::compile(json::value const& schema) {
  auto impl = std::make_unique<Impl>();
  impl->document = schema;
  auto handed = schema_patterns::handedOver(schema);
  if (!handed) return Error(ErrorKind::invalidInput, "not a JSON Schema: " + handed.error().message);
  impl->handed = std::move(*handed);
  try {
    valijson::SchemaParser parser(valijson::SchemaParser::kDraft7);
    parser.addConstraintBuilder(schema_patterns::kKeyword,
                                std::make_unique<PatternBuilder>().release()); // its own now
    valijson::adapters::BoostJsonAdapter const adapter(impl->handed);
    parser.populateSchema(adapter, impl->schema);
  } catch (std::exception const& problem) {
    return Error(ErrorKind::invalidInput, std::string("not a JSON Schema: ") + problem.what());
  }
  return Schema(std::move(impl));
}

std::vector<SchemaProblem> Schema::check(json::value const& value) const {
  std::vector<SchemaProblem> problems;
  for (auto& found : problemsOf(impl_->schema, impl_->document, value))
    problems.push_back(std::move(found.problem));
  return problems;
}

Result<void> Schema::require(json::value const& value, std::string_view what) const {
  auto const problems = problemsOf(impl_->schema, impl_->document, value);
  if (problems.empty()) return {};
  auto const& [first, field] = problems.front();
  auto const place = first.pointer.empty() ? std::string() : first.pointer + ": ";
  return Error(ErrorKind::invalidInput, std::string(what) + ": " + place + first.message, field);
}

} // namespace garland
