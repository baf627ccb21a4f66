#include "host/store/store.h"

#include "host/store/drivers.h"

namespace garland::store {
namespace {

Task<std::unique_ptr<Store>> refuseUrl() {
  co_return Error(ErrorKind::invalidInput,
                  "the database URL must be sqlite:/path/to/file.db or postgresql://user@host:port/name",
                  "/database/url");
}

} // namespace

Task<std::unique_ptr<Store>> Store::open(asio::any_io_executor executor, Options options,
                                         std::vector<Migration> migrations) {
  std::string_view const url = options.url;
  if (url.starts_with("sqlite:"))
    return openSqlite(std::move(executor), std::move(options), std::move(migrations));
  if (url.starts_with("postgresql://") || url.starts_with("postgres://"))
    return openPostgres(std::move(executor), std::move(options), std::move(migrations));
  return refuseUrl();
}

} // namespace garland::store
