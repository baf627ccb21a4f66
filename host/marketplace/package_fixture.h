// What the tests of packages share: a connector and its twin, as they are built, and tar files of any shape.
#pragma once

#include "host/base/file_text.h"
#include "host/base/json.h"
#include "host/base/test_folder.h"
#include "host/marketplace/archive.h"
#include "host/marketplace/marketplace.h"
#include "host/vault/vault.h"
#include "tests/places/places.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <array>
#include <cstdio>
#include <filesystem>
#include <fstream>

namespace garland::marketplace::testing {

using ::testing::HasSubstr;

inline std::string const kConnector = inBuild("/tests/plugins/example.packed");
inline std::string const kTwin = inBuild("/tests/twins/example.packed-twin");
constexpr std::string_view kHere = "lib/x86_64-linux-gnu/connector.so";

inline TimePoint at(std::string_view text) { return parseRfc3339(text).value(); }
inline TimePoint const kToday = at("2026-06-13T12:00:00.000Z");

inline std::string bytesOf(std::string const& path) { return readFileText(path).value(); }

inline void put(std::string const& path, std::string_view text) {
  std::filesystem::create_directories(std::filesystem::path(path).parent_path());
  std::ofstream(path, std::ios::binary | std::ios::trunc) << text;
}

inline Schema const& manifestSchema() {
  static Schema const schema = [] {
    auto const text = bytesOf(inSources("/plugin-api/schemas/manifest.json"));
    return Schema::compile(parseJson(text).value()).value();
  }();
  return schema;
}

inline std::string goodPackage() {
  static std::string const bytes = pack({kConnector, "", kTwin}, manifestSchema()).value();
  return bytes;
}

inline std::vector<PackedFile> goodFiles() { return readArchive(goodPackage()).value(); }

inline PackedFile& fileIn(std::vector<PackedFile>& files, std::string_view path) {
  for (auto& file : files)
    if (file.path == path) return file;
  throw std::runtime_error("no file " + std::string(path));
}

// The files as a package again, with a list that fits them unless `keep_list`.
inline std::string packedAgain(std::vector<PackedFile> files, bool keep_list = false) {
  std::ranges::sort(files, {}, &PackedFile::path);
  std::string list;
  for (auto const& file : files)
    if (file.path != "SHA256SUMS" && !file.path.starts_with("signatures/"))
      list += vault::sha256Hex(file.bytes) + "  " + file.path + "\n";
  if (!keep_list) fileIn(files, "SHA256SUMS").bytes = list;
  return writeArchive(files).value();
}

// Why a package is refused; "" if it is not.
inline std::string refusal(std::string_view bytes) {
  auto const package = readPackage(bytes, manifestSchema());
  return package ? "" : package.error().message;
}

// One entry of a tar file as nobody's library would write it.
struct RawEntry {
  std::string name;
  std::string data = "";
  char type = '0';
  std::string link = "";
  std::string size = ""; // octal; "": of the data
  std::string mtime = "0";
  std::string magic = std::string("ustar\0"
                                  "00",
                                  8);
};

inline std::string rawEntry(RawEntry const& entry) {
  std::string header(512, '\0');
  auto const set = [&header](std::size_t place, std::string const& text) {
    header.replace(place, text.size(), text);
  };
  auto const octal = [](std::size_t value) {
    std::array<char, 16> text{};
    std::snprintf(text.data(), text.size(), "%011zo", value);
    return std::string(text.data());
  };
  set(0, entry.name.substr(0, 100));
  set(100, "0000644");
  set(108, "0000000");
  set(116, "0000000");
  set(124, entry.size.empty() ? octal(entry.data.size()) : entry.size);
  set(136, entry.mtime == "0" ? octal(0) : entry.mtime);
  set(148, "        ");
  set(156, std::string(1, entry.type));
  set(157, entry.link);
  set(257, entry.magic);
  std::size_t sum = 0;
  for (char const c : header) sum += static_cast<unsigned char>(c);
  std::array<char, 8> text{};
  std::snprintf(text.data(), text.size(), "%06zo", sum);
  set(148, std::string(text.data(), 7));
  auto data = entry.data;
  data.resize((data.size() + 511) / 512 * 512);
  return header + data;
}

inline std::string rawTar(std::vector<RawEntry> const& entries) {
  std::string out;
  for (auto const& entry : entries) out += rawEntry(entry);
  return out + std::string(1024, '\0');
}

inline SigningKey const& marketplaceKey() {
  static SigningKey const key = SigningKey::make().value();
  return key;
}

inline Attestation attestationOf(std::string const& digest) {
  Attestation out;
  out.package_digest = digest;
  out.plugin_id = "example.packed";
  out.version = "1.0.0";
  out.suite_version = "1";
  out.suite_digest = std::string(64, 'a');
  out.level = "silver";
  out.seed = 7;
  out.profile = "standard";
  out.sandbox = "A";
  out.objects = {std::string(64, 'f')};
  out.report_digest = std::string(64, 'e');
  out.date = kToday;
  return out;
}

inline std::string digestOf(std::string_view bytes) {
  return readPackage(bytes, manifestSchema()).value().digest;
}

inline std::string certified(std::string const& bytes, SigningKey const& key = marketplaceKey()) {
  auto const package = readPackage(bytes, manifestSchema()).value();
  auto attestation = attestationOf(package.digest);
  if (auto const* object = package.object(runtime::hostArchitecture()))
    attestation.objects = {vault::sha256Hex(object->bytes)};
  auto text = makeAttestation(std::move(attestation), key).value();
  return attachAttestation(bytes, std::move(text), manifestSchema()).value();
}

} // namespace garland::marketplace::testing
