// What is certified: a connector's files, read and never run here, and what its twin's folder says of both.
#pragma once

#include "certification/elf_facts.h"
#include "certification/unpacked.h"
#include "host/runtime/runtime.h"

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <vector>

namespace garland::certification {

// Which sign-in a case uses.
enum class SignIn { good, revoked, underScoped };

// certification.json beside the twin: how the connector is used with its twin. What the members mean is
// written in certification/README.md; plugin-api/schemas has no part in it, because no daemon reads it.
struct Brief {
  json::value document; // null: there is none
  std::string digest;   // "" if there is none
  json::value settings() const;
  std::int64_t volume() const;
  // {slot: {field: value}}; null: the brief has none of that kind.
  json::value const* credentials(SignIn which) const;
  // What the brief says of one entity, an object; null: nothing.
  json::value const* entity(std::string_view name) const;
  std::vector<std::string> entities() const;
};

struct Subject {
  std::string folder;
  std::string manifest_text; // of connector.json; "" if there is none
  std::string object;        // bytes
  runtime::PluginInfo plugin;
  Result<ElfFacts> elf{Error()};
  std::string manifest_problem; // why the manifest cannot be used; "" if it can
  runtime::PluginInfo twin;     // path "" if there is none
  Brief brief;
  json::value previous;                         // manifest of the last version; null: none was given
  std::shared_ptr<Unpacked const> package;      // null: a folder or a shared object is certified
  std::map<std::string, std::string> documents; // README.md and the like beside it, by path
  std::uintmax_t document_bytes = 0;            // of them, and of those that are too long to be read

  bool hasTwin() const { return !twin.path.empty(); }
  bool offers(std::string_view operation) const;
  bool runnable() const { return manifest_problem.empty() && elf.has_value(); }
};

// invalidInput with a sentence: nothing to certify there.
Result<Subject> openSubject(std::string const& path, std::vector<std::string> const& twin_dirs);
// invalidInput: its shared object is something else altogether, such as text; says what, and what was
// expected.
Result<void> checkObject(Subject const& subject);

} // namespace garland::certification
