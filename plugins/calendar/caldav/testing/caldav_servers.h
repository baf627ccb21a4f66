// Real CalDAV servers for tests: Debian's Radicale and Xandikos, each on a free loopback port over a
// folder of its own. Only for tests; the connector itself is in the folder above.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <sys/types.h>
#include <utility>
#include <vector>

namespace garland::caldav::testing {

enum class ServerKind { radicale, xandikos };
std::string_view name(ServerKind kind);

using HeaderList = std::vector<std::pair<std::string, std::string>>;

struct HttpAnswer {
  int status = 0;     // 0: no answer; `error` says why
  HeaderList headers; // names in lower case
  std::string body;
  std::string error;

  std::string header(std::string_view name) const;
};

// One request, redirects followed; no user name: anonymous.
HttpAnswer http(std::string const& method, std::string const& url, HeaderList const& headers = {},
                std::string const& body = {}, std::string const& username = {},
                std::string const& password = {});

class CaldavServer {
public:
  // Ready when it returns; std::runtime_error says what went wrong, with the server's own words.
  // Radicale asks for a password, Xandikos for none.
  static std::unique_ptr<CaldavServer> start(ServerKind kind);
  ~CaldavServer(); // ends the server and removes its folder
  CaldavServer(CaldavServer const&) = delete;
  CaldavServer& operator=(CaldavServer const&) = delete;

  std::string url() const { return "http://127.0.0.1:" + std::to_string(port_) + "/"; }
  std::string username() const;
  std::string password() const;
  pid_t pid() const { return pid_; }

  void stop();    // SIGTERM, and waits
  void kill();    // SIGKILL, and waits
  void restart(); // on the same port, with the same data

  // As another client of the same account would; std::runtime_error if the server refuses.
  std::string makeCalendar(std::string const& name);                                             // its URL
  std::string put(std::string const& calendar, std::string const& file, std::string const& ics); // URL
  // Many at once, straight into the server's store, which takes seconds where put() takes minutes:
  // (file name without ".ics" = UID, text) pairs into an empty calendar. The server is restarted.
  void fill(std::string const& calendar, std::vector<std::pair<std::string, std::string>> const& items);
  std::string get(std::string const& url);
  void remove(std::string const& url);
  HttpAnswer send(std::string const& method, std::string const& url, HeaderList const& headers = {},
                  std::string const& body = {});

private:
  CaldavServer(ServerKind kind, std::string folder) : kind_(kind), folder_(std::move(folder)) {}
  void launch();
  std::vector<std::string> commandLine() const;
  void end(int signal);
  bool answers() const;
  std::string output() const;

  ServerKind kind_;
  std::string folder_;
  int port_ = 0;
  pid_t pid_ = -1;
};

} // namespace garland::caldav::testing
