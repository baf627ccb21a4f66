// The words of `garland intake` and `garland connections hook`.
#pragma once

#include "host/cli/commands.h"

#include <functional>
#include <string>

namespace CLI {
class App;
}

namespace garland::cli {

// Keeps what was typed; lives as long as the grammar that it is a part of.
class IntakeGrammar {
public:
  using Command = std::function<Exit(Context)>;
  using Leaf =
      std::function<CLI::App*(CLI::App* parent, char const* name, char const* about, Command command)>;
  void add(CLI::App* intake, CLI::App* connections, Leaf const& leaf);

private:
  HookWords hook_;
  ItemPage page_;
  std::string id_, why_;
};

} // namespace garland::cli
