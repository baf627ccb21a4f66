#include "host/api/stream_tickets.h"

#include "host/base/bytes.h"
#include "host/vault/vault.h"

#include <array>

namespace garland::api {
namespace {

constexpr std::size_t kMostWaiting = 10'000;

} // namespace

Result<StreamTickets::Ticket> StreamTickets::issue(Leave leave) {
  dropOld();
  if (waiting_.size() >= kMostWaiting) {
    Error error(ErrorKind::quota, "too many tickets wait to be used; they end by themselves within a minute");
    error.retry_after = life_;
    return error;
  }
  std::string bytes(32, '\0');
  random_.fill(std::as_writable_bytes(std::span(bytes)));
  Secret text("tkt_" + hex(bytes));
  auto const until = clock_.monotonic() + std::chrono::duration_cast<Monotonic>(life_);
  waiting_.emplace(vault::sha256(text.reveal()), Waiting(std::move(leave), until));
  return Ticket(std::move(text), clock_.now() + life_);
}

bool StreamTickets::knows(std::string_view text) {
  dropOld();
  return waiting_.contains(vault::sha256(text));
}

std::optional<StreamTickets::Leave> StreamTickets::redeem(std::string_view text) {
  dropOld();
  auto const found = waiting_.find(vault::sha256(text));
  if (found == waiting_.end()) return std::nullopt;
  auto leave = std::move(found->second.leave);
  waiting_.erase(found);
  return leave;
}

void StreamTickets::dropOld() {
  auto const now = clock_.monotonic();
  std::erase_if(waiting_, [now](auto const& entry) { return entry.second.until <= now; });
}

} // namespace garland::api
