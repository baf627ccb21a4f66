// An installed Garland in a test: the daemon on a folder of its own, and the command-line tool.
#pragma once

#include "host/base/json.h"
#include "tests/end_to_end/process_test_kit.h"

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace garland::testing {

class Host {
public:
  // `database` "": SQLite in the folder. `more` is appended to garland.toml.
  explicit Host(std::string database = "", std::string more = "");

  // Starts garlandd, with more in its environment, and waits until it listens; fails the test if it does not.
  void start(std::map<std::string, std::string> const& environment = {});
  void kill9();
  int stop(); // SIGTERM; the exit code
  Child& daemon() { return *daemon_; }

  Finished run(std::vector<std::string> words, std::string const& input = "");
  // The same with --json; the answer, or a failed test if the exit code is not the expected one.
  json::value ask(std::vector<std::string> words, int expected_exit = 0, std::string const& input = "");

  std::string addVendor(std::string const& name); // with the caldav connector enabled
  // The connection's id.
  std::string connect(std::string const& vendor, std::string const& url, std::string const& user,
                      std::string const& password);
  json::array records(std::string const& vendor, std::string const& kind = ""); // "": of all kinds
  std::vector<pid_t> workers() const;

  std::string const& folder() const { return folder_.path(); }
  std::string dataFolder() const { return folder_ / "data"; }
  std::string configFile() const { return folder_ / "garland.toml"; }
  std::string log() const { return readFile(folder_ / "garlandd.log"); }
  std::string url() const { return url_; }
  std::string const& database() const { return database_; } // "": SQLite in the folder

private:
  TestFolder folder_;
  std::string database_;
  std::unique_ptr<Child> daemon_;
  std::string url_;
};

// The daemon's and tools' folder of this build.
std::string binFolder();
std::int64_t number(json::value const& value, std::string_view pointer);

} // namespace garland::testing
