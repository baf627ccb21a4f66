#include "host/runtime/plugin_output.h"

#include "host/runtime/tainted.h"

#include <boost/asio/buffer.hpp>

namespace garland::runtime {
namespace {

constexpr std::size_t kMaxLine = 2048;
constexpr std::size_t kMaxLines = 1000; // of one worker; it goes on to be read, or it would block

} // namespace

PluginOutput::PluginOutput(boost::asio::any_io_executor const& executor, OwnedFd pipe, Log const& log,
                           std::string plugin_id)
    : pipe_(executor, pipe.release()), log_(log), plugin_id_(std::move(plugin_id)) {
  boost::system::error_code ignored;
  pipe_.non_blocking(true, ignored);
}

void PluginOutput::start() {
  pipe_.async_read_some(boost::asio::buffer(input_),
                        [self = shared_from_this()](auto const& failed, std::size_t size) {
                          if (failed) return;
                          self->take({self->input_.data(), size});
                          self->start();
                        });
}

void PluginOutput::drain() {
  boost::system::error_code failed;
  while (!failed) {
    auto const size = pipe_.read_some(boost::asio::buffer(input_), failed);
    if (!failed) take({input_.data(), size});
  }
  endLine();
}

void PluginOutput::close() {
  boost::system::error_code ignored;
  pipe_.close(ignored);
}

void PluginOutput::take(std::string_view bytes) {
  for (char const c : bytes) {
    if (c == '\n')
      endLine();
    else if (line_.size() < kMaxLine)
      line_ += c;
  }
}

void PluginOutput::endLine() {
  if (line_.empty()) return;
  auto const text = cleanText(line_, kMaxLine);
  line_.clear();
  if (lines_ > kMaxLines) return;
  auto const message =
      lines_++ == kMaxLines ? "the worker prints too much; the rest is dropped" : "the worker printed a line";
  log_.warn(message, {{"plugin", plugin_id_}, {"line", text}});
}

} // namespace garland::runtime
