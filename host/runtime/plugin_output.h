// What a worker prints: read line by line, bounded, and written to the log.
#pragma once

#include "host/base/log.h"
#include "host/runtime/owned_fd.h"

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/posix/stream_descriptor.hpp>

#include <array>
#include <memory>
#include <string>

namespace garland::runtime {

// [loop thread] Its own pending read keeps it alive until the pipe ends or close().
class PluginOutput : public std::enable_shared_from_this<PluginOutput> {
public:
  PluginOutput(boost::asio::any_io_executor const& executor, OwnedFd pipe, Log const& log,
               std::string plugin_id);

  void start();
  void drain(); // what a dead worker had still printed
  void close();

private:
  void take(std::string_view bytes);
  void endLine();

  boost::asio::posix::stream_descriptor pipe_;
  Log const& log_;
  std::string plugin_id_;
  std::array<char, 4096> input_;
  std::string line_;
  std::size_t lines_ = 0;
};

} // namespace garland::runtime
