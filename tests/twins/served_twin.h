// A twin at a free port of this machine, served by `garland twin serve`, for as long as this lives.
#pragma once

#include "host/base/json.h"
#include "tests/end_to_end/host_test_kit.h"

#include <gtest/gtest.h>

#include <map>
#include <memory>
#include <stdexcept>
#include <string>
#include <vector>

namespace garland::testing {

class ServedTwin {
public:
  // `words`: what follows `garland twin serve`.
  explicit ServedTwin(std::vector<std::string> words) {
    words.insert(words.begin(), {binFolder() + "/garland", "--json", "twin", "serve"});
    program_ = std::make_unique<Child>(words, std::map<std::string, std::string>{}, log());
    auto const said = [this] {
      return !program_->running() || readFile(log()).find("\"url\"") != std::string::npos;
    };
    EXPECT_TRUE(eventually(said)) << readFile(log());
    takeUrl(readFile(log()));
  }

  Child& program() { return *program_; }
  std::string log() const { return folder_ / "log"; }
  std::string const& url() const { return url_; }

private:
  // A test that went on without an address would fail with what curl thinks of that.
  void takeUrl(std::string const& text) {
    auto const begin = text.find("{\"twin\"");
    auto const line =
        parseJson(begin == std::string::npos ? text : text.substr(begin, text.find('\n', begin) - begin));
    if (line) url_ = textOr(*line, "/url", "");
    if (url_.empty()) throw std::runtime_error("the twin gave no address; it said:\n" + text);
    EXPECT_EQ(textOr(*line, "/ledger", ""), url_ + "/_twin/ledger");
  }

  TestFolder folder_;
  std::unique_ptr<Child> program_;
  std::string url_;
};

} // namespace garland::testing
