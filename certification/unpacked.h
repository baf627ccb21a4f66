// A package's files in a folder of their own, for as long as it is certified: workers are given files.
#pragma once

#include "certification/folder.h"
#include "host/marketplace/marketplace.h"

#include <memory>
#include <string>

namespace garland::certification {

class Unpacked {
public:
  // Sound packages only: form, digests, manifest and signatures have been looked at. invalidInput.
  static Result<std::shared_ptr<Unpacked const>> open(std::string const& path, Schema const& manifest_schema);
  Unpacked(Unpacked const&) = delete;
  Unpacked& operator=(Unpacked const&) = delete;

  marketplace::Package const& package() const { return package_; }
  std::string connector() const; // folder with connector.so, connector.json and what describes it
  std::string twins() const;     // folder with the twin's folder, if the package has a twin

private:
  explicit Unpacked(marketplace::Package package) : package_(std::move(package)) {}
  Result<void> write();

  marketplace::Package package_;
  Folder folder_;
  std::string root_; // its path
};

} // namespace garland::certification
