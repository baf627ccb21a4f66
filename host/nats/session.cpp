#include "host/nats/session.h"

#include "host/nats/lines.h"

#include <utility>
#include <vector>

namespace garland::nats {
namespace {

constexpr std::int64_t kPatience = 60'000;    // milliseconds; then next() asks again
constexpr std::int64_t kAge = 60'000'000'000; // nanoseconds; who was away for longer looks everywhere
constexpr std::int64_t kBytes = 16 << 20;     // of the stream
constexpr auto kStreamIsThere = JSStreamNameExistErr;

using NatsOptions = std::unique_ptr<natsOptions, Destroy<natsOptions_Destroy>>;

Result<void> good(natsStatus status, std::string const& doing) {
  if (status == NATS_OK) return {};
  natsStatus about = NATS_OK;
  char const* const words = nats_GetLastError(&about);
  std::string why = natsStatus_GetText(status);
  if (about == status && words != nullptr && *words != '\0') why += std::string(" (") + words + ")";
  return Error(ErrorKind::transient, doing + ": " + why);
}

// Whatever it is, the call that comes next fails as well.
void ignore(natsConnection*, natsSubscription*, natsStatus, void*) {}

Result<void> secure(natsOptions* with, Options const& options) {
  TRY_VOID(good(natsOptions_SetSecure(with, true), "encrypting"));
  if (options.ca_file.empty()) return {};
  return good(natsOptions_LoadCATrustedCertificates(with, options.ca_file.c_str()),
              "reading " + options.ca_file);
}

Result<NatsOptions> optionsOf(Options const& options) {
  natsOptions* made = nullptr;
  TRY_VOID(good(natsOptions_Create(&made), "beginning"));
  NatsOptions with(made);
  auto const servers = split(options.servers, ',');
  std::vector<char const*> addresses;
  addresses.reserve(servers.size());
  for (auto const& server : servers) addresses.push_back(server.c_str());
  TRY_VOID(good(natsOptions_SetServers(made, addresses.data(), static_cast<int>(addresses.size())),
                "taking the addresses"));
  TRY_VOID(good(natsOptions_SetName(made, "garlandd"), "taking a name"));
  TRY_VOID(good(natsOptions_SetAllowReconnect(made, false), "connecting once"));
  TRY_VOID(good(natsOptions_SetTimeout(made, options.limit.count()), "setting a limit"));
  TRY_VOID(good(natsOptions_SetWriteDeadline(made, options.limit.count()), "setting a limit"));
  TRY_VOID(good(natsOptions_SetErrorHandler(made, ignore, nullptr), "keeping quiet"));
  if (options.servers.find("tls://") != std::string::npos || !options.ca_file.empty()) {
    TRY_VOID(secure(made, options));
  }
  if (!options.credentials_file.empty()) {
    auto const& file = options.credentials_file;
    TRY_VOID(good(natsOptions_SetUserCredentialsFromFiles(made, file.c_str(), nullptr), "reading " + file));
  }
  return with;
}

} // namespace

Result<std::unique_ptr<Session>> Session::open(Options const& options) {
  std::unique_ptr<Session> session(new Session(options));
  TRY_VOID(session->connect(options));
  TRY_VOID(session->findOrMakeStream());
  TRY_VOID(session->consume());
  return session;
}

Result<void> Session::connect(Options const& options) {
  TRY(with, optionsOf(options));
  natsConnection* connection = nullptr;
  TRY_VOID(good(natsConnection_Connect(&connection, with.get()), "connecting"));
  connection_.reset(connection);
  jsOptions limits;
  jsOptions_Init(&limits);
  limits.Wait = options.limit.count();
  jsCtx* context = nullptr;
  TRY_VOID(good(natsConnection_JetStream(&context, connection, &limits), "asking for JetStream"));
  stream_context_.reset(context);
  return {};
}

// One that an operator has made, with more replicas or other bounds, is taken as it is. In memory: what is
// older than a restart of the server is of no use to anybody.
Result<void> Session::findOrMakeStream() {
  jsStreamInfo* info = nullptr;
  auto const found = js_GetStreamInfo(&info, stream_context_.get(), stream_.c_str(), nullptr, nullptr);
  jsStreamInfo_Destroy(info);
  if (found != NATS_NOT_FOUND) return good(found, "looking for the stream " + stream_);
  char const* subject = subject_.c_str();
  jsStreamConfig config;
  jsStreamConfig_Init(&config);
  config.Name = stream_.c_str();
  config.Subjects = &subject;
  config.SubjectsLen = 1;
  config.Storage = js_MemoryStorage;
  config.MaxAge = kAge;
  config.MaxBytes = kBytes;
  jsErrCode why{};
  auto const made = js_AddStream(nullptr, stream_context_.get(), &config, nullptr, &why);
  if (why == kStreamIsThere) return {}; // another daemon was faster
  return good(made, "making the stream " + stream_);
}

// From now on: whoever begins looks everywhere first.
Result<void> Session::consume() {
  jsSubOptions how;
  jsSubOptions_Init(&how);
  how.Stream = stream_.c_str();
  how.Config.DeliverPolicy = js_DeliverNew;
  how.Config.AckPolicy = js_AckNone;
  how.Config.MemoryStorage = true;
  natsSubscription* consumer = nullptr;
  TRY_VOID(good(js_SubscribeSync(&consumer, stream_context_.get(), subject_.c_str(), nullptr, &how, nullptr),
                "reading the stream " + stream_));
  consumer_.reset(consumer);
  return {};
}

Result<void> Session::publish(std::string const& message) {
  return good(js_Publish(nullptr, stream_context_.get(), subject_.c_str(), message.data(),
                         static_cast<int>(message.size()), nullptr, nullptr),
              "writing to the stream " + stream_);
}

Result<void> Session::check() {
  jsConsumerInfo* info = nullptr;
  auto const found = natsSubscription_GetConsumerInfo(&info, consumer_.get(), nullptr, nullptr);
  jsConsumerInfo_Destroy(info);
  return good(found, "reading the stream " + stream_);
}

Result<std::optional<std::string>> Session::next() {
  for (;;) {
    natsMsg* got = nullptr;
    auto const status = natsSubscription_NextMsg(&got, consumer_.get(), kPatience);
    std::unique_ptr<natsMsg, Destroy<natsMsg_Destroy>> const message(got);
    if (status == NATS_TIMEOUT) continue;
    if (status == NATS_SLOW_CONSUMER) return std::nullopt;
    TRY_VOID(good(status, "reading the stream " + stream_));
    auto const length = static_cast<std::size_t>(natsMsg_GetDataLength(got));
    return std::string(natsMsg_GetData(got), length);
  }
}

} // namespace garland::nats
