// A backup is made by the daemon, in its data folder, and moved from there; garlandd makes a host of one, by
// itself, while no daemon runs.
#include "host/backup/backup.h"
#include "host/base/random.h"
#include "host/cli/commands.h"
#include "host/cli/exports.h"
#include "host/cli/own_folder.h"
#include "host/cli/prompt.h"
#include "host/vault/vault.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <filesystem>
#include <vector>

namespace garland::cli {
namespace {

namespace fs = std::filesystem;

Result<Secret> given(BackupWords const& words) {
  if (!words.passphrase_file.empty()) return secretFromFile(words.passphrase_file);
  if (words.passphrase_fd >= 0) return secretFromDescriptor(words.passphrase_fd);
  return askSecret("Passphrase of the backup: ", kPassphraseFile);
}

bool isGiven(BackupWords const& words) { return !words.passphrase_file.empty() || words.passphrase_fd >= 0; }

Result<Secret> chosen(BackupWords const& words) {
  TRY(first, given(words));
  if (isGiven(words)) return first;
  TRY(second, given(words));
  if (vault::equalInConstantTime(first.reveal(), second.reveal())) return first;
  return Error(ErrorKind::invalidInput, "the two passphrases differ");
}

Error isThere(std::string const& file) {
  return {ErrorKind::conflict, file + " is there already, and is not overwritten"};
}

// Of a file, or of a folder and the names in it.
bool makeDurable(fs::path const& path) {
  int const fd = ::open(path.empty() ? "." : path.c_str(), O_RDONLY | O_CLOEXEC);
  bool const kept = fd >= 0 && ::fsync(fd) == 0;
  if (fd >= 0) ::close(fd);
  return kept;
}

// It may be larger than memory. On another disk it is copied, and has its name when it is whole; the original
// goes when the copy is durable.
Result<void> moveBackup(std::string const& from, std::string const& to) {
  std::error_code failed;
  if (fs::exists(to, failed)) return isThere(to);
  fs::rename(from, to, failed);
  if (!failed) return {};
  auto const fresh = to + ".new";
  fs::copy_file(from, fresh, fs::copy_options::overwrite_existing, failed);
  if (!failed && !makeDurable(fresh)) failed = std::error_code(errno, std::generic_category());
  if (!failed) fs::rename(fresh, to, failed);
  if (failed) {
    std::error_code ignored;
    fs::remove(fresh, ignored);
    return Error(ErrorKind::hostLimit, "the backup stays in " + from + ", because " + to +
                                           " cannot be written: " + failed.message());
  }
  TRY_VOID(backup::verify(to));
  if (makeDurable(fs::path(to).parent_path())) fs::remove(from, failed);
  return {};
}

Result<backup::Manifest> verified(BackupWords const& words) {
  TRY(manifest, backup::verify(words.file));
  if (!isGiven(words)) return manifest;
  TRY(passphrase, given(words));
  TRY(sealed, backup::readPrivate(words.file));
  SystemRandom random;
  TRY_VOID(backup::openPrivate(sealed, manifest, passphrase, random));
  return manifest;
}

// What is written to it is read from its begin by who has it open next.
Result<int> handOver(Secret const& passphrase) {
  int const fd = ::memfd_create("passphrase", 0); // open after exec
  auto const text = passphrase.reveal();
  bool const written = fd >= 0 &&
                       ::write(fd, text.data(), text.size()) == static_cast<ssize_t>(text.size()) &&
                       ::lseek(fd, 0, SEEK_SET) == 0;
  if (written) return fd;
  return Error(ErrorKind::hostLimit,
               std::string("the passphrase cannot be handed over: ") + std::strerror(errno));
}

} // namespace

Exit makeBackup(Context with, Place const& place, BackupWords const& words) {
  std::error_code ignored;
  if (words.file.empty())
    return with.output.error(Error(ErrorKind::invalidInput, "name the file: garland backup FILE"));
  if (fs::exists(words.file, ignored)) return with.output.error(isThere(words.file));
  auto const folder = exportsFolder(place);
  if (!folder) return with.output.error(folder.error());
  auto const passphrase = chosen(words);
  if (!passphrase) return with.output.error(passphrase.error());
  auto const answer =
      with.client.post("/api/integrations/backup", json::object{{"passphrase", passphrase->reveal()}});
  if (!answer) return with.output.error(answer.error());
  auto const made = *folder + "/" + textOr(*answer, "/file", "");
  if (auto const moved = moveBackup(made, words.file); !moved) return with.output.error(moved.error());
  if (with.output.json())
    with.output.value(json::object{{"file", words.file}, {"id", textOr(*answer, "/file", "")}});
  else
    with.output.line("made " + words.file + "; keep the passphrase and the master key apart from it");
  return Exit::ok;
}

Exit verifyBackup(Output& output, BackupWords const& words) {
  auto const manifest = verified(words);
  if (!manifest) {
    output.error(manifest.error());
    return manifest.error().kind == ErrorKind::notFound ? Exit::usage : Exit::findings;
  }
  if (output.json()) {
    output.value(backup::toJson(*manifest));
    return Exit::ok;
  }
  output.line(words.file + " is whole: " + manifest->id + " of " + rfc3339(manifest->made) + ", Garland " +
              manifest->version + ", " + manifest->driver + ", " + std::to_string(manifest->members.size()) +
              " members");
  output.line(isGiven(words) ? "nobody without the passphrase has changed it"
                             : "whether somebody has changed it is known with its passphrase only "
                               "(--passphrase-file)");
  return Exit::ok;
}

Exit restoreBackup(Output& output, BackupWords const& words) {
  auto const passphrase = given(words);
  if (!passphrase) return output.error(passphrase.error());
  auto const fd = handOver(*passphrase);
  if (!fd) return output.error(fd.error());
  auto const program = (programFolder() / "garlandd").string();
  std::vector<std::string> arguments{program, "--restore", words.file, "--passphrase-fd",
                                     std::to_string(*fd)};
  if (!words.data_dir.empty()) arguments.insert(arguments.end(), {"--data-dir", words.data_dir});
  if (!words.config.empty()) arguments.insert(arguments.end(), {"--config", words.config});
  if (!words.database.empty()) arguments.insert(arguments.end(), {"--database", words.database});
  if (output.json()) arguments.emplace_back("--json");
  std::vector<char*> argv;
  for (auto& argument : arguments) argv.push_back(argument.data());
  argv.push_back(nullptr);
  ::execv(program.c_str(), argv.data());
  return output.error(Error(ErrorKind::notFound, program + " cannot be run: is Garland installed whole?"));
}

} // namespace garland::cli
