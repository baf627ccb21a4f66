// Task<T>: a coroutine on the daemon's event loop that ends in a Result<T>.
//
// Rules (g++ 12 miscompiles the alternatives): a statement with co_await holds no '{', no lambda
// and no '?:'; parameters are taken by value; a task is spawned only into an owner that outlives it.
#pragma once

#include "host/base/result.h"

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>

namespace garland {

namespace asio = boost::asio;

template <class T = void> using Task = asio::awaitable<Result<T>>;

} // namespace garland
