// gRPC C++ over a Unix socket as a peer of the call benchmark: two processes and unary calls, the way
// go-plugin puts a plugin into a process of its own. Both sides use completion queues polled by one thread,
// the cheapest of gRPC's interfaces for this. No sandbox, no JSON, no deadlines: only what gRPC does.
//
// Usage: garland_grpc_bench            answers the commands of peer.h; starts the server itself
//        garland_grpc_bench SOCKET FD  the server: says so by a byte on FD once it listens
#include "tests/bench/peer.h"

#include "echo.grpc.pb.h"

#include <grpcpp/grpcpp.h>

#include <array>
#include <csignal>
#include <cstdlib>
#include <filesystem>
#include <memory>
#include <optional>

#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

namespace garland::bench {
namespace {

// ---------------------------------------------------------------- server

// A call of the server: waits for a request, answers it, and waits for the next.
class Served {
public:
  Served(Echo::AsyncService& service, grpc::ServerCompletionQueue& queue) : service_(service), queue_(queue) {
    await();
  }
  void proceed(bool ok) {
    if (!ok) return;
    if (std::exchange(answered_, !answered_)) return await();
    answer_.set_allocated_data(request_.release_data());
    writer_->Finish(answer_, grpc::Status::OK, this);
  }

private:
  void await() {
    context_.emplace();
    writer_.emplace(&*context_);
    service_.RequestCall(&*context_, &request_, &*writer_, &queue_, &queue_, this);
  }

  Echo::AsyncService& service_;
  grpc::ServerCompletionQueue& queue_;
  std::optional<grpc::ServerContext> context_;
  Payload request_;
  Payload answer_;
  std::optional<grpc::ServerAsyncResponseWriter<Payload>> writer_;
  bool answered_ = false;
};

int serveEcho(std::string const& address, int ready) {
  ::prctl(PR_SET_PDEATHSIG, SIGKILL); // the client may be ended by force
  Echo::AsyncService service;
  grpc::ServerBuilder builder;
  builder.AddListeningPort(address, grpc::InsecureServerCredentials());
  builder.RegisterService(&service);
  auto const queue = builder.AddCompletionQueue();
  auto const server = builder.BuildAndStart();
  if (!server) return 1;
  std::vector<std::unique_ptr<Served>> calls;
  for (int i = 0; i < 1024; ++i) calls.push_back(std::make_unique<Served>(service, *queue));
  if (::write(ready, "", 1) != 1) return 1;
  void* tag = nullptr;
  bool ok = false;
  while (queue->Next(&tag, &ok)) static_cast<Served*>(tag)->proceed(ok);
  return 0;
}

// ---------------------------------------------------------------- client

struct Asked {
  std::optional<grpc::ClientContext> context;
  Payload answer;
  grpc::Status status;
  std::unique_ptr<grpc::ClientAsyncResponseReader<Payload>> reader;
  SteadyClock::time_point begun;
};

class GrpcPeer final : public Peer {
public:
  GrpcPeer() { start(); }
  ~GrpcPeer() override {
    stop();
    std::filesystem::remove_all(folder_);
  }

  void start() override {
    auto const address = "unix:" + (folder_ / "socket").string();
    spawnServer(address);
    grpc::ChannelArguments arguments;
    arguments.SetInt(GRPC_ARG_USE_LOCAL_SUBCHANNEL_POOL, 1); // no back-off left over from the last server
    channel_ = grpc::CreateCustomChannel(address, grpc::InsecureChannelCredentials(), arguments);
    stub_ = Echo::NewStub(channel_);
    Times once{std::chrono::milliseconds(0)};
    Payload request;
    Asked asked;
    ask(asked, request, once);
    take(once);
  }
  void call(std::size_t bytes, int in_flight, Times& times) override {
    Payload request;
    request.set_data(std::string(bytes, 'x'));
    std::vector<Asked> asked(static_cast<std::size_t>(in_flight));
    for (auto& each : asked) ask(each, request, times);
    for (int open = in_flight; open > 0;) {
      auto& done = take(times);
      if (times.goOn())
        ask(done, request, times);
      else
        --open;
    }
  }
  void stop() override {
    if (server_ <= 0) return;
    stub_.reset();
    channel_.reset();
    ::kill(server_, SIGKILL);
    ::waitpid(server_, nullptr, 0);
    server_ = 0;
  }
  pid_t partner() const override { return server_; }

private:
  void ask(Asked& asked, Payload const& request, Times& times) {
    asked.begun = times.begin();
    asked.context.emplace();
    asked.reader = stub_->AsyncCall(&*asked.context, request, &queue_);
    asked.reader->Finish(&asked.answer, &asked.status, &asked);
  }
  Asked& take(Times& times) {
    void* tag = nullptr;
    bool ok = false;
    if (!queue_.Next(&tag, &ok) || !ok) throw std::runtime_error("the completion queue ended");
    auto& asked = *static_cast<Asked*>(tag);
    if (!asked.status.ok()) throw std::runtime_error("gRPC: " + asked.status.error_message());
    times.ended(asked.begun);
    return asked;
  }
  void spawnServer(std::string const& address) {
    std::array<int, 2> ready{};
    if (::pipe(ready.data()) != 0) throw std::runtime_error("pipe failed");
    auto const fd = std::to_string(ready[1]);
    server_ = ::vfork();
    if (server_ == 0) {
      ::execl("/proc/self/exe", "garland_grpc_bench", address.c_str(), fd.c_str(), nullptr);
      ::_exit(127);
    }
    ::close(ready[1]);
    char byte = 0;
    bool const listens = ::read(ready[0], &byte, 1) == 1;
    ::close(ready[0]);
    if (!listens) throw std::runtime_error("the gRPC server does not start");
  }

  std::filesystem::path folder_ = makeFolder();
  grpc::CompletionQueue queue_;
  std::shared_ptr<grpc::Channel> channel_;
  std::unique_ptr<Echo::Stub> stub_;
  pid_t server_ = 0;

  static std::filesystem::path makeFolder() {
    auto pattern = (std::filesystem::temp_directory_path() / "garland-grpc-XXXXXX").string();
    if (::mkdtemp(pattern.data()) == nullptr) throw std::runtime_error("no temporary folder");
    return pattern;
  }
};

} // namespace
} // namespace garland::bench

int main(int argc, char** argv) {
  try {
    if (argc == 3) return garland::bench::serveEcho(argv[1], std::atoi(argv[2]));
    garland::bench::GrpcPeer peer;
    return garland::bench::serve(peer);
  } catch (std::exception const& problem) {
    std::fprintf(stderr, "garland_grpc_bench: %s\n", problem.what());
    return 1;
  }
}
