#include "host/store/store.h"

#include "host/store/carried.h"
#include "host/store/drivers.h"

namespace garland::store {
namespace {

Error wrongUrl() {
  return Error(ErrorKind::invalidInput,
               "the database URL must be sqlite:/path/to/file.db or postgresql://user@host:port/name",
               "/database/url");
}

template <class T> Task<T> refuseUrl() { co_return wrongUrl(); }

bool namesSqlite(std::string_view url) { return url.starts_with("sqlite:"); }
bool namesPostgres(std::string_view url) {
  return url.starts_with("postgresql://") || url.starts_with("postgres://");
}

Task<std::unique_ptr<Store>> openDriver(asio::any_io_executor executor, Options options,
                                        std::vector<Migration> migrations) {
  if (namesSqlite(options.url))
    return openSqlite(std::move(executor), std::move(options), std::move(migrations));
  if (namesPostgres(options.url))
    return openPostgres(std::move(executor), std::move(options), std::move(migrations));
  return refuseUrl<std::unique_ptr<Store>>();
}

Task<std::unique_ptr<Store>> openCarried(Task<std::unique_ptr<Store>> opening,
                                         std::shared_ptr<Carrier> carrier) {
  CO_TRY(store, co_await std::move(opening));
  co_return std::unique_ptr<Store>(std::make_unique<CarriedStore>(std::move(store), std::move(carrier)));
}

} // namespace

Task<void> Store::copyTo(std::string) {
  co_return Error(ErrorKind::unsupported, "this database cannot be copied while it is open");
}

Result<void> putBack(std::string const& url, std::string const& copy, std::string const& then) {
  if (namesSqlite(url)) return putBackSqlite(url, copy, then);
  if (namesPostgres(url)) return putBackPostgres(url, copy, then);
  return wrongUrl();
}

Statement notice(std::string text) {
  return Statement("SELECT pg_notify('" + std::string(kNoticeChannel) + "', $1)",
                   std::vector<Value>{std::move(text)});
}

Task<std::unique_ptr<Store>> Store::open(asio::any_io_executor executor, Options options,
                                         std::vector<Migration> migrations) {
  auto const carrier = options.carrier;
  auto opening = openDriver(std::move(executor), std::move(options), std::move(migrations));
  if (!carrier) return opening;
  return openCarried(std::move(opening), carrier);
}

Task<std::size_t> Store::pendingMigrations(asio::any_io_executor executor, Options options,
                                           std::vector<Migration> migrations) {
  if (namesSqlite(options.url)) return pendingInSqlite(std::move(options), std::move(migrations));
  if (namesPostgres(options.url))
    return pendingInPostgres(std::move(executor), std::move(options), std::move(migrations));
  return refuseUrl<std::size_t>();
}

} // namespace garland::store
