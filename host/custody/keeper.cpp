#include "host/custody/keeper.h"

#include "host/base/file_text.h"
#include "host/custody/key_uses.h"
#include "host/custody/travel.h"

#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>

#include <algorithm>
#include <filesystem>

namespace garland::custody {
namespace {

constexpr Milliseconds kRound{1'000};    // until another round
constexpr Milliseconds kTryAgain{5'000}; // the database is away
constexpr std::size_t kLongestFile = std::size_t{256} << 20U;

Error keyMissing(KeyUse const& use) {
  auto const count = std::to_string(use.secrets) + (use.secrets == 1 ? " secret is" : " secrets are");
  return {ErrorKind::invalidInput, count + " sealed under master key " + use.id +
                                       ", which is not here; add it to [vault] old_keys and start again"};
}

// It has ended, and its key is neither held nor over anything: a restore sealed all under another one since.
bool isOfAnotherLife(Move const& move, std::vector<KeyUse> const& uses) {
  return move.finished && std::ranges::find(uses, move.key_id, &KeyUse::id) == uses.end();
}

// On another thread: each takes half a second. What they point to lives in the caller.
Task<std::unique_ptr<vault::ExportKey>> makeKey(Secret const* passphrase, Random* random, int cost) {
  co_return vault::ExportKey::make(*passphrase, *random, cost);
}
Task<vault::OpenedExport> open(std::string const* file, Secret const* passphrase, Random* random) {
  co_return vault::ExportKey::open(*file, *passphrase, *random);
}

std::string newName(Random& random) {
  std::string salt(8, '\0');
  random.fill(std::as_writable_bytes(std::span(salt)));
  return "export-" + hex(salt);
}

} // namespace

Task<Status> Keeper::status() {
  Status status;
  CO_TRY(uses, co_await keyUses(&with_));
  status.keys = std::move(uses);
  CO_TRY(last, co_await moves_.last());
  if (last && !isOfAnotherLife(last->move, status.keys)) status.move = std::move(last->move);
  co_return status;
}

Task<Status> Keeper::rekey() {
  auto const self = shared_from_this();
  CO_TRY(uses, co_await keyUses(&with_));
  for (auto const& use : uses)
    if (!use.held && !use.id.empty()) co_return keyMissing(use);
  CO_TRY_VOID(co_await moves_.begin(with_.vault.keyId()));
  goOn();
  co_return co_await status();
}

Task<void> Keeper::start() {
  CO_TRY(row, co_await moves_.to(with_.vault.keyId()));
  if (row && row->move.state == MoveState::running) goOn();
  co_return Result<void>();
}

void Keeper::goOn() {
  wanted_ = true;
  if (running_ || stopping_) return;
  running_ = true;
  auto const self = shared_from_this();
  auto const moving = [self] { return self->loop(); };
  asio::co_spawn(with_.executor, moving,
                 asio::bind_cancellation_slot(stop_loop_.slot(), [self](std::exception_ptr) {
                   self->running_ = false;
                   self->ended_.cancel();
                 }));
}

asio::awaitable<void> Keeper::loop() {
  co_await asio::this_coro::throw_if_cancelled(false);
  with_.log.info("secrets move to another master key", json::object{{"key", with_.vault.keyId()}});
  while (!stopping_) {
    wanted_ = false;
    auto const step = co_await mover_.step();
    if (stopping_) break;
    if (step && *step == Step::ended && !wanted_) break;
    auto const pause = pauseAfter(step);
    if (pause.count() == 0) continue;
    auto const slept = co_await with_.clock.sleepFor(pause);
    if (!slept) break;
  }
  if (!stopping_) with_.log.info("no secret moves any more: see garland vault status");
}

Milliseconds Keeper::pauseAfter(Result<Step> const& step) {
  if (step) return *step == Step::again ? kRound : with_.pause;
  with_.log.error("secrets could not be moved to another master key, and are tried again: " +
                  step.error().message);
  return kTryAgain;
}

asio::awaitable<void> Keeper::stop() {
  auto const self = shared_from_this();
  stopping_ = true;
  stop_loop_.emit(asio::cancellation_type::all);
  boost::system::error_code ignored;
  while (running_) co_await ended_.async_wait(asio::redirect_error(asio::use_awaitable, ignored));
}

Result<void> Keeper::makeFolder() const {
  std::error_code failed;
  std::filesystem::create_directories(with_.folder, failed);
  if (!failed) std::filesystem::permissions(with_.folder, std::filesystem::perms::owner_all, failed);
  if (failed)
    return Error(ErrorKind::hostLimit,
                 "the folder " + with_.folder + " could not be made: " + failed.message());
  return {};
}

Task<std::string> Keeper::exportFile(Secret passphrase) {
  auto const self = shared_from_this();
  CO_TRY_VOID(makeFolder());
  auto making = makeKey(&passphrase, &with_.random, with_.export_cost);
  CO_TRY(key, co_await asio::co_spawn(with_.aside, std::move(making), asio::use_awaitable));
  CO_TRY(content, co_await readAll(&with_, &key->vault()));
  auto const file = key->write(writeDocument(content, with_.clock.now()));
  auto name = newName(with_.random);
  CO_TRY_VOID(vault::createKeyFile(with_.folder + "/" + name, file, with_.random));
  with_.log.info("the vault was exported", json::object{{"file", name}, {"bytes", file.size()}});
  co_return name;
}

Task<std::vector<Imported>> Keeper::importFile(std::string name, Secret passphrase) {
  auto const self = shared_from_this();
  auto const path = with_.folder + "/" + name;
  auto const file = readFileText(path, kLongestFile);
  std::error_code ignored;
  std::filesystem::remove(path, ignored);
  if (!file) co_return file.error();
  auto opening = open(&*file, &passphrase, &with_.random);
  CO_TRY(opened, co_await asio::co_spawn(with_.aside, std::move(opening), asio::use_awaitable));
  CO_TRY(content, readDocument(opened.text, with_.tables));
  CO_TRY(told, co_await writeAll(&with_, std::move(content), &opened.key->vault()));
  with_.log.info("an export of a vault was imported");
  co_return told;
}

std::shared_ptr<Custody> Custody::create(Dependencies dependencies) {
  return std::make_shared<Keeper>(std::move(dependencies));
}

} // namespace garland::custody
