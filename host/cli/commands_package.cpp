// Packages and keys: made, signed, looked at and judged without a daemon; installed with one.
#include "host/cli/commands.h"

#include "host/base/file_text.h"
#include "host/base/random.h"
#include "host/marketplace/marketplace.h"

#include <garland/schemas.hpp>

#include <unistd.h>

#include <algorithm>
#include <filesystem>

namespace garland::cli {
namespace {

namespace fs = std::filesystem;
using marketplace::Package;

Result<Schema> manifestSchema() {
  TRY(document, parseJson(schemaText("manifest.json")));
  return Schema::compile(document);
}

struct Read {
  std::string bytes;
  Package package;
};

// The error of a bad package has the kind pluginBug: a finding, where a missing file is wrong usage.
Result<Read> readPackageFile(std::string const& file) {
  TRY(bytes, readFileText(file, marketplace::kMaxPackageBytes));
  TRY(schema, manifestSchema());
  auto package = marketplace::readPackage(bytes, schema);
  if (!package) return Error(ErrorKind::pluginBug, file + " " + package.error().message);
  return Read{std::move(bytes), std::move(*package)};
}

// What a build leaves beside the connector: build/plugins/ID and build/twins/ID-twin.
std::string twinBeside(std::string const& folder) {
  std::error_code ignored;
  auto const path = fs::weakly_canonical(folder, ignored); // build/my-crm is a link to build/plugins/ID
  auto const own = path.has_filename() ? path : path.parent_path();
  auto const twin = own.parent_path().parent_path() / "twins" / (own.filename().string() + "-twin");
  return fs::exists(fs::symlink_status(twin, ignored)) ? twin.string() : "";
}

std::string shortDigest(std::string const& digest) { return digest.substr(0, 16); }

json::object summaryOf(Package const& package) {
  json::object out{
      {"id", package.manifest.id},
      {"version", package.manifest.version},
      {"digest", package.digest},
      {"architectures", json::array(package.architectures.begin(), package.architectures.end())}};
  json::array files;
  for (auto const& file : package.files)
    files.push_back(json::object{{"path", file.path}, {"bytes", file.bytes.size()}});
  json::array signatures;
  for (auto const& signature : package.signatures)
    signatures.push_back(json::object{{"role", marketplace::name(signature.role)}, {"key", signature.key}});
  out["files"] = std::move(files);
  out["signatures"] = std::move(signatures);
  out["attestation"] = nullptr;
  if (auto const attestation = marketplace::readAttestation(package.attestation))
    out["attestation"] = marketplace::toJson(*attestation);
  return out;
}

std::string attestationWords(json::value const& attestation) {
  if (!attestation.is_object()) return "none";
  return textOr(attestation, "/level", "") + ", until " + textOr(attestation, "/expires", "").substr(0, 10) +
         ", signed by " + textOr(attestation, "/key", "");
}

// What a stranger's package says must not move the cursor.
std::string shown(json::value const& item, std::string_view pointer) { return plain(find(item, pointer)); }

void tellPackage(Output& output, json::object const& summary) {
  auto const text = [&](char const* member) { return plain(summary.if_contains(member)); };
  output.line(text("id") + " " + text("version"));
  output.line("digest       " + text("digest"));
  for (auto const& architecture : summary.at("architectures").as_array())
    output.line("for          " + plain(&architecture));
  for (auto const& signature : summary.at("signatures").as_array())
    output.line("signed       as " + shown(signature, "/role") + " by " + shown(signature, "/key"));
  output.line("attestation  " + attestationWords(summary.at("attestation")));
  for (auto const& file : summary.at("files").as_array())
    output.line("file         " + shown(file, "/path") + ", " + shown(file, "/bytes") + " bytes");
}

Result<std::vector<std::string>> trustedKeys(std::string const& file) {
  TRY(text, readFileText(file));
  auto keys = marketplace::readPublicKeys(text);
  if (!keys) return Error(keys.error().kind, "--trust: " + file + ": " + keys.error().message);
  if (keys->empty()) return Error(ErrorKind::invalidInput, "--trust: " + file + " holds no public key");
  return keys;
}

Result<marketplace::Trust> trustOf(PackageWords const& words) {
  marketplace::Trust out;
  if (words.trust.empty()) return out;
  TRY(keys, trustedKeys(words.trust));
  out.keys = std::move(keys);
  if (words.revocations.empty()) return out;
  TRY(text, readFileText(words.revocations));
  auto list = marketplace::readRevocations(text, out.keys);
  if (!list)
    return Error(ErrorKind::invalidInput, "--revocations: " + words.revocations + " " + list.error().message);
  out.revoked = std::move(list->items);
  return out;
}

// "" if the marketplace's word on it counts.
std::string objection(Package const& package, marketplace::Trust const& trust) {
  if (auto const revoked = marketplace::checkRevoked(package.digest, trust); !revoked)
    return revoked.error().message;
  if (package.attestation.empty()) return "it carries no attestation";
  auto const counts =
      marketplace::verifyAttestation(package.attestation, package.digest, trust, SystemClock().now());
  return counts ? "" : counts.error().message;
}

json::object finding(char const* check, bool ok, std::string const& message) {
  return json::object{{"check", check}, {"ok", ok}, {"message", message}};
}

json::value signatureFinding(marketplace::Signature const& signature, marketplace::Trust const& trust) {
  auto const who = "as " + std::string(marketplace::name(signature.role)) + " by " + signature.key;
  auto const* revoked = marketplace::revocationOf(signature.key, trust);
  return finding("signed", !revoked, who + (revoked ? ", which " + marketplace::inWords(*revoked) : ""));
}

json::array findingsOf(Package const& package, marketplace::Trust const& trust) {
  json::array out{finding("package", true,
                          package.manifest.id + " " + package.manifest.version + ", digest " +
                              package.digest + ": form, files and signatures are right")};
  for (auto const& signature : package.signatures) out.push_back(signatureFinding(signature, trust));
  if (package.signatures.empty()) out.push_back(finding("signed", true, "by nobody"));
  if (trust.keys.empty()) {
    out.push_back(finding("trust", true, "not judged; name whom you trust with --trust FILE"));
    return out;
  }
  auto const wrong = objection(package, trust);
  out.push_back(finding("trust", wrong.empty(),
                        wrong.empty() ? attestationWords(summaryOf(package).at("attestation")) : wrong));
  return out;
}

Exit tellVerdict(Output& output, json::object verdict) {
  auto const& findings = verdict.at("findings").as_array();
  bool const ok = std::ranges::all_of(findings, [](auto const& each) { return boolOr(each, "/ok", false); });
  verdict["ok"] = ok;
  if (output.json()) {
    output.value(verdict);
    return ok ? Exit::ok : Exit::findings;
  }
  for (auto const& item : verdict.at("findings").as_array()) {
    bool const good = boolOr(item, "/ok", false);
    output.line((good ? output.good("ok      ") : output.bad("PROBLEM ")) + shown(item, "/check") + ": " +
                shown(item, "/message"));
  }
  return ok ? Exit::ok : Exit::findings;
}

} // namespace

Exit makeKey(Output& output, std::string const& file) {
  SystemRandom random;
  auto const public_file = file + ".pub";
  std::error_code ignored;
  if (fs::exists(fs::symlink_status(public_file, ignored)))
    return output.error(Error(ErrorKind::conflict, public_file +
                                                       " is there already; a key is never overwritten: "
                                                       "name another file"));
  auto const key = marketplace::SigningKey::make();
  if (!key) return output.error(key.error());
  if (auto const written = key->write(file, random); !written) return output.error(written.error());
  if (auto const told = marketplace::writeFile(public_file, key->publicKey() + "\n"); !told) {
    fs::remove(file, ignored); // half a pair is of no use, and would be in the way of the next try
    return output.error(told.error());
  }
  if (output.json())
    output.value(
        json::object{{"key", key->publicKey()}, {"private_file", file}, {"public_file", public_file}});
  else
    output.line("made " + file + ", which stays with you, and " + public_file +
                ", for those who are to trust it:\n" + key->publicKey());
  return Exit::ok;
}

Exit makePackage(Output& output, PackageWords const& words) {
  auto const schema = manifestSchema();
  if (!schema) return output.error(schema.error());
  marketplace::PackWords const from{words.folder, words.source,
                                    words.twin.empty() ? twinBeside(words.folder) : words.twin};
  auto const bytes = marketplace::pack(from, *schema);
  if (!bytes) return output.error(bytes.error());
  auto const package = marketplace::readPackage(*bytes, *schema);
  if (!package) return output.error(package.error());
  auto const file =
      words.out.empty() ? package->manifest.id + "-" + package->manifest.version + ".gpk" : words.out;
  if (auto const written = marketplace::writeFile(file, *bytes); !written)
    return output.error(written.error());
  auto summary = summaryOf(*package);
  summary["file"] = file;
  if (output.json())
    output.value(summary);
  else
    output.line("packed " + package->manifest.id + " " + package->manifest.version + " into " + file + " (" +
                std::to_string(package->files.size()) + " files, " + std::to_string(bytes->size()) +
                " bytes), digest " + package->digest +
                (package->find("twin/connector.json") != nullptr ? "" : "; no twin is in it (--twin DIR)"));
  return Exit::ok;
}

Exit signPackageFile(Output& output, PackageWords const& words) {
  auto const read = readPackageFile(words.file);
  if (!read) return output.error(read.error());
  auto const key = marketplace::SigningKey::read(words.key_file);
  if (!key) return output.error(key.error());
  auto const schema = manifestSchema();
  if (!schema) return output.error(schema.error());
  auto const role = words.role == "publisher" ? marketplace::Role::publisher : marketplace::Role::marketplace;
  auto const bytes = marketplace::signPackage(read->bytes, role, *key, *schema);
  if (!bytes) return output.error(bytes.error());
  if (auto const written = marketplace::writeFile(words.file, *bytes); !written)
    return output.error(written.error());
  if (output.json())
    output.value(json::object{{"file", words.file},
                              {"digest", read->package.digest},
                              {"role", words.role},
                              {"key", key->publicKey()}});
  else
    output.line("signed " + words.file + " as " + words.role + " with " + key->publicKey());
  return Exit::ok;
}

Exit showPackage(Output& output, std::string const& file) {
  auto const read = readPackageFile(file);
  if (!read) return output.error(read.error());
  auto const summary = summaryOf(read->package);
  if (output.json())
    output.value(summary);
  else
    tellPackage(output, summary);
  return Exit::ok;
}

Exit verifyPackage(Output& output, PackageWords const& words) {
  auto const bytes = readFileText(words.file, marketplace::kMaxPackageBytes);
  if (!bytes) return output.error(bytes.error());
  auto const trust = trustOf(words);
  if (!trust) return output.error(trust.error());
  auto const read = readPackageFile(words.file);
  json::object verdict{{"file", words.file}};
  if (read) verdict["digest"] = read->package.digest;
  verdict["findings"] =
      read ? findingsOf(read->package, *trust) : json::array{finding("package", false, read.error().message)};
  return tellVerdict(output, std::move(verdict));
}

Exit installPlugin(Context with, Place const& place, std::string const& file) {
  auto const read = readPackageFile(file);
  if (!read) return with.output.error(read.error());
  auto const name = "incoming-" + shortDigest(read->package.digest) + "-" + std::to_string(::getpid());
  auto const path = place.data_dir + "/packages/" + name;
  std::error_code ignored;
  if (!fs::is_directory(place.data_dir + "/packages", ignored))
    return with.output.error(
        Error(ErrorKind::invalidInput,
              place.data_dir + " is not the data folder of a running garlandd, which takes packages from "
                               "there; name it with --data-dir"));
  if (auto const written = marketplace::writeFile(path, read->bytes); !written)
    return with.output.error(written.error());
  auto const answer = with.client.post("/api/integrations/plugins/install", json::object{{"file", name}});
  fs::remove(path, ignored);
  return tellAdoptions(with, answer);
}

} // namespace garland::cli
