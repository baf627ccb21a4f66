// What most rooms of the host read first; system headers only (cmake/Precompiled.cmake).
#include "sdk.h"

#include <boost/asio/awaitable.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/system/result.hpp>

#include <filesystem>
#include <fstream>
#include <sstream>
