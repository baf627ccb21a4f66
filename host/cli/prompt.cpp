#include "host/cli/prompt.h"

#include <fcntl.h>
#include <termios.h>
#include <unistd.h>

namespace garland::cli {
namespace {

// Byte by byte: what follows the line is not ours to take.
Secret readLine(int from) {
  std::string text;
  text.reserve(4096); // no reallocation leaves a copy behind
  char c = 0;
  while (text.size() < 4096 && ::read(from, &c, 1) == 1 && c != '\n')
    if (c != '\r') text += c;
  return Secret(std::move(text));
}

} // namespace

Result<Secret> askSecret(std::string const& question, std::string const& option) {
  bool const is_passphrase = option == kPassphraseFile;
  std::string const what = option == kSecretStdin ? "secret" : is_passphrase ? "passphrase" : "password";
  std::string const instead = is_passphrase ? "name a file with it: " : "pipe it in and add ";
  int const terminal = ::open("/dev/tty", O_RDWR | O_CLOEXEC);
  if (terminal < 0)
    return Error(ErrorKind::invalidInput,
                 "there is no terminal to ask for the " + what + " on; " + instead + option);
  auto const written = ::write(terminal, question.data(), question.size());
  termios shown{};
  ::tcgetattr(terminal, &shown);
  termios hidden = shown;
  hidden.c_lflag &= ~static_cast<tcflag_t>(ECHO);
  ::tcsetattr(terminal, TCSAFLUSH, &hidden);
  auto secret = readLine(terminal);
  ::tcsetattr(terminal, TCSAFLUSH, &shown);
  auto const ended = ::write(terminal, "\n", 1);
  ::close(terminal);
  if (written < 0 || ended < 0 || secret.empty())
    return Error(ErrorKind::invalidInput, "no " + what + " was typed");
  return secret;
}

Result<Secret> secretFromStdin() {
  auto secret = readLine(STDIN_FILENO);
  if (secret.empty())
    return Error(ErrorKind::invalidInput, "standard input is empty; its first line is taken");
  return secret;
}

Result<Secret> secretFromDescriptor(int descriptor) {
  auto secret = readLine(descriptor);
  if (!secret.empty()) return secret;
  return Error(ErrorKind::invalidInput, "nothing can be read from descriptor " + std::to_string(descriptor) +
                                            "; its first line is taken");
}

Result<Secret> secretFromFile(std::string const& path) {
  int const file = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (file < 0) return Error(ErrorKind::notFound, "the file " + path + " cannot be read");
  auto secret = readLine(file);
  ::close(file);
  if (secret.empty())
    return Error(ErrorKind::invalidInput, "the file " + path + " is empty; its first line is taken");
  return secret;
}

} // namespace garland::cli
