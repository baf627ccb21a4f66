// What the host's table promises of threads, without a process or a sandbox around it.
#include "host/runtime/worker_host_table.h"

#include <gtest/gtest.h>

#include <array>
#include <map>
#include <sys/socket.h>
#include <thread>
#include <unistd.h>
#include <vector>

namespace garland::runtime::worker {
namespace {

constexpr int kLines = 500;
constexpr int kThreads = 4;

garland_str span(std::string const& text) { return {text.data(), text.size()}; }

// Every line that arrives, and how often; empty if the stream is damaged.
std::map<std::string, int> linesFrom(int fd) {
  std::map<std::string, int> lines;
  wire::Decoder decoder(wire::Direction::workerToHost);
  std::array<char, 4096> bytes;
  for (ssize_t got = 0; (got = ::read(fd, bytes.data(), bytes.size())) > 0;) {
    decoder.feed({bytes.data(), static_cast<std::size_t>(got)});
    for (;;) {
      auto message = decoder.next();
      if (!message) return {};
      if (!*message) break;
      auto const line = wire::decode<wire::Log>((*message)->payload);
      if (!line || (*message)->id != 0) return {};
      ++lines[line->message + " " + line->fields];
    }
  }
  return lines;
}

TEST(HostTable, LinesOfEveryThreadArriveWholeAndOnce) {
  std::array<int, 2> pair{};
  ASSERT_EQ(::socketpair(AF_UNIX, SOCK_STREAM, 0, pair.data()), 0);
  std::map<std::string, int> lines;
  std::thread reader([&] { lines = linesFrom(pair[1]); });
  {
    Loop loop(pair[0]);
    auto const host = hostTable(loop);
    auto const speak = [&host](int speaker) {
      for (int i = 0; i < kLines; ++i) {
        auto const message = std::to_string(speaker) + " says " + std::to_string(i);
        auto const fields = "{\"filler\":\"" + std::string(static_cast<std::size_t>(i), 'x') + "\"}";
        host.log(host.ctx, nullptr, GARLAND_LOG_INFO, span(message), {fields.data(), fields.size()});
      }
    };
    std::vector<std::thread> others;
    for (int speaker = 1; speaker <= kThreads; ++speaker) others.emplace_back(speak, speaker);
    speak(0);
    for (auto& other : others) other.join();
    loop.channel().flush();
  }
  ::close(pair[0]);
  reader.join();
  ::close(pair[1]);
  ASSERT_EQ(lines.size(), std::size_t{kLines * (kThreads + 1)});
  for (auto const& [line, times] : lines) EXPECT_EQ(times, 1) << line;
}

TEST(HostTable, TheOtherFunctionsForAnyThreadNeedNoCall) {
  std::array<int, 2> pair{};
  ASSERT_EQ(::socketpair(AF_UNIX, SOCK_STREAM, 0, pair.data()), 0);
  Loop loop(pair[0]);
  auto const host = hostTable(loop);
  auto const before = host.mono_ns(host.ctx);
  std::int64_t now = 0;
  std::int64_t mono = 0;
  void const* service = &now;
  std::thread([&] {
    now = host.now_ms(host.ctx);
    mono = host.mono_ns(host.ctx);
    service = host.get_service(host.ctx, span("garland.host.nothing/1"));
  }).join();
  EXPECT_GT(now, 1'600'000'000'000);
  EXPECT_GE(mono, before);
  EXPECT_EQ(service, nullptr);
  ::close(pair[0]);
  ::close(pair[1]);
}

} // namespace
} // namespace garland::runtime::worker
