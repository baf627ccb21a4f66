#include "host/egress/test_dovecot.h"

#include "host/base/json.h"
#include "tests/places/places.h"

#include <array>
#include <cstdlib>
#include <fcntl.h>
#include <filesystem>
#include <fstream>
#include <stdexcept>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

namespace garland::egress::testing {
namespace {

namespace fs = std::filesystem;

std::string readLine(int from) {
  std::string line;
  char c = 0;
  while (::read(from, &c, 1) == 1 && c != '\n') line += c;
  return line;
}

} // namespace

TestDovecot::TestDovecot(std::string user, std::string password)
    : user_(std::move(user)), password_(std::move(password)) {
  std::string folder = fs::temp_directory_path() / "garland-imap-XXXXXX";
  if (::mkdtemp(folder.data()) == nullptr) throw std::runtime_error("no folder for dovecot");
  folder_ = folder;
  std::array<int, 2> in{}, out{};
  if (::pipe2(in.data(), O_CLOEXEC) != 0 || ::pipe2(out.data(), O_CLOEXEC) != 0)
    throw std::runtime_error("no pipe");
  std::string const program = inSources("/tests/end_to_end/dovecot");
  pid_ = ::fork();
  if (pid_ == 0) {
    ::dup2(in[0], 0);
    ::dup2(out[1], 1);
    ::execl(program.c_str(), program.c_str(), folder_.c_str(), user_.c_str(), password_.c_str(), nullptr);
    ::_exit(127);
  }
  ::close(in[0]);
  ::close(out[1]);
  input_ = in[1];
  auto const said = parseJson(readLine(out[0]));
  ::close(out[0]);
  if (!said) throw std::runtime_error("dovecot did not start: see above, or run tools/setup");
  imaps_ = static_cast<int>(integerOr(*said, "/imaps", 0));
  imap_ = static_cast<int>(integerOr(*said, "/imap", 0));
}

TestDovecot::~TestDovecot() {
  ::close(input_); // its sign to end
  int status = 0;
  ::waitpid(pid_, &status, 0);
  std::error_code ignored;
  fs::remove_all(folder_, ignored);
}

std::uint32_t TestDovecot::add(std::string const& mail) {
  auto const box = folder_ + "/mail/" + user_;
  auto const name = "/" + std::to_string(1'780'000'000 + ++added_) + ".M1P1.test";
  std::ofstream(box + "/tmp" + name, std::ios::binary) << mail;
  struct stat owner{};
  if (::stat(box.c_str(), &owner) != 0 ||
      ::chown((box + "/tmp" + name).c_str(), owner.st_uid, owner.st_gid) != 0)
    throw std::runtime_error("the mail was not put into the mailbox");
  fs::rename(box + "/tmp" + name, box + "/new" + name);
  return added_;
}

// A Maildir tells flags by the names of its files: "...:2,S".
bool TestDovecot::anyRead() const {
  for (auto const& entry : fs::recursive_directory_iterator(folder_ + "/mail")) {
    auto const name = entry.path().filename().string();
    auto const flags = name.find(":2,");
    if (entry.is_regular_file() && flags != std::string::npos && name.size() > flags + 3) return true;
  }
  return false;
}

} // namespace garland::egress::testing
