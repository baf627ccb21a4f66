#include "tests/hostile/driver/stage.h"
#include "tests/places/places.h"

namespace garland::hostile {
namespace {

constexpr Milliseconds kRecordTakes{5};

} // namespace

std::string Tier::workerPath() const {
  switch (letter) {
  case 'N': return inBuild("/tests/hostile/hostile_naked_worker"); // --control
  case 'A': return inBuild("/bin/garland-worker");
  default: return inBuild("/tests/hostile/hostile_worker_") + letter;
  }
}

// ---------------------------------------------------------------- host

void Host::hear(std::string_view words) {
  if (scene_) scene_->hear(words);
}

Task<runtime::HttpAnswer> Host::http(runtime::HttpAsk ask) {
  ++requests;
  hear(ask.url);
  hear(ask.body);
  for (auto const& [name, value] : ask.headers) hear(value);
  runtime::HttpAnswer answer;
  answer.status = 200;
  answer.body = "answered";
  co_return answer;
}

Task<void> Host::emit(std::string kind, std::string record) {
  ++records;
  hear(kind);
  hear(record);
  last_record = std::move(record);
  if (scene_) {
    CO_TRY_VOID(co_await clock_.sleepFor(kRecordTakes));
  }
  co_return Result<void>();
}

Task<void> Host::checkpoint(std::string cursor) {
  hear(cursor);
  co_return Result<void>();
}

Task<runtime::KvEntry> Host::kvGet(std::string key) {
  hear(key);
  co_return Error(ErrorKind::notFound, "no such key");
}

Task<void> Host::kvPut(std::string key, Bytes value, std::uint64_t, Milliseconds) {
  hear(key);
  hear({reinterpret_cast<char const*>(value.data()), value.size()});
  co_return Result<void>();
}

void Host::log(LogLevel, std::string message, std::string fields) {
  ++log_lines;
  hear(message);
  hear(fields);
}

void Host::progress(std::uint64_t, std::uint64_t, std::string what) { hear(what); }

// ---------------------------------------------------------------- stage

Stage::Stage(Scene& scene, runtime::SupervisorOptions options)
    : log(clock, redactor, LogLevel::debug, [&scene](std::string_view line) { scene.hear(line); }),
      supervisor(runtime::Supervisor::create(loop.get_executor(), clock, random, log, std::move(options))) {}

Stage::~Stage() { run(supervisor->shutdown()); }

void Stage::run(Task<void> task) {
  std::optional<Result<void>> out;
  asio::co_spawn(loop, std::move(task), [&out](std::exception_ptr bug, Result<void> result) {
    if (bug) std::rethrow_exception(bug);
    out = std::move(result);
  });
  loop.restart();
  while (!out)
    if (loop.run_one() == 0) throw std::runtime_error("the loop ran dry");
  if (!*out) throw std::runtime_error(out->error().message);
}

Task<json::value> Stage::call(runtime::PluginInfo const& plugin, std::string vendor, std::string operation,
                              json::value input, Milliseconds deadline, runtime::CallHost& host) {
  json::object account;
  account["account_id"] = "con_" + vendor;
  account["settings"] = json::object();
  account["slots"] = json::array();
  runtime::Call call;
  call.operation = std::move(operation);
  call.account_id = "con_" + vendor;
  call.vendor_id = std::move(vendor);
  call.account = json::serialize(account);
  call.input = json::serialize(input);
  call.deadline = deadline;
  CO_TRY(result, co_await supervisor->call(plugin, std::move(call), host));
  if (result.empty()) co_return json::value();
  co_return parseJson(result);
}

std::optional<runtime::WorkerStatus> Stage::worker(std::string_view plugin_id,
                                                   std::string_view vendor) const {
  for (auto& status : supervisor->workers())
    if (status.plugin_id == plugin_id && (status.vendor_id.empty() || status.vendor_id == vendor))
      return status;
  return std::nullopt;
}

std::string Stage::lastExit(std::string_view plugin_id, std::string_view vendor) const {
  auto const status = worker(plugin_id, vendor);
  return status ? status->last_exit : std::string();
}

} // namespace garland::hostile
