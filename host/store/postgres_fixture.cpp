#include "host/store/postgres_fixture.h"

#include "host/base/test_port.h"

#include <algorithm>
#include <array>
#include <cerrno>
#include <csignal>
#include <cstdio>
#include <cstring>
#include <future>
#include <vector>

#include <fcntl.h>
#include <libpq-fe.h>
#include <pwd.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

namespace garland::store {
namespace {

constexpr auto kServerUser = "postgres";
constexpr std::string_view kReady = "database system is ready to accept connections";
constexpr std::size_t kKeptLog = 4000;

Error setupError(std::string message) { return Error(ErrorKind::hostLimit, std::move(message)); }

// Debian keeps the server's programs outside of PATH, one folder a version; the newest is taken.
Result<std::filesystem::path> programs() {
  std::vector<std::filesystem::path> found;
  std::error_code code;
  for (auto const& entry : std::filesystem::directory_iterator("/usr/lib/postgresql", code))
    if (std::filesystem::exists(entry.path() / "bin" / "initdb")) found.push_back(entry.path() / "bin");
  if (found.empty())
    return setupError(
        "PostgreSQL is not installed (no /usr/lib/postgresql/*/bin/initdb); run tools/setup, which "
        "installs the package postgresql");
  return *std::ranges::max_element(found);
}

bool isRoot() { return ::geteuid() == 0; }

struct Child {
  pid_t pid;
  int output; // its standard output and error
};

// Runs a program, as `postgres` if we are root; it gets `signal` when this thread ends.
Result<Child> spawn(std::vector<std::string> command, char const* signal_name, int signal) {
  if (isRoot()) {
    std::vector<std::string> const as_user = {"/usr/bin/setpriv", "--reuid",   kServerUser,
                                              "--regid",          kServerUser, "--init-groups",
                                              "--pdeathsig",      signal_name, "--"};
    command.insert(command.begin(), as_user.begin(), as_user.end());
  }
  std::vector<char*> arguments;
  for (auto& word : command) arguments.push_back(word.data());
  arguments.push_back(nullptr);
  std::array<int, 2> pipe{};
  if (::pipe2(pipe.data(), O_CLOEXEC) != 0) return setupError(std::string("pipe2: ") + std::strerror(errno));
  pid_t const pid = ::fork();
  if (pid == 0) {
    ::prctl(PR_SET_PDEATHSIG, signal);
    ::dup2(pipe[1], STDOUT_FILENO);
    ::dup2(pipe[1], STDERR_FILENO);
    if (::chdir("/") == 0) ::execv(arguments[0], arguments.data());
    ::_exit(127);
  }
  ::close(pipe[1]);
  if (pid < 0) {
    ::close(pipe[0]);
    return setupError(std::string("fork: ") + std::strerror(errno));
  }
  return Child{pid, pipe[0]};
}

std::string readAll(int descriptor) {
  std::string text;
  std::array<char, 4096> chunk{};
  for (ssize_t length = 0; (length = ::read(descriptor, chunk.data(), chunk.size())) > 0;)
    text.append(chunk.data(), static_cast<std::size_t>(length));
  ::close(descriptor);
  return text;
}

Result<void> runToEnd(std::vector<std::string> command) {
  auto const program = command.front();
  TRY(child, spawn(std::move(command), "KILL", SIGKILL));
  auto const output = readAll(child.output);
  int status = 0;
  ::waitpid(child.pid, &status, 0);
  if (WIFEXITED(status) && WEXITSTATUS(status) == 0) return {};
  return setupError(program + " failed: " + output);
}

// Reads the server's log to its end; tells once whether the server became ready, and its last words.
void followLog(int descriptor, std::promise<std::string> ready) {
  std::string text;
  std::array<char, 4096> chunk{};
  bool told = false;
  for (ssize_t length = 0; (length = ::read(descriptor, chunk.data(), chunk.size())) > 0;) {
    text.append(chunk.data(), static_cast<std::size_t>(length));
    if (!told && text.find(kReady) != std::string::npos) {
      ready.set_value("");
      told = true;
    }
    if (text.size() > 2 * kKeptLog) text.erase(0, text.size() - kKeptLog);
  }
  ::close(descriptor);
  if (!told) ready.set_value("the PostgreSQL server did not start: " + text);
}

Result<std::filesystem::path> makeFolder() {
  std::string name = "/tmp/garland-postgres-XXXXXX"; // short: a socket's path has 107 bytes
  if (::mkdtemp(name.data()) == nullptr) return setupError(std::string("mkdtemp: ") + std::strerror(errno));
  if (isRoot()) {
    auto const* user = ::getpwnam(kServerUser);
    if (user == nullptr || ::chown(name.c_str(), user->pw_uid, user->pw_gid) != 0)
      return setupError("there is no user postgres, as whom root has to run the server; run tools/setup");
  }
  return std::filesystem::path(name);
}

} // namespace

Result<std::unique_ptr<PostgresFixture>> PostgresFixture::start(Commits commits) {
  TRY(bin, programs());
  std::unique_ptr<PostgresFixture> fixture(new PostgresFixture(commits));
  TRY(folder, makeFolder());
  fixture->folder_ = folder;
  auto const data = (folder / "data").string();
  TRY_VOID(runToEnd({bin / "initdb", "-D", data, "-A", "trust", "-U", kServerUser, "-E", "UTF8",
                     "--locale=C.UTF-8", "--no-sync", "--no-instructions"}));
  TRY_VOID(fixture->launch());
  return fixture;
}

Result<void> PostgresFixture::launch() {
  TRY(bin, programs());
  std::string failure;
  // Between asking for a free port and using it somebody else may take it. A restart keeps its port.
  bool const again = port_ != 0;
  for (int attempt = 0; attempt < 3; ++attempt) {
    if (!again) port_ = freePort();
    TRY(child, spawn({bin / "postgres",
                      "-D",
                      folder_ / "data",
                      "-k",
                      folder_,
                      "-p",
                      std::to_string(port_),
                      "-c",
                      "listen_addresses=127.0.0.1",
                      "-c",
                      "max_connections=50",
                      "-c",
                      commits_ == Commits::reachTheDisk ? "fsync=on" : "fsync=off",
                      "-c",
                      "shared_buffers=32MB",
                      "-c",
                      "log_min_messages=warning",
                      "-c",
                      "recovery_init_sync_method=syncfs",
                      "-c",
                      "lc_messages=C"},
                     "QUIT", SIGQUIT));
    std::promise<std::string> ready;
    auto answer = ready.get_future();
    log_reader_ = std::thread(followLog, child.output, std::move(ready));
    server_ = child.pid;
    failure = answer.get();
    if (failure.empty()) return {};
    kill();
  }
  return setupError(failure);
}

void PostgresFixture::kill() {
  if (server_ < 0) return;
  ::kill(server_, SIGQUIT); // "immediate": no checkpoint, recovery at the next start
  ::waitpid(server_, nullptr, 0);
  server_ = -1;
  log_reader_.join();
}

Result<void> PostgresFixture::restart() {
  kill();
  return launch();
}

PostgresFixture::~PostgresFixture() {
  kill();
  std::error_code ignored;
  if (!folder_.empty()) std::filesystem::remove_all(folder_, ignored);
}

std::string PostgresFixture::url(std::string const& database) const {
  return "postgresql://" + std::string(kServerUser) + "@/" + database + "?host=" + folder_.string() +
         "&port=" + std::to_string(port_);
}

std::string PostgresFixture::tcpUrl(std::string const& database) const {
  return "postgresql://" + std::string(kServerUser) + "@127.0.0.1:" + std::to_string(port_) + "/" + database;
}

Result<std::string> PostgresFixture::freshDatabase() {
  auto const name = "fresh_" + std::to_string(++databases_);
  TRY_VOID(ask("CREATE DATABASE " + name + " TEMPLATE template0"));
  return url(name);
}

Result<void> PostgresFixture::dropIdleDatabases() {
  TRY(idle, ask("SELECT datname FROM pg_database AS d WHERE datname LIKE 'fresh_%' AND NOT EXISTS "
                "(SELECT 1 FROM pg_stat_activity AS a WHERE a.datname = d.datname)"));
  for (auto const& name : idle) {
    TRY_VOID(ask("DROP DATABASE " + name));
  }
  return {};
}

// The first column of what the server answers, each row a text.
Result<std::vector<std::string>> PostgresFixture::ask(std::string const& sql) const {
  std::unique_ptr<PGconn, decltype(&PQfinish)> const connection(PQconnectdb(url().c_str()), &PQfinish);
  std::unique_ptr<PGresult, decltype(&PQclear)> const answer(PQexec(connection.get(), sql.c_str()), &PQclear);
  auto const status = PQresultStatus(answer.get());
  if (status != PGRES_COMMAND_OK && status != PGRES_TUPLES_OK)
    return setupError("the server refuses " + sql + ": " + PQerrorMessage(connection.get()));
  std::vector<std::string> values;
  for (int row = 0; row < PQntuples(answer.get()); ++row)
    values.emplace_back(PQgetvalue(answer.get(), row, 0));
  return values;
}

} // namespace garland::store
