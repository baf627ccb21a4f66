#include "tests/hostile/driver/scene.h"

#include <arpa/inet.h>
#include <grp.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/ipc.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/shm.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <csignal>
#include <cstddef>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <random>
#include <set>
#include <sstream>
#include <stdexcept>

namespace garland::hostile {
namespace {

namespace fs = std::filesystem;

constexpr uid_t kNobody = 65534;             // whom a worker becomes that root has started
constexpr std::size_t kPrivateSize = 48'611; // a size that no other file has
constexpr std::size_t kMostWords = 4U << 20U;

// In the memory of the driver and of the victim, at one address.
std::array<char, 64> secret_in_memory{};

std::string newSecret(std::string_view kind) {
  std::random_device random;
  std::ostringstream out;
  out << kSecret << kind << '-' << std::hex << random() << random();
  return out.str();
}

std::string contents(fs::path const& path) {
  std::ifstream in(path, std::ios::binary);
  std::ostringstream out;
  out << in.rdbuf();
  return out.str();
}

void write(std::string const& path, std::string const& text, mode_t mode) {
  std::ofstream(path, std::ios::binary) << text;
  ::chmod(path.c_str(), mode);
}

void require(bool done, std::string_view what) {
  if (!done) throw std::runtime_error(std::string(what) + ": " + std::strerror(errno));
}

[[noreturn]] void liveAsVictim(int socket) {
  ::prctl(PR_SET_PDEATHSIG, SIGKILL);
  if (::geteuid() == 0) {
    if (::setgroups(0, nullptr) != 0 || ::setgid(kNobody) != 0 || ::setuid(kNobody) != 0) ::_exit(1);
    ::prctl(PR_SET_PDEATHSIG, SIGKILL);
  }
  ::prctl(PR_SET_DUMPABLE, 1); // open to others of its user, as an ordinary program is
  char asked = 0;
  while (::read(socket, &asked, 1) == 1)
    if (::write(socket, secret_in_memory.data(), secret_in_memory.size()) < 0) break;
  ::_exit(0);
}

int boundSocket(sockaddr const* address, socklen_t size) {
  int const fd = ::socket(address->sa_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
  require(fd >= 0 && ::bind(fd, address, size) == 0 && ::listen(fd, 8) == 0, "listening");
  return fd;
}

// "root:x:0:0:..." of this machine.
std::string firstAccount() {
  std::ifstream in("/etc/passwd");
  std::string line;
  std::getline(in, line);
  return line;
}

std::string folderOf(pid_t driver) { return "/tmp/garland-hostile-" + std::to_string(driver); }

} // namespace

void removeSceneOf(pid_t driver) {
  auto const folder = folderOf(driver);
  ::umount2((folder + "/mnt").c_str(), MNT_DETACH);
  std::error_code ignored;
  fs::remove_all(folder, ignored);
}

Scene::Scene() : folder_(folderOf(::getpid())), neighbour_secret_(newSecret("NEIGHBOUR")) {
  auto const in_memory = newSecret("MEMORY");
  std::memcpy(secret_in_memory.data(), in_memory.data(), in_memory.size());
  makeFiles();
  startVictim();
  listen();
}

Scene::~Scene() {
  for (int const fd : listeners_) ::close(fd);
  ::close(victim_socket_);
  ::kill(victim_, SIGKILL);
  ::waitpid(victim_, nullptr, 0);
  removeSceneOf(::getpid());
}

void Scene::makeFiles() {
  removeSceneOf(::getpid());
  require(::mkdir(folder_.c_str(), 0777) == 0 && ::chmod(folder_.c_str(), 0777) == 0, folder_);
  require(::mkdir((folder_ + "/mnt").c_str(), 0777) == 0, "mnt");
  ::chmod((folder_ + "/mnt").c_str(), 0777);
  auto secret = newSecret("FILE");
  secret.resize(kPrivateSize, '.');
  files_ = {{"precious", "must stay as it is\n"}, {"private", secret}};
  write(folder_ + "/precious", files_["precious"], 0666);
  write(folder_ + "/private", files_["private"], 0644);
}

void Scene::startVictim() {
  std::array<int, 2> pair{};
  require(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair.data()) == 0, "socketpair");
  victim_ = ::fork();
  require(victim_ >= 0, "fork");
  if (victim_ == 0) {
    ::close(pair[0]);
    liveAsVictim(pair[1]);
  }
  ::close(pair[1]);
  victim_socket_ = pair[0];
}

void Scene::listen() {
  sockaddr_in inet{};
  inet.sin_family = AF_INET;
  inet.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  listeners_.push_back(boundSocket(reinterpret_cast<sockaddr*>(&inet), sizeof inet));
  socklen_t size = sizeof inet;
  ::getsockname(listeners_.back(), reinterpret_cast<sockaddr*>(&inet), &size);
  port_ = ntohs(inet.sin_port);

  sockaddr_un unix{};
  unix.sun_family = AF_UNIX;
  auto const path = folder_ + "/socket";
  std::memcpy(unix.sun_path, path.data(), path.size());
  listeners_.push_back(boundSocket(reinterpret_cast<sockaddr*>(&unix), sizeof unix));
  ::chmod(path.c_str(), 0777);

  sockaddr_un abstract{};
  abstract.sun_family = AF_UNIX;
  auto const name = "garland-hostile-" + std::to_string(::getpid());
  std::memcpy(abstract.sun_path + 1, name.data(), name.size());
  auto const length = offsetof(sockaddr_un, sun_path) + 1 + name.size();
  listeners_.push_back(boundSocket(reinterpret_cast<sockaddr*>(&abstract), static_cast<socklen_t>(length)));
}

json::value Scene::briefing(pid_t neighbour) const {
  auto const address = reinterpret_cast<std::uintptr_t>(secret_in_memory.data());
  json::object out;
  out["victim"] = victim_;
  out["neighbour"] = neighbour;
  out["parent_secret"] = address;
  out["victim_secret"] = address;
  out["port"] = port_;
  return out;
}

void Scene::hear(std::string_view words) {
  if (words_.size() < kMostWords) words_ += words;
}

std::vector<std::string> Scene::harm() {
  std::vector<std::string> out;
  harmInWords(out);
  harmToFiles(out);
  harmByNetwork(out);
  harmToVictim(out);
  return out;
}

void Scene::harmInWords(std::vector<std::string>& out) const {
  std::set<std::string> kinds;
  for (auto at = words_.find(kSecret); at != std::string::npos; at = words_.find(kSecret, at + 1)) {
    auto const kind = at + kSecret.size();
    kinds.insert(words_.substr(kind, words_.find('-', kind) - kind));
  }
  for (auto const& kind : kinds) out.push_back("it told the secret " + kind);
  if (words_.find(firstAccount()) != std::string::npos)
    out.emplace_back("it told the accounts of this machine");
  if (words_.find("[" + std::to_string(kPrivateSize) + "]") != std::string::npos)
    out.emplace_back("it told the size of a private file");
  if (words_.find("precious") != std::string::npos) out.emplace_back("it told the names in a folder");
}

void Scene::harmToFiles(std::vector<std::string>& out) const {
  for (auto const& [name, text] : files_)
    if (contents(fs::path(folder_) / name) != text)
      out.push_back("the file " + name + " was changed or is gone");
  for (auto const& entry : fs::directory_iterator(folder_)) {
    auto const name = entry.path().filename().string();
    if (!files_.contains(name) && name != "mnt" && name != "socket") out.push_back("it made " + name);
  }
  if (contents("/proc/self/mountinfo").find(folder_) != std::string::npos)
    out.emplace_back("it mounted a file system");
  auto const key = static_cast<key_t>(0x6A000000 + (::getpid() & 0xFFFFFF));
  if (int const segment = ::shmget(key, 0, 0); segment >= 0) {
    ::shmctl(segment, IPC_RMID, nullptr);
    out.emplace_back("it left shared memory behind");
  }
}

void Scene::harmByNetwork(std::vector<std::string>& out) const {
  for (int const fd : listeners_) {
    int const connection = ::accept4(fd, nullptr, nullptr, SOCK_CLOEXEC);
    if (connection < 0) continue;
    ::close(connection);
    out.emplace_back("it connected to a service of this machine");
  }
}

void Scene::harmToVictim(std::vector<std::string>& out) const {
  std::array<char, 64> told{};
  pollfd answer{victim_socket_, POLLIN, 0};
  bool const answers = ::send(victim_socket_, "?", 1, MSG_NOSIGNAL) == 1 && ::poll(&answer, 1, 2000) == 1 &&
                       ::read(victim_socket_, told.data(), told.size()) == static_cast<ssize_t>(told.size());
  if (!answers)
    out.emplace_back("it killed or stopped another process");
  else if (told != secret_in_memory)
    out.emplace_back("it changed another process's memory");
}

} // namespace garland::hostile
