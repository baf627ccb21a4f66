// What the host reads from a worker's socket, in which order, and what it hears of its end.
#include "host/runtime/connection.h"

#include <boost/asio/io_context.hpp>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <vector>

namespace garland::runtime {
namespace {

using ::testing::ElementsAre;

class AWorkersMessages : public ::testing::Test, public Connection::Owner {
protected:
  void SetUp() override {
    std::array<int, 2> pair{};
    ASSERT_EQ(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair.data()), 0);
    worker_ = OwnedFd(pair[0]);
    connection_ = std::make_shared<Connection>(loop_.get_executor(), OwnedFd(pair[1]), *this);
  }
  void TearDown() override {
    connection_->close();
    settle();
  }

  void onMessage(wire::Message message) override { heard_.push_back(message.id); }
  void onClosed() override { closed_ = true; }
  void onBroken(std::string reason) override { broken_ = std::move(reason); }

  void say(std::uint64_t id) {
    std::string bytes;
    wire::append(bytes, wire::Kind::progress, id, wire::Progress{1, 2, "items"});
    ASSERT_EQ(::write(worker_.get(), bytes.data(), bytes.size()), static_cast<ssize_t>(bytes.size()));
  }
  void settle() {
    loop_.restart();
    loop_.poll();
  }

  asio::io_context loop_{1};
  OwnedFd worker_;
  std::shared_ptr<Connection> connection_;
  std::vector<std::uint64_t> heard_;
  std::string broken_;
  bool closed_ = false;
};

TEST_F(AWorkersMessages, AreHeardAsTheyComeAndThenItsEnd) {
  connection_->start();
  say(1);
  settle();
  EXPECT_THAT(heard_, ElementsAre(1));
  say(2);
  say(3);
  settle();
  EXPECT_THAT(heard_, ElementsAre(1, 2, 3));
  EXPECT_FALSE(closed_);
  worker_ = OwnedFd();
  settle();
  EXPECT_TRUE(closed_);
  EXPECT_EQ(broken_, "");
}

TEST_F(AWorkersMessages, AreAllHandedOverInOrderWhenItDiesJustAsTheyAreRead) {
  say(1);
  connection_->start();
  say(2);
  say(3);
  worker_ = OwnedFd();
  connection_->drain();
  EXPECT_THAT(heard_, ElementsAre(1, 2, 3));
  settle();
  EXPECT_THAT(heard_, ElementsAre(1, 2, 3));
  EXPECT_EQ(broken_, "");
}

} // namespace
} // namespace garland::runtime
