#include "host/cli/grammar.h"

#include <exception>
#include <iostream>

int main(int argc, char** argv) {
  try {
    garland::cli::Grammar grammar(GARLAND_VERSION);
    return static_cast<int>(grammar.run(argc, argv));
  } catch (std::exception const& exception) {
    std::cerr << "garland: a bug ended this command: " << exception.what() << "\n";
    return static_cast<int>(garland::cli::Exit::environment);
  }
}
