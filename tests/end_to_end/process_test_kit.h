// Starting, talking to and ending programs in tests; each is ended by its own pid, never by name.
#pragma once

#include "host/base/test_folder.h"

#include <sys/types.h>

#include <functional>
#include <map>
#include <string>
#include <vector>

namespace garland::testing {

struct Finished {
  int exit_code = -1; // 128 + signal if it was killed
  std::string out;
  std::string err;
};

// Runs a program to its end, at most 120 s.
Finished runProgram(std::vector<std::string> const& argv,
                    std::map<std::string, std::string> const& environment, std::string const& input);

// A program that goes on running; ended when this dies.
class Child {
public:
  // Its output goes to the file. Environment: the caller's plus `environment`.
  Child(std::vector<std::string> const& argv, std::map<std::string, std::string> const& environment,
        std::string const& output_file);
  Child(Child const&) = delete;
  Child& operator=(Child const&) = delete;
  ~Child();

  pid_t pid() const { return pid_; }
  bool running();
  void signal(int number) const;
  int wait(); // exit code as in Finished

private:
  pid_t pid_ = -1;
  int status_ = 0;
  bool reaped_ = false;
};

std::string readFile(std::string const& path); // "" if it is not there
void writeFile(std::string const& path, std::string const& text);
// Asks every 5 ms until the condition holds; false after the given seconds.
bool eventually(std::function<bool()> const& condition, double seconds = 20.0);

} // namespace garland::testing
