#include "host/store/store.h"

#include "host/store/drivers.h"

namespace garland::store {
namespace {

template <class T> Task<T> refuseUrl() {
  co_return Error(ErrorKind::invalidInput,
                  "the database URL must be sqlite:/path/to/file.db or postgresql://user@host:port/name",
                  "/database/url");
}

bool namesSqlite(std::string_view url) { return url.starts_with("sqlite:"); }
bool namesPostgres(std::string_view url) {
  return url.starts_with("postgresql://") || url.starts_with("postgres://");
}

} // namespace

Task<std::unique_ptr<Store>> Store::open(asio::any_io_executor executor, Options options,
                                         std::vector<Migration> migrations) {
  if (namesSqlite(options.url))
    return openSqlite(std::move(executor), std::move(options), std::move(migrations));
  if (namesPostgres(options.url))
    return openPostgres(std::move(executor), std::move(options), std::move(migrations));
  return refuseUrl<std::unique_ptr<Store>>();
}

Task<std::size_t> Store::pendingMigrations(asio::any_io_executor executor, Options options,
                                           std::vector<Migration> migrations) {
  if (namesSqlite(options.url)) return pendingInSqlite(std::move(options), std::move(migrations));
  if (namesPostgres(options.url))
    return pendingInPostgres(std::move(executor), std::move(options), std::move(migrations));
  return refuseUrl<std::size_t>();
}

} // namespace garland::store
