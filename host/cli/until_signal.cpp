#include "host/cli/until_signal.h"

#include <array>
#include <atomic>
#include <csignal>

namespace garland::cli {
namespace {

std::atomic<bool> signalled{false};
static_assert(std::atomic<bool>::is_always_lock_free);
constexpr std::array kSignals{SIGINT, SIGTERM};
std::array<struct sigaction, kSignals.size()> before;

void note(int) { signalled = true; }

} // namespace

UntilSignal::UntilSignal() {
  signalled = false;
  struct sigaction action{};
  action.sa_handler = note;
  action.sa_flags = static_cast<int>(SA_RESETHAND | SA_RESTART);
  for (std::size_t i = 0; i < kSignals.size(); ++i) ::sigaction(kSignals[i], &action, &before[i]);
}

UntilSignal::~UntilSignal() {
  for (std::size_t i = 0; i < kSignals.size(); ++i) ::sigaction(kSignals[i], &before[i], nullptr);
}

bool UntilSignal::came() { return signalled; }

} // namespace garland::cli
