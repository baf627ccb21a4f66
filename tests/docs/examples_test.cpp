// The inputs that connectors' pages show are inputs that their operations take: one at least for each action.
#include "host/base/file_text.h"
#include "host/base/schema.h"
#include "host/base/schema_prune.h"
#include "tests/places/places.h"

#include <garland/schemas.hpp>

#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <set>
#include <sstream>

namespace garland {
namespace {

constexpr std::string_view kFence = "```";

// Operation -> what stands between "```json OPERATION" and "```".
std::multimap<std::string, std::string> examplesIn(std::string const& page) {
  std::multimap<std::string, std::string> examples;
  std::istringstream lines(page);
  std::string line, operation, text;
  std::string const begin = std::string(kFence) + "json ";
  while (std::getline(lines, line)) {
    if (line.starts_with(begin)) {
      operation = line.substr(begin.size());
    } else if (line == kFence) {
      if (!operation.empty()) examples.emplace(operation, text);
      operation.clear();
      text.clear();
    } else if (!operation.empty()) {
      text += line + "\n";
    }
  }
  return examples;
}

// As the caller of an action gives it: without the key, which stands beside it.
Schema schemaOf(std::string const& operation) {
  auto file = operation + ".in.json";
  std::replace(file.begin(), file.end(), '/', '.');
  auto const document = parseJson(schemas::schemaText(file)).value();
  return Schema::compile(withoutMember(document, kKeyMember)).value();
}

struct ExamplesOf : ::testing::TestWithParam<char const*> {
  std::string read(std::string const& file) {
    auto text = readFileText(inSources("/plugins/") + GetParam() + "/" + file);
    EXPECT_TRUE(text) << file;
    return text.value();
  }
};

TEST_P(ExamplesOf, EachActionHasOneAndEachIsTakenByItsOperation) {
  auto const manifest = parseJson(read("connector.json")).value();
  auto const examples = examplesIn(read("README.md"));
  std::set<std::string> shown;
  for (auto const& [operation, text] : examples) {
    auto const input = parseJson(text);
    ASSERT_TRUE(input) << operation << ": " << text;
    auto const fits = schemaOf(operation).require(*input, operation);
    EXPECT_TRUE(fits) << operation << ": " << (fits ? "" : fits.error().message);
    shown.insert(operation);
  }
  std::set<std::string> actions;
  for (auto const& action : manifest.at("actions").as_object()) actions.emplace(action.key());
  EXPECT_EQ(shown, actions);
}

INSTANTIATE_TEST_SUITE_P(Pages, ExamplesOf, ::testing::Values("payments/stripe", "messaging/resend"),
                         [](auto const& page) {
                           std::string name(page.param);
                           return name.substr(name.find('/') + 1);
                         });

TEST(Examples, AnInputWithTheKeyOrAMisspeltMemberIsNone) {
  auto const schema = schemaOf("payments.cancel/1");
  EXPECT_TRUE(schema.require(*parseJson(R"({"payment":"pi_1"})"), "input"));
  EXPECT_FALSE(schema.require(*parseJson(R"({"payment":"pi_1","idempotency_key":"k"})"), "input"));
  EXPECT_FALSE(schema.require(*parseJson(R"({"payment":"pi_1","reson":"requested"})"), "input"));
}

} // namespace
} // namespace garland
