// A vault of two keys in memory; files are names.
#pragma once

#include "host/custody/custody.h"

#include <string>
#include <vector>

namespace garland::api::testing {

class FakeCustody final : public custody::Custody {
public:
  explicit FakeCustody(Clock& clock) : clock_(clock) {
    custody::KeyUse seals;
    seals.id = "0123456789abcdef";
    seals.held = seals.seals = true;
    custody::KeyUse before;
    before.id = "fedcba9876543210";
    before.secrets = 3;
    now.keys.push_back(std::move(seals));
    now.keys.push_back(std::move(before));
  }
  Task<custody::Status> status() override { co_return now; }
  Task<custody::Status> rekey() override {
    custody::Move move;
    move.key_id = now.keys.front().id;
    move.started = move.updated = clock_.now();
    now.move = std::move(move);
    co_return now;
  }
  Task<std::string> exportFile(Secret passphrase) override {
    passphrases.emplace_back(passphrase.reveal());
    co_return std::string("export-0a");
  }
  Task<std::vector<custody::Imported>> importFile(std::string name, Secret passphrase) override {
    passphrases.emplace_back(passphrase.reveal());
    if (name != "export-0a") co_return Error(ErrorKind::notFound, "there is no file " + name);
    std::vector<custody::Imported> told(1);
    told[0].table = "credentials";
    told[0].added = 2;
    told[0].replaced = {"ven_1/con_1/login"};
    co_return told;
  }
  Task<void> start() override { co_return Result<void>(); }
  asio::awaitable<void> stop() override { co_return; }

  custody::Status now;
  std::vector<std::string> passphrases;

private:
  Clock& clock_;
};

} // namespace garland::api::testing
