#include "host/cli/named_file.h"

#include "host/base/file_text.h"

#include <fstream>

namespace garland::cli {
namespace {

std::string const kStandardInput = "/dev/stdin";

} // namespace

std::string shownFile(std::string const& file) { return file == "-" ? "standard input" : file; }

Result<std::string> readNamedFile(std::string const& file) {
  auto text = readFileText(file == "-" ? kStandardInput : file);
  if (text) return text;
  auto sentence = text.error().message;
  if (auto const at = sentence.find(kStandardInput); file == "-" && at != std::string::npos)
    sentence.replace(at, kStandardInput.size(), shownFile(file));
  return Error(ErrorKind::invalidInput, std::move(sentence));
}

Result<void> writeNamedFile(Output& output, std::string const& file, std::string const& text) {
  if (file == "-") {
    if (output.bytes(text)) return {};
    return Error(ErrorKind::invalidInput, "standard output cannot be written");
  }
  std::ofstream opened(file, std::ios::binary | std::ios::trunc);
  opened << text << std::flush;
  if (opened) return {};
  return Error(ErrorKind::invalidInput, file + " cannot be written");
}

} // namespace garland::cli
