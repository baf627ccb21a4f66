#include "host/store/carried.h"

namespace garland::store {
namespace {

struct Notice {
  std::size_t place; // in the unit
  std::string text;
};

std::vector<Notice> takeNotices(Unit& unit) {
  static std::string const kSql = notice(std::string()).sql;
  std::vector<Notice> notices;
  Unit rest;
  for (std::size_t place = 0; place < unit.size(); ++place) {
    auto& statement = unit[place];
    if (statement.sql == kSql)
      notices.push_back(Notice{place, std::get<std::string>(statement.args.at(0))});
    else
      rest.push_back(std::move(statement));
  }
  unit = std::move(rest);
  return notices;
}

} // namespace

Task<std::vector<Rows>> CarriedStore::commitThenTell(CarriedStore* self, Unit unit) {
  auto const notices = takeNotices(unit);
  Result<std::vector<Rows>> done = std::vector<Rows>();
  if (!unit.empty() || notices.empty()) done = co_await self->real_->commit(std::move(unit));
  // What may have been kept is worth a look.
  if (!done && done.error().effect != Effect::unknown) co_return done;
  for (auto const& notice : notices) self->carrier_->tell(notice.text);
  if (!done) co_return done;
  for (auto const& notice : notices)
    done->insert(done->begin() + static_cast<std::ptrdiff_t>(notice.place), Rows());
  co_return done;
}

Task<void> CarriedStore::closeBoth(CarriedStore* self) {
  auto const closed = co_await self->real_->close();
  CO_TRY_VOID(co_await self->carrier_->close());
  co_return closed;
}

} // namespace garland::store
