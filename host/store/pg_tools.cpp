#include "host/store/pg_tools.h"

#include "host/store/drivers.h"

#include <libpq-fe.h>

#include <array>
#include <cerrno>
#include <csignal>
#include <cstring>
#include <memory>
#include <string_view>
#include <utility>
#include <vector>

#include <fcntl.h>
#include <poll.h>
#include <spawn.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

namespace garland::store {
namespace {

constexpr int kLook = 100; // milliseconds, until somebody who stops is seen

// Nobody else's tables get among those of a copy. The last line resets what pg_restore sets for itself.
constexpr std::string_view kBefore =
    "BEGIN;\n"
    "DO $$ BEGIN IF EXISTS (SELECT 1 FROM pg_catalog.pg_tables WHERE schemaname NOT LIKE 'pg\\_%' AND "
    "schemaname <> 'information_schema') THEN RAISE EXCEPTION 'the database is not empty'; END IF; END $$;\n";
constexpr std::string_view kThen = "\nRESET search_path;\n";
constexpr std::string_view kAfter = "\nCOMMIT;\n";

Error failed(std::string_view what) {
  return {ErrorKind::hostLimit, std::string(what) + ": " + std::strerror(errno)};
}

std::string_view nameIn(std::string_view variable) { return variable.substr(0, variable.find('=')); }

std::vector<std::string> ownEnvironment() {
  std::vector<std::string> all;
  for (char** one = environ; *one != nullptr; ++one) all.emplace_back(*one);
  return all;
}

// As libpq itself understands the URL: PGHOST, PGPASSWORD and so on; what it does not say is as in this
// process.
Result<std::vector<std::string>> environmentOf(std::string const& url) {
  std::unique_ptr<PQconninfoOption, decltype(&PQconninfoFree)> const options(
      PQconninfoParse(url.c_str(), nullptr), &PQconninfoFree);
  if (!options)
    return Error(ErrorKind::invalidInput, "the database URL is not a valid PostgreSQL URL", "/database/url");
  auto all = ownEnvironment();
  for (auto const* option = options.get(); option->keyword != nullptr; ++option) {
    if (option->val == nullptr || option->envvar == nullptr) continue;
    std::erase_if(all, [&](std::string const& one) { return nameIn(one) == option->envvar; });
    all.push_back(std::string(option->envvar) + "=" + option->val);
  }
  return all;
}

class Ends {
public:
  Ends() {
    if (::pipe2(fds_.data(), O_CLOEXEC) != 0) fds_ = {-1, -1};
  }
  Ends(Ends const&) = delete;
  Ends& operator=(Ends const&) = delete;
  ~Ends() {
    close(0);
    close(1);
  }
  bool isOpen() const { return fds_[0] >= 0; }
  int reads() const { return fds_[0]; }
  int writes() const { return fds_[1]; }
  void close(std::size_t end) {
    if (fds_[end] >= 0) ::close(fds_[end]);
    fds_[end] = -1;
  }

private:
  std::array<int, 2> fds_{};
};

// A program with an environment of its own, killed at the latest with this object.
class Program {
public:
  // -1: nothing to read, or its output is ours.
  Program(std::vector<std::string> words, std::vector<std::string> environment, int input, int output)
      : name_(words.front()) {
    posix_spawn_file_actions_t files;
    ::posix_spawn_file_actions_init(&files);
    if (input < 0)
      ::posix_spawn_file_actions_addopen(&files, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
    else
      ::posix_spawn_file_actions_adddup2(&files, input, STDIN_FILENO);
    ::posix_spawn_file_actions_adddup2(&files, output < 0 ? STDERR_FILENO : output, STDOUT_FILENO);
    auto argv = pointersTo(words);
    auto env = pointersTo(environment);
    spawned_ = ::posix_spawnp(&pid_, name_.c_str(), &files, nullptr, argv.data(), env.data());
    ::posix_spawn_file_actions_destroy(&files);
    if (spawned_ != 0) pid_ = -1;
  }
  Program(Program const&) = delete;
  Program& operator=(Program const&) = delete;
  ~Program() {
    if (pid_ < 0) return;
    ::kill(pid_, SIGKILL);
    (void)reap();
  }

  Result<void> begun() const {
    if (spawned_ == 0) return {};
    if (spawned_ == ENOENT)
      return Error(ErrorKind::notFound,
                   "there is no program " + name_ +
                       " here, which copies a PostgreSQL database: install Debian's postgresql-client");
    return Error(ErrorKind::hostLimit, name_ + " cannot be run: " + std::strerror(spawned_));
  }

  Result<void> end(std::stop_token const& stop) {
    auto const fd = static_cast<int>(::syscall(SYS_pidfd_open, pid_, 0));
    pollfd one{fd, POLLIN, 0};
    while (fd >= 0 && !stop.stop_requested() && ::poll(&one, 1, kLook) <= 0) continue;
    if (fd >= 0) ::close(fd);
    if (stop.stop_requested()) return Error(ErrorKind::cancelled, name_ + " was ended before it was done");
    int const status = reap();
    if (WIFEXITED(status) && WEXITSTATUS(status) == 0) return {};
    return Error(ErrorKind::hostLimit, name_ + " has failed; it says above what is wrong");
  }

private:
  static std::vector<char*> pointersTo(std::vector<std::string>& texts) {
    std::vector<char*> out;
    out.reserve(texts.size() + 1);
    for (auto& text : texts) out.push_back(text.data());
    out.push_back(nullptr);
    return out;
  }
  int reap() {
    int status = 0;
    while (::waitpid(pid_, &status, 0) < 0 && errno == EINTR) continue;
    pid_ = -1;
    return status;
  }

  std::string name_;
  pid_t pid_ = -1;
  int spawned_ = 0;
};

Result<void> writeAll(int fd, std::string_view bytes) {
  while (!bytes.empty()) {
    auto const written = ::write(fd, bytes.data(), bytes.size());
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) return failed("psql takes no more");
    bytes.remove_prefix(static_cast<std::size_t>(written));
  }
  return {};
}

Result<void> pass(int from, int to) {
  std::array<char, 65536> chunk{};
  while (true) {
    auto const got = ::read(from, chunk.data(), chunk.size());
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return failed("pg_restore cannot be read");
    if (got == 0) return {};
    TRY_VOID(writeAll(to, std::string_view(chunk.data(), static_cast<std::size_t>(got))));
  }
}

// Of what psql has ended already, a write is an error and no signal.
class WithoutSigpipe {
public:
  WithoutSigpipe() : before_(::signal(SIGPIPE, SIG_IGN)) {}
  WithoutSigpipe(WithoutSigpipe const&) = delete;
  WithoutSigpipe& operator=(WithoutSigpipe const&) = delete;
  ~WithoutSigpipe() { ::signal(SIGPIPE, before_); }

private:
  void (*before_)(int);
};

Result<void> feed(std::string const& file, std::string const& then, int to) {
  TRY_VOID(writeAll(to, kBefore));
  Ends script;
  if (!script.isOpen()) return failed("no pipe could be made");
  Program reading({"pg_restore", "--no-owner", "--no-privileges", "--file=-", file}, ownEnvironment(), -1,
                  script.writes());
  TRY_VOID(reading.begun());
  script.close(1);
  TRY_VOID(pass(script.reads(), to));
  TRY_VOID(reading.end(std::stop_token()));
  TRY_VOID(writeAll(to, kThen));
  TRY_VOID(writeAll(to, then));
  return writeAll(to, kAfter);
}

} // namespace

Result<void> dumpPostgres(std::string const& url, std::string const& file, std::stop_token const& stop) {
  TRY(environment, environmentOf(url));
  int const fd = ::open(file.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600);
  if (fd < 0 && errno == EEXIST)
    return Error(ErrorKind::conflict, file + " is there already, and is not overwritten");
  if (fd < 0) return failed("cannot write " + file);
  Program program({"pg_dump", "--format=custom", "--no-owner", "--no-privileges", "--no-password"},
                  std::move(environment), -1, fd);
  auto done = program.begun();
  if (done) done = program.end(stop);
  if (done && ::fsync(fd) != 0) done = failed("cannot write " + file);
  ::close(fd);
  return done;
}

Result<void> restorePostgres(std::string const& url, std::string const& file, std::string const& then) {
  TRY(environment, environmentOf(url));
  Ends input;
  if (!input.isOpen()) return failed("no pipe could be made");
  WithoutSigpipe const quiet;
  Program psql({"psql", "--no-psqlrc", "--quiet", "--no-password", "--set=ON_ERROR_STOP=1",
                "--output=/dev/null", "--file=-"},
               std::move(environment), input.reads(), -1);
  TRY_VOID(psql.begun());
  input.close(0);
  auto fed = feed(file, then, input.writes());
  input.close(1);
  auto const done = psql.end(std::stop_token());
  // psql has said what is wrong; that it then took no more is only what follows.
  if (!done) return done.error();
  return fed;
}

Result<void> putBackPostgres(std::string const& url, std::string const& copy, std::string const& then) {
  return restorePostgres(url, copy, then);
}

} // namespace garland::store
