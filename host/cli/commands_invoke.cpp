// `garland invoke`: one operation of the connector in this folder, run once, against its twin.
#include "host/cli/commands.h"
#include "host/cli/own_folder.h"
#include "host/cli/rehearsed_lines.h"

namespace garland::cli {
namespace {

namespace fs = std::filesystem;
namespace cert = certification;

Result<std::vector<json::value>> inputsOf(cert::Rehearsal const& rehearsal, std::string const& operation,
                                          std::string const& file) {
  if (file.empty()) return rehearsal.inputs(operation);
  TRY(input, readJsonFile(file));
  return std::vector<json::value>{std::move(input)};
}

} // namespace

Result<cert::RehearsalOptions> rehearsalOptions(RehearsalWords const& words) {
  TRY(folder, connectorFolder(words.dir));
  std::error_code ignored;
  if (!fs::exists(folder.built() / "connector.so", ignored))
    return Error(ErrorKind::notFound,
                 folder.id + " is not built: there is no " + (folder.built() / "connector.so").string() +
                     "; run `cmake -B build && cmake --build build` in " + folder.folder.string());
  cert::RehearsalOptions options;
  options.path = folder.built().string();
  options.twin_dirs = {folder.twins().string()};
  options.worker = words.worker.empty() ? (programFolder() / "garland-worker").string() : words.worker;
  options.seed = words.seed;
  options.volume = words.volume;
  options.allow_degraded_sandbox = words.allow_degraded;
  return options;
}

Exit invokeOperation(Output& output, InvokeWords const& words) {
  if (!words.twin)
    return output.error(
        Error(ErrorKind::invalidInput,
              "garland invoke runs an operation against the connector's twin, and not against a "
              "provider: say so with --twin. Against recorded answers: garland dev run"));
  auto const options = rehearsalOptions(words.rehearsal);
  if (!options) return output.error(options.error());
  auto rehearsal = cert::Rehearsal::open(*options);
  if (!rehearsal) {
    auto const exit = output.error(rehearsal.error());
    return rehearsal.error().kind == ErrorKind::unsupported ? Exit::environment : exit;
  }
  auto const operation = rehearsal->operation(words.operation);
  if (!operation) return output.error(operation.error());
  auto const inputs = inputsOf(*rehearsal, *operation, words.input);
  if (!inputs) return output.error(inputs.error());
  bool all_well = true;
  json::array calls;
  for (auto const& input : *inputs) {
    auto const done = rehearsal->run(*operation, input);
    all_well = all_well && done.result.has_value();
    if (output.json())
      calls.push_back(rehearsedJson(done, done.input));
    else
      tellRehearsed(output, done, done.input, true);
  }
  if (output.json()) output.value(calls);
  return all_well ? Exit::ok : Exit::findings;
}

} // namespace garland::cli
