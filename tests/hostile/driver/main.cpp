// hostile_driver: one act on one tier, or a stranger's plugin, and one line of JSON about it.
//
// It plays the daemon (the public Supervisor of host/runtime/runtime.h) and the world around it: files,
// listeners, another process, secrets in its own environment and memory. tests/hostile/run is for people.
#include "tests/hostile/driver/trial.h"

#include <grp.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <charconv>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <random>

namespace garland::hostile {
namespace {

constexpr uid_t kTestAccount = 65534;
constexpr int kHeld = 0;
constexpr int kNotHeld = 1;
constexpr int kUsage = 2;
constexpr int kEnvironment = 3;
constexpr int kRefused = 4;
constexpr int kSkipped = 77; // CTest's word for it
constexpr int kMostAttempts = 3;

constexpr char const* kHelp =
    "usage: hostile_driver --act NAME | --refusal | --plugin FILE.so [--operation ID]... | --list\n"
    "       [--tier A|B|C|D] [--user root|plain] [--control]\n"
    "  --control   in a worker without a sandbox: the act has to be seen to succeed\n"
    "Prints one JSON object. Exit: 0 held, 1 something got through or a bystander was hurt, 2 usage,\n"
    "3 environment, 4 the plugin cannot be loaded, 77 skipped.\n";

struct Choice {
  std::string act;
  std::string plugin;
  std::vector<std::string> operations;
  Setting setting;
  bool refusal = false;
  bool control = false;
  bool list = false;
  bool inside = false; // started again, with the secret and as the user
};

bool takeValue(Choice& choice, std::string_view name, std::string const& value) {
  if (name == "--act")
    choice.act = value;
  else if (name == "--plugin")
    choice.plugin = value;
  else if (name == "--operation")
    choice.operations.push_back(value);
  else if (name == "--tier" && value.size() == 1 && value[0] >= 'A' && value[0] <= 'D')
    choice.setting.tier.letter = value[0];
  else if (name == "--user" && (value == "root" || value == "plain"))
    choice.setting.as_root = value == "root";
  else if (name == "--observer")
    return std::from_chars(value.data(), value.data() + value.size(), choice.setting.observer).ec ==
           std::errc();
  else
    return false;
  return true;
}

std::optional<Choice> readChoice(int argc, char** argv) {
  Choice choice;
  choice.setting.as_root = ::geteuid() == 0;
  for (int i = 1; i < argc; ++i) {
    std::string_view const word = argv[i];
    if (word == "--refusal")
      choice.refusal = true;
    else if (word == "--control")
      choice.control = true;
    else if (word == "--list")
      choice.list = true;
    else if (word == "--inside")
      choice.inside = true;
    else if (++i >= argc || !takeValue(choice, word, argv[i]))
      return std::nullopt;
  }
  int const aims = !choice.act.empty() + !choice.plugin.empty() + choice.refusal + choice.list;
  if (aims != 1) return std::nullopt;
  return choice;
}

// ---------------------------------------------------------------- who runs it

// Starts this program again, so that the secret is in the environment that others could read.
[[noreturn]] void startAgain(int argc, char** argv, int observer) {
  std::random_device random;
  auto const secret = std::string(kSecret) + "ENVIRONMENT-" + std::to_string(random());
  ::setenv(kEnvironmentSecret, secret.c_str(), 1);
  auto const socket = std::to_string(observer);
  std::vector<char*> words(argv, argv + argc);
  for (char const* word : {"--inside", "--observer", socket.c_str()})
    words.push_back(const_cast<char*>(word));
  words.push_back(nullptr);
  ::execv("/proc/self/exe", words.data());
  std::fprintf(stderr, "hostile_driver: cannot start itself again: %s\n", std::strerror(errno));
  ::_exit(kEnvironment);
}

// As root: an ordinary user's process does the work, this one stays behind and looks for it.
int runAsTestAccount(int argc, char** argv) {
  std::array<int, 2> pair{};
  if (::socketpair(AF_UNIX, SOCK_STREAM, 0, pair.data()) != 0) return kEnvironment;
  pid_t const child = ::fork();
  if (child == 0) {
    ::close(pair[0]);
    removeSceneOf(::getpid());
    if (::setgroups(0, nullptr) != 0 || ::setgid(kTestAccount) != 0 || ::setuid(kTestAccount) != 0)
      ::_exit(kEnvironment);
    ::prctl(PR_SET_PDEATHSIG, SIGKILL);
    startAgain(argc, argv, pair[1]);
  }
  ::close(pair[1]);
  Observer::serve(pair[0]);
  int status = 0;
  ::waitpid(child, &status, 0);
  return WIFEXITED(status) ? WEXITSTATUS(status) : kNotHeld;
}

int enter(Choice const& choice, int argc, char** argv) {
  bool const root = ::geteuid() == 0;
  if (choice.setting.as_root && !root) {
    std::puts(R"({"outcome":"skipped","seen":["it takes root to see what a plugin of root's daemon may"]})");
    return kSkipped;
  }
  if (root && !choice.setting.as_root) return runAsTestAccount(argc, argv);
  startAgain(argc, argv, -1);
}

// ---------------------------------------------------------------- what is run

Verdict performOnce(Choice const& choice) {
  if (choice.refusal) return performRefusal(choice.setting);
  if (!choice.plugin.empty()) return performStranger(choice.plugin, choice.operations, choice.setting);
  auto const* const expectation = expectationOf(choice.act);
  return choice.control ? performNaked(*expectation, choice.setting) : perform(*expectation, choice.setting);
}

// A machine that stands still for a second makes a call late once; an act that does so does it every time.
// Calls that are lost or wrong, and whatever gets through, count at once.
bool mayBeTheMachine(Verdict const& verdict) {
  return verdict.bystander_late > 0 && verdict.bystander_lost == 0 && verdict.bystander_wrong == 0 &&
         verdict.outcome == "bystander hurt";
}

Verdict verdictOf(Choice const& choice) {
  auto verdict = performOnce(choice);
  for (int attempt = 2; attempt <= kMostAttempts && mayBeTheMachine(verdict); ++attempt) {
    verdict = performOnce(choice);
    verdict.attempts = attempt;
  }
  return verdict;
}

int report(Choice const& choice, Verdict const& verdict) {
  json::object out;
  out["act"] = choice.refusal ? "tier_d_refusal" : choice.plugin.empty() ? choice.act : choice.plugin;
  out["tier"] = choice.control ? "none" : std::string(1, choice.refusal ? 'D' : choice.setting.tier.letter);
  out["user"] = choice.setting.as_root ? "root" : "plain";
  auto const rest = toJson(verdict);
  for (auto const& [name, value] : rest.as_object()) out[name] = value;
  std::puts(json::serialize(out).c_str());
  if (verdict.outcome == "refused") return kRefused;
  bool const held = choice.control ? verdict.outcome == "got through" : verdict.held();
  return held ? kHeld : kNotHeld;
}

// "spin ABCD nobody": the act, its tiers, and for whom --control works.
int list() {
  for (auto const& expectation : expectations()) {
    auto const control = expectation.control == Control::nobody    ? "nobody"
                         : expectation.control == Control::anybody ? "anybody"
                                                                   : "root";
    std::printf("%s %s %s\n", std::string(expectation.act).c_str(), std::string(expectation.tiers).c_str(),
                control);
  }
  return kHeld;
}

int run(int argc, char** argv) {
  auto const choice = readChoice(argc, argv);
  if (!choice) {
    std::fputs(kHelp, stderr);
    return kUsage;
  }
  if (choice->list) return list();
  if (!choice->act.empty() && !expectationOf(choice->act)) {
    std::fprintf(stderr, "hostile_driver: there is no act %s; --list names them\n", choice->act.c_str());
    return kUsage;
  }
  if (!choice->inside) return enter(*choice, argc, argv);
  ::signal(SIGPIPE, SIG_IGN);
  // As garlandd: others of its user cannot read it. (Without a sandbox the acts have to be seen to succeed.)
  if (!choice->control) ::prctl(PR_SET_DUMPABLE, 0);
  return report(*choice, verdictOf(*choice));
}

} // namespace
} // namespace garland::hostile

int main(int argc, char** argv) {
  try {
    return garland::hostile::run(argc, argv);
  } catch (std::exception const& problem) {
    std::fprintf(stderr, "hostile_driver: %s\n", problem.what());
    return garland::hostile::kEnvironment;
  }
}
