// The check of what a connector is made of: its bill of materials (sbom.json, CycloneDX or SPDX) against the
// code in its object, and against advisories.json, which needs no network.
#include "certification/check.h"
#include "certification/checks/version_order.h"
#include "certification/embedded.h"

#include "host/vault/vault.h"

#include <algorithm>
#include <cctype>

namespace garland::certification {
namespace {

struct Part {
  std::string name;    // as the bill has it
  std::string word;    // the same in lower case
  std::string version; // "2.5.0"
  std::string debian;  // "2.5.0-1+deb12u1"; "" unless it is a package of Debian
  std::string licence; // an expression of SPDX
};

std::string lower(std::string text) {
  std::ranges::transform(text, text.begin(),
                         [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  return text;
}

// "pkg:deb/debian/expat@2.5.0-1%2Bdeb12u1?arch=amd64": the version.
std::string debianVersion(std::string const& purl) {
  auto const at = purl.find('@');
  if (!purl.starts_with("pkg:deb/") || at == std::string::npos) return {};
  auto out = purl.substr(at + 1, purl.find_first_of("?#", at) - at - 1);
  for (auto const& [code, sign] : {std::pair{"%2B", "+"}, {"%3A", ":"}, {"%7E", "~"}})
    for (auto place = out.find(code); place != std::string::npos; place = out.find(code))
      out.replace(place, 3, sign);
  return out;
}

json::array listAt(json::value const& document, std::string_view pointer) {
  auto const* found = garland::find(document, pointer);
  return found != nullptr && found->is_array() ? found->get_array() : json::array();
}

Part partOf(std::string name, std::string version, std::string const& purl, std::string licence) {
  Part out;
  out.word = lower(name);
  out.name = std::move(name);
  out.version = std::move(version);
  out.debian = debianVersion(purl);
  out.licence = licence == "NOASSERTION" || licence == "NONE" ? "" : std::move(licence);
  return out;
}

Part cycloneDxPart(json::value const& component) {
  std::string licence;
  for (auto const& each : listAt(component, "/licenses")) {
    auto one = textOr(each, "/expression", textOr(each, "/license/id", textOr(each, "/license/name", "")));
    licence += (licence.empty() ? "" : " AND ") + one;
  }
  return partOf(textOr(component, "/name", ""), textOr(component, "/version", ""),
                textOr(component, "/purl", ""), std::move(licence));
}

Part spdxPart(json::value const& package) {
  std::string purl;
  for (auto const& each : listAt(package, "/externalRefs"))
    if (textOr(each, "/referenceType", "") == "purl") purl = textOr(each, "/referenceLocator", "");
  auto licence = textOr(package, "/licenseConcluded", "");
  if (licence.empty() || licence == "NOASSERTION") licence = textOr(package, "/licenseDeclared", "");
  return partOf(textOr(package, "/name", ""), textOr(package, "/versionInfo", ""), purl, std::move(licence));
}

// Libraries that are linked in; not files, nor what the loader brings along, nor the connector itself.
std::vector<Part> partsOf(json::value const& bill, Subject const& subject) {
  std::vector<Part> out;
  for (auto const& each : listAt(bill, "/components"))
    if (textOr(each, "/type", "") != "file") out.push_back(cycloneDxPart(each));
  for (auto const& each : listAt(bill, "/packages")) out.push_back(spdxPart(each));
  auto const& needed = subject.elf->needed;
  std::erase_if(out, [&](Part const& part) {
    return part.name == subject.plugin.manifest.id || std::ranges::find(needed, part.name) != needed.end();
  });
  return out;
}

// ---- what is in the object
bool isIn(std::string_view object, json::value const& library) {
  return std::ranges::any_of(listAt(library, "/marks"), [&](json::value const& mark) {
    return object.find(std::string_view(mark.as_string())) != std::string_view::npos;
  });
}

// The number behind a library's own words: "expat_2.5.0"; "" if it says none.
std::string versionIn(std::string_view object, json::value const& library) {
  auto const words = textOr(library, "/version", "");
  if (words.empty()) return {};
  for (auto at = object.find(words); at != std::string_view::npos; at = object.find(words, at + 1)) {
    auto const begin = at + words.size();
    auto const end = std::min(object.find_first_not_of("0123456789.", begin), object.size());
    if (end > begin + 2 && object[begin] != '.') return std::string(object.substr(begin, end - begin));
  }
  return {};
}

std::vector<Part const*> named(std::vector<Part> const& parts, json::value const& library) {
  std::vector<Part const*> out;
  auto const word = textOr(library, "/word", "");
  for (auto const& part : parts)
    if (part.word.find(word) != std::string::npos) out.push_back(&part);
  return out;
}

void expectNamed(Trial& trial, std::vector<Part> const& parts, json::value const& library) {
  auto const& object = trial.subject().object;
  auto const name = textOr(library, "/name", "");
  auto const known = named(parts, library);
  bool const there = isIn(object, library);
  trial.expect(!there || !known.empty(), "it holds code of " + name + ", which its bill does not name",
               "sbom.json, compared with connector.so");
  auto const version = versionIn(object, library);
  if (!there || known.empty() || version.empty()) return;
  bool const equal = std::ranges::any_of(known, [&](Part const* part) {
    return part->version == version || part->version.starts_with(version + "-");
  });
  trial.expect(equal,
               "it holds " + name + " " + version + ", and its bill says " +
                   (known.front()->version.empty() ? "no version" : known.front()->version),
               "sbom.json, compared with connector.so");
}

// ---- licences
// "MPL-2.0 OR (LGPL-2.1-only AND MIT)": one of the alternatives has to be free of what is denied.
bool isDenied(std::string const& licence, json::array const& denied) {
  for (std::size_t at = 0; at <= licence.size();) {
    auto const end = std::min(licence.find(" OR ", at), licence.size());
    auto const choice = licence.substr(at, end - at);
    at = end + 4;
    bool const bad = std::ranges::any_of(denied, [&](json::value const& each) {
      std::string const word(each.as_string());
      for (auto place = choice.find(word); place != std::string::npos; place = choice.find(word, place + 1))
        if (place == 0 || choice[place - 1] == ' ' || choice[place - 1] == '(') return true;
      return false;
    });
    if (!bad) return false;
  }
  return true;
}

void expectLicensed(Trial& trial, Part const& part, json::array const& denied) {
  std::string const where = "sbom.json, " + part.name;
  if (!trial.expect(!part.licence.empty(),
                    "its bill does not say by which licence " + part.name + " may be used", where))
    return;
  trial.expect(!isDenied(part.licence, denied),
               part.name + " is under " + part.licence + ", which a listed connector may not bring along",
               where);
}

// ---- holes
bool isOpen(Part const& part, json::value const& hole) {
  if (part.word.find(textOr(hole, "/word", "?")) == std::string::npos || part.version.empty()) return false;
  auto const debian = textOr(hole, "/debian", "");
  if (!debian.empty() && !part.debian.empty() && !isOlder(part.debian, debian)) return false;
  return !isOlder(part.version, textOr(hole, "/from", "")) &&
         isOlder(part.version, textOr(hole, "/before", ""));
}

// ---- PKG-09
void expectFiles(Trial& trial, json::value const& bill) {
  if (!trial.subject().package) return;
  for (auto const& each : listAt(bill, "/components")) {
    if (textOr(each, "/type", "") != "file") continue;
    auto const path = textOr(each, "/name", "");
    auto const* file = trial.subject().package->package().find(path);
    trial.expect(file != nullptr, "its bill names the file " + path + ", which is not there", "sbom.json");
    for (auto const& hash : listAt(each, "/hashes"))
      if (file != nullptr && textOr(hash, "/alg", "") == "SHA-256")
        trial.expect(textOr(hash, "/content", "") == vault::sha256Hex(file->bytes),
                     "its bill has another digest of the file " + path, "sbom.json");
  }
}

void isMadeOfWhatItSays(Trial& trial) {
  auto const& subject = trial.subject();
  if (!trial.expect(subject.elf.has_value(),
                    subject.elf ? "" : "the shared object " + subject.elf.error().message, "connector.so"))
    return;
  auto const text = subject.documents.find("sbom.json");
  if (!trial.expect(text != subject.documents.end(),
                    "there is no bill of materials (sbom.json); garland_add_connector() makes one",
                    "sbom.json"))
    return;
  auto const bill = parseJson(text->second);
  if (!trial.expect(bill.has_value(), bill ? "" : "it is " + bill.error().message, "sbom.json")) return;
  auto const known = parseJson(embedded::advisoriesText());
  if (!known) return trial.giveUp("certification/advisories.json is " + known.error().message);
  auto const parts = partsOf(*bill, subject);
  for (auto const& library : listAt(*known, "/libraries")) expectNamed(trial, parts, library);
  auto const denied = listAt(*known, "/denied_licences");
  for (auto const& part : parts) {
    expectLicensed(trial, part, denied);
    for (auto const& hole : listAt(*known, "/critical"))
      trial.expect(!isOpen(part, hole),
                   part.name + " " + part.version + " has " + textOr(hole, "/id", "") + ": " +
                       textOr(hole, "/what", ""),
                   "sbom.json, " + part.name);
  }
  expectFiles(trial, *bill);
}

constexpr Check kChecks[] = {
    {.id = "PKG-09", .run = isMadeOfWhatItSays, .needs_twin = false, .calls_plugin = false},
};

} // namespace

std::span<Check const> materialChecks() { return kChecks; }

} // namespace garland::certification
