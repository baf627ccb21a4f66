#include "plugins/calendar/caldav/testing/caldav_servers.h"

#include <arpa/inet.h>
#include <curl/curl.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <poll.h>
#include <spawn.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <stdexcept>

namespace garland::caldav::testing {
namespace {

constexpr auto user = "photographer";
constexpr auto secret = "correct horse battery";

[[noreturn]] void fail(std::string const& what) { throw std::runtime_error(what); }

void writeFile(std::string const& path, std::string const& text) {
  std::ofstream file(path);
  file << text;
  if (!file.flush()) fail("cannot write " + path);
}

sockaddr_in loopback(int port) {
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(static_cast<std::uint16_t>(port));
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  return address;
}

int freePort() {
  int const socket_fd = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (socket_fd < 0) fail("cannot make a socket");
  auto address = loopback(0);
  socklen_t size = sizeof address;
  auto* const generic = reinterpret_cast<sockaddr*>(&address);
  bool const bound = ::bind(socket_fd, generic, size) == 0 && ::getsockname(socket_fd, generic, &size) == 0;
  ::close(socket_fd);
  if (!bound) fail("there is no free loopback port");
  return ntohs(address.sin_port);
}

std::string radicaleConfig(std::string const& folder, int port) {
  return "[server]\nhosts = 127.0.0.1:" + std::to_string(port) +
         "\n[auth]\ntype = htpasswd\nhtpasswd_filename = " + folder +
         "/users\nhtpasswd_encryption = plain\ndelay = 0\n[rights]\ntype = "
         "owner_only\n[storage]\nfilesystem_folder = " +
         folder + "/data\n[logging]\nlevel = warning\n";
}

std::size_t takeBody(char* data, std::size_t size, std::size_t count, void* into) {
  static_cast<std::string*>(into)->append(data, size * count);
  return size * count;
}

std::size_t takeHeader(char* data, std::size_t size, std::size_t count, void* into) {
  std::string line(data, size * count);
  auto& headers = *static_cast<HeaderList*>(into);
  if (line.starts_with("HTTP/")) headers.clear(); // of the answer before a redirect
  while (!line.empty() && (line.back() == '\r' || line.back() == '\n')) line.pop_back();
  auto const colon = line.find(':');
  if (colon == std::string::npos) return size * count;
  auto key = line.substr(0, colon);
  std::transform(key.begin(), key.end(), key.begin(),
                 [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  auto const value = line.find_first_not_of(' ', colon + 1);
  headers.emplace_back(key, value == std::string::npos ? "" : line.substr(value));
  return size * count;
}

} // namespace

std::string_view name(ServerKind kind) { return kind == ServerKind::radicale ? "Radicale" : "Xandikos"; }

std::string HttpAnswer::header(std::string_view name) const {
  for (auto const& [key, value] : headers)
    if (key == name) return value;
  return {};
}

HttpAnswer http(std::string const& method, std::string const& url, HeaderList const& headers,
                std::string const& body, std::string const& username, std::string const& password) {
  HttpAnswer answer;
  CURL* const curl = curl_easy_init();
  curl_slist* lines = nullptr;
  for (auto const& [key, value] : headers) lines = curl_slist_append(lines, (key + ": " + value).c_str());
  lines = curl_slist_append(lines, "Expect:");
  curl_easy_setopt(curl, CURLOPT_URL, url.c_str());
  curl_easy_setopt(curl, CURLOPT_CUSTOMREQUEST, method.c_str());
  curl_easy_setopt(curl, CURLOPT_HTTPHEADER, lines);
  curl_easy_setopt(curl, CURLOPT_FOLLOWLOCATION, 1L);
  curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L);
  curl_easy_setopt(curl, CURLOPT_TIMEOUT, 60L);
  if (!body.empty()) {
    curl_easy_setopt(curl, CURLOPT_POSTFIELDS, body.data());
    curl_easy_setopt(curl, CURLOPT_POSTFIELDSIZE_LARGE, static_cast<curl_off_t>(body.size()));
  }
  if (!username.empty()) {
    curl_easy_setopt(curl, CURLOPT_USERNAME, username.c_str());
    curl_easy_setopt(curl, CURLOPT_PASSWORD, password.c_str());
  }
  curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, &takeBody);
  curl_easy_setopt(curl, CURLOPT_WRITEDATA, &answer.body);
  curl_easy_setopt(curl, CURLOPT_HEADERFUNCTION, &takeHeader);
  curl_easy_setopt(curl, CURLOPT_HEADERDATA, &answer.headers);
  auto const code = curl_easy_perform(curl);
  long status = 0;
  curl_easy_getinfo(curl, CURLINFO_RESPONSE_CODE, &status);
  if (code == CURLE_OK)
    answer.status = static_cast<int>(status);
  else
    answer.error = curl_easy_strerror(code);
  curl_slist_free_all(lines);
  curl_easy_cleanup(curl);
  return answer;
}

std::unique_ptr<CaldavServer> CaldavServer::start(ServerKind kind) {
  std::string folder = (std::filesystem::temp_directory_path() / "garland-caldav-XXXXXX").string();
  if (::mkdtemp(folder.data()) == nullptr)
    fail("cannot make a folder for the server: " + std::string(std::strerror(errno)));
  std::unique_ptr<CaldavServer> server(new CaldavServer(kind, folder));
  if (kind == ServerKind::radicale) writeFile(folder + "/users", std::string(user) + ":" + secret + "\n");
  // Between finding a free port and using it another program may take it.
  for (int attempt = 0;; ++attempt) {
    server->port_ = freePort();
    try {
      server->launch();
      return server;
    } catch (std::runtime_error const&) {
      if (attempt == 2) throw;
    }
  }
}

CaldavServer::~CaldavServer() {
  end(SIGTERM);
  std::error_code ignored;
  std::filesystem::remove_all(folder_, ignored);
}

std::string CaldavServer::username() const { return kind_ == ServerKind::radicale ? user : ""; }
std::string CaldavServer::password() const { return kind_ == ServerKind::radicale ? secret : ""; }

std::vector<std::string> CaldavServer::commandLine() const {
  if (kind_ == ServerKind::radicale) return {"radicale", "--config", folder_ + "/config"};
  return {"xandikos",         "--directory", folder_ + "/data", "--defaults",
          "--listen-address", "127.0.0.1",   "--port",          std::to_string(port_)};
}

void CaldavServer::launch() {
  if (kind_ == ServerKind::radicale) writeFile(folder_ + "/config", radicaleConfig(folder_, port_));
  auto const words = commandLine();
  std::vector<char*> arguments;
  for (auto const& word : words) arguments.push_back(const_cast<char*>(word.c_str()));
  arguments.push_back(nullptr);
  auto const log = folder_ + "/output";
  pid_ = ::fork();
  if (pid_ < 0) fail("cannot start another process");
  if (pid_ == 0) {
    ::prctl(PR_SET_PDEATHSIG, SIGKILL); // a test that dies leaves no server behind
    int const output = ::open(log.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    if (output < 0 || ::dup2(output, 1) < 0 || ::dup2(output, 2) < 0) ::_exit(126);
    ::execvp(arguments[0], arguments.data());
    ::_exit(127);
  }
  for (int tries = 0; tries < 600; ++tries) {
    if (answers()) return;
    int status = 0;
    if (::waitpid(pid_, &status, WNOHANG) == pid_) {
      pid_ = -1;
      fail(words[0] + " ended at once: " + output());
    }
    ::poll(nullptr, 0, 50);
  }
  end(SIGKILL);
  fail(words[0] + " did not answer within 30 s: " + output());
}

bool CaldavServer::answers() const {
  int const socket_fd = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (socket_fd < 0) return false;
  auto address = loopback(port_);
  bool const connected = ::connect(socket_fd, reinterpret_cast<sockaddr*>(&address), sizeof address) == 0;
  ::close(socket_fd);
  return connected;
}

std::string CaldavServer::output() const {
  std::ifstream file(folder_ + "/output");
  return {std::istreambuf_iterator<char>(file), {}};
}

void CaldavServer::end(int signal) {
  if (pid_ <= 0) return;
  ::kill(pid_, signal);
  int status = 0;
  for (int tries = 0; tries < 100; ++tries) {
    if (::waitpid(pid_, &status, WNOHANG) == pid_) {
      pid_ = -1;
      return;
    }
    ::poll(nullptr, 0, 50);
  }
  ::kill(pid_, SIGKILL);
  ::waitpid(pid_, &status, 0);
  pid_ = -1;
}

void CaldavServer::stop() { end(SIGTERM); }
void CaldavServer::kill() { end(SIGKILL); }

void CaldavServer::restart() {
  end(SIGTERM);
  launch();
}

HttpAnswer CaldavServer::send(std::string const& method, std::string const& url, HeaderList const& headers,
                              std::string const& body) {
  return http(method, url, headers, body, username(), password());
}

std::string CaldavServer::makeCalendar(std::string const& name) {
  auto const home = url() + (kind_ == ServerKind::radicale ? std::string(user) + "/" : "user/calendars/");
  auto const calendar = home + name + "/";
  auto const answer = send("MKCALENDAR", calendar);
  if (answer.status != 201)
    fail("MKCALENDAR " + calendar + " was answered with " + std::to_string(answer.status) + " " +
         answer.body + output());
  return calendar;
}

std::string CaldavServer::put(std::string const& calendar, std::string const& file, std::string const& ics) {
  auto const place = calendar + file;
  auto const answer = send("PUT", place, {{"Content-Type", "text/calendar; charset=utf-8"}}, ics);
  if (answer.status < 200 || answer.status > 204)
    fail("PUT " + place + " was answered with " + std::to_string(answer.status) + " " + answer.body);
  return place;
}

void CaldavServer::fill(std::string const& calendar,
                        std::vector<std::pair<std::string, std::string>> const& items) {
  bool const radicale = kind_ == ServerKind::radicale;
  auto const path = calendar.substr(url().size());
  auto const folder = folder_ + (radicale ? "/data/collection-root/" : "/data/") + path;
  end(SIGTERM);
  for (auto const& [uid, text] : items) writeFile(folder + uid + ".ics", text);
  auto const commit = "cd '" + folder +
                      "' && git add . && git -c user.name=test -c user.email=test@example.com "
                      "commit -q -m 'Fill' >/dev/null 2>&1";
  if (!radicale && std::system(commit.c_str()) != 0) fail("git could not store the events of " + folder);
  launch();
}

std::string CaldavServer::get(std::string const& url) {
  auto const answer = send("GET", url);
  if (answer.status != 200) fail("GET " + url + " was answered with " + std::to_string(answer.status));
  return answer.body;
}

void CaldavServer::remove(std::string const& url) {
  auto const answer = send("DELETE", url);
  if (answer.status < 200 || answer.status > 204)
    fail("DELETE " + url + " was answered with " + std::to_string(answer.status));
}

} // namespace garland::caldav::testing
