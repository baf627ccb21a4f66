#include "host/runtime/test_worker.h"
#include "tests/places/places.h"

#include <array>
#include <chrono>
#include <csignal>
#include <fcntl.h>
#include <fstream>
#include <iterator>
#include <poll.h>
#include <spawn.h>
#include <stdexcept>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <thread>
#include <unistd.h>

namespace garland::runtime {
namespace {

constexpr int kPatienceMs = 30'000;

std::string pathOf(std::string_view plugin) {
  if (plugin.starts_with('/')) return std::string(plugin);
  return inBuild("/tests/plugins/") + std::string(plugin) + ".so";
}

int sealedCopy(std::string const& path) {
  std::ifstream file(path, std::ios::binary);
  if (!file) throw std::runtime_error("cannot read " + path);
  std::string const bytes((std::istreambuf_iterator<char>(file)), {});
  int const copy = ::memfd_create("plugin", MFD_CLOEXEC | MFD_ALLOW_SEALING);
  if (::write(copy, bytes.data(), bytes.size()) != static_cast<ssize_t>(bytes.size()))
    throw std::runtime_error("cannot copy " + path);
  ::fcntl(copy, F_ADD_SEALS, F_SEAL_WRITE | F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_SEAL);
  return copy;
}

std::vector<std::string> commandLine(std::vector<std::string> arguments, std::vector<std::string> without) {
  std::vector<std::string> words;
  if (!without.empty()) {
    words = std::move(without);
    words.insert(words.begin(), inBuild("/tests/without"));
    words.emplace_back("--");
  }
  words.emplace_back(inBuild("/bin/garland-worker"));
  words.insert(words.end(), arguments.begin(), arguments.end());
  return words;
}

// Out of the way of the numbers that the child gets.
int high(int fd) {
  int const moved = ::fcntl(fd, F_DUPFD_CLOEXEC, 64);
  ::close(fd);
  return moved;
}

} // namespace

TestWorker::TestWorker(std::string_view plugin, std::vector<std::string> arguments,
                       std::vector<std::string> without) {
  std::array<int, 2> pair{};
  std::array<int, 2> pipe{};
  if (::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair.data()) != 0 ||
      ::pipe2(pipe.data(), O_CLOEXEC) != 0)
    throw std::runtime_error("no descriptors");
  socket_ = pair[0];
  printed_ = pipe[0];
  ::fcntl(printed_, F_SETFL, O_NONBLOCK);
  int const page = ::memfd_create("flight", MFD_CLOEXEC);
  if (::ftruncate(page, wire::kFlightPageBytes) != 0) throw std::runtime_error("no flight page");
  flight_ =
      static_cast<wire::FlightPage*>(::mmap(nullptr, wire::kFlightPageBytes, PROT_READ, MAP_SHARED, page, 0));

  std::array<int, 6> const sources = {
      high(::open("/dev/null", O_RDONLY)), high(pipe[1]), -1, high(pair[1]), high(page),
      high(sealedCopy(pathOf(plugin)))};
  posix_spawn_file_actions_t actions;
  ::posix_spawn_file_actions_init(&actions);
  for (int fd = 0; fd < 6; ++fd) {
    auto const source = sources[static_cast<std::size_t>(fd == 2 ? 1 : fd)];
    ::posix_spawn_file_actions_adddup2(&actions, source, fd);
  }
  auto command = commandLine(std::move(arguments), std::move(without));
  std::vector<char*> argv;
  for (auto& word : command) argv.push_back(word.data());
  argv.push_back(nullptr);
  char* const environment = nullptr;
  int const failed =
      ::posix_spawn(&pid_, argv[0], &actions, nullptr, argv.data(), const_cast<char**>(&environment));
  ::posix_spawn_file_actions_destroy(&actions);
  for (int const source : sources)
    if (source >= 0) ::close(source);
  if (failed != 0) throw std::runtime_error("cannot start " + command[0]);
}

TestWorker::~TestWorker() {
  closeSocket();
  if (pid_ > 0) {
    ::kill(pid_, SIGKILL);
    ::waitpid(pid_, nullptr, 0);
  }
  ::close(printed_);
  ::munmap(flight_, wire::kFlightPageBytes);
}

void TestWorker::closeSocket() {
  if (socket_ >= 0) ::close(std::exchange(socket_, -1));
}

std::optional<Received> TestWorker::receive() {
  while (true) {
    auto message = decoder_.next();
    if (!message) return std::nullopt;
    if (*message) return Received{(*message)->kind, (*message)->id, std::string((*message)->payload)};
    pollfd wanted{socket_, POLLIN, 0};
    if (::poll(&wanted, 1, kPatienceMs) != 1) return std::nullopt;
    std::array<char, 65536> bytes;
    auto const got = ::recv(socket_, bytes.data(), bytes.size(), 0);
    if (got <= 0) return std::nullopt;
    decoder_.feed({bytes.data(), static_cast<std::size_t>(got)});
  }
}

std::optional<Received> TestWorker::receive(wire::Kind kind) {
  while (auto message = receive()) {
    if (message->kind == kind) return message;
    passed.push_back(std::move(*message));
  }
  return std::nullopt;
}

void TestWorker::send(wire::Kind kind, std::uint64_t id) {
  std::string bytes;
  wire::appendMessage(bytes, kind, id, {});
  sendBytes(bytes);
}

void TestWorker::sendBytes(std::string_view bytes) {
  while (!bytes.empty()) {
    auto const sent = ::send(socket_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
    if (sent <= 0) return;
    bytes.remove_prefix(static_cast<std::size_t>(sent));
  }
}

std::optional<wire::Hello> TestWorker::start(wire::Config const& config) {
  send(wire::Kind::config, 0, config);
  sandbox = receiveAs<wire::Closed>(wire::Kind::closed);
  return receiveAs<wire::Hello>(wire::Kind::hello);
}

void TestWorker::call(std::uint64_t id, std::string operation, std::string input, std::string account) {
  wire::Call call;
  call.operation = std::move(operation);
  call.account_id = account;
  call.account = std::move(account);
  call.input = std::move(input);
  call.deadline_ms = 60'000;
  send(wire::Kind::call, id, call);
}

std::optional<wire::Done> TestWorker::run(std::string operation, std::string input, std::string account) {
  call(++next_call_, std::move(operation), std::move(input), std::move(account));
  return receiveAs<wire::Done>(wire::Kind::done);
}

int TestWorker::waitExit() {
  for (int turn = 0; turn < kPatienceMs; ++turn) {
    int status = 0;
    if (::waitpid(pid_, &status, WNOHANG) == pid_) {
      pid_ = -1;
      return status;
    }
    std::this_thread::sleep_for(std::chrono::milliseconds(1));
  }
  return -1;
}

std::string TestWorker::output() {
  std::string text;
  std::array<char, 4096> bytes;
  for (ssize_t got = 0; (got = ::read(printed_, bytes.data(), bytes.size())) > 0;)
    text.append(bytes.data(), static_cast<std::size_t>(got));
  return text;
}

} // namespace garland::runtime
