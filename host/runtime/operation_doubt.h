// Whether a build is itself at fault for the calls of an operation that end their workers: many have died of
// it, and it has not answered a single one. One that was answered speaks for the build; what dies then is the
// call's own matter (poison.h). Pure: it is told what happened to one build since that was taken over.
#pragma once

#include <algorithm>
#include <map>
#include <optional>
#include <set>
#include <string>

namespace garland::runtime {

class OperationDoubt {
public:
  static constexpr int kDeaths = 3; // calls that ended their worker although they ran alone

  // False if that was known.
  bool answered(std::string const& operation) {
    deaths_.erase(operation);
    return answered_.insert(operation).second;
  }
  // A call ended a worker of its own. Why the build is at fault, going on from its name; nothing as long as
  // the call may be.
  std::optional<std::string> died(std::string const& operation, std::string const& account_id) {
    if (answered_.contains(operation)) return std::nullopt;
    auto& deaths = deaths_[operation];
    deaths.calls = std::min(deaths.calls + 1, kDeaths);
    if (deaths.accounts.size() < kDeaths) deaths.accounts.insert(account_id);
    if (deaths.calls < kDeaths) return std::nullopt;
    auto const accounts = deaths.accounts.size();
    return std::to_string(kDeaths) + " calls of " + operation + " (" + std::to_string(accounts) +
           (accounts == 1 ? " account" : " accounts") +
           ") ended its worker, each also when it ran alone, and it has not answered one since it was taken "
           "over";
  }

  std::set<std::string> const& answeredOperations() const { return answered_; }

private:
  struct Deaths {
    int calls = 0;
    std::set<std::string> accounts;
  };
  std::set<std::string> answered_;
  std::map<std::string, Deaths> deaths_; // of operations that were never answered
};

} // namespace garland::runtime
