// The two drivers behind Store::open.
#pragma once

#include "host/store/store.h"

namespace garland::store {

Task<std::unique_ptr<Store>> openSqlite(asio::any_io_executor executor, Options options,
                                        std::vector<Migration> migrations);
Task<std::unique_ptr<Store>> openPostgres(asio::any_io_executor executor, Options options,
                                          std::vector<Migration> migrations);

// Behind Store::pendingMigrations.
Task<std::size_t> pendingInSqlite(Options options, std::vector<Migration> migrations);
Task<std::size_t> pendingInPostgres(asio::any_io_executor executor, Options options,
                                    std::vector<Migration> migrations);

// Behind putBack().
Result<void> putBackSqlite(std::string const& url, std::string const& copy, std::string const& then);
Result<void> putBackPostgres(std::string const& url, std::string const& copy, std::string const& then);

} // namespace garland::store
