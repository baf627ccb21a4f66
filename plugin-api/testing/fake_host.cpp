// The public face of FakeHost: entering a plugin, opening an account, running operations.
#include "fake_host_state.h"

#include <boost/json/serialize.hpp>

#include <algorithm>
#include <stdexcept>

namespace garland::testing {
namespace {

std::string text(garland_str span) { return {span.ptr == nullptr ? "" : span.ptr, span.len}; }

json::value parsed(std::string_view document, std::string const& what) {
  json::error_code error;
  auto value = json::parse(document, error);
  if (error) throw std::runtime_error(what + " is not JSON: " + error.message());
  return value;
}

void requireManifest(json::value const& manifest) {
  auto const problems = schemaProblems("manifest.json", manifest);
  if (!problems.empty()) throw std::runtime_error("the manifest is refused: " + problems.front());
}

void requireSame(garland_plugin const& plugin, json::value const& manifest) {
  auto const same = [&](garland_str said, char const* member) {
    if (text(said) != std::string_view(manifest.at(member).as_string()))
      throw std::runtime_error("the plugin says its " + std::string(member) + " is \"" + text(said) +
                               "\", its manifest says otherwise");
  };
  same(plugin.id, "id");
  same(plugin.version, "version");
  for (auto const& operation : manifest.at("operations").as_array()) {
    std::string_view const id = operation.as_string();
    if (plugin.find_op({id.data(), id.size()}) == nullptr)
      throw std::runtime_error("the manifest lists " + std::string(id) + ", which the plugin does not offer");
  }
  constexpr std::string_view unknown = "garland.no_such_operation/1";
  if (plugin.find_op({unknown.data(), unknown.size()}) != nullptr)
    throw std::runtime_error("the plugin offers an operation that does not exist");
}

} // namespace

std::string HttpRequest::header(std::string_view name) const {
  auto const lower = [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c | 0x20) : c; };
  for (auto const& [header_name, value] : headers)
    if (std::ranges::equal(header_name, name, {}, lower, lower)) return value;
  return {};
}

FakeHost::FakeHost(garland_entry_v1_fn entry, std::string_view manifest) : state_(std::make_unique<State>()) {
  state_->manifest = parsed(manifest, "the manifest");
  requireManifest(state_->manifest);
  host_ = hostTable(*state_);
  plugin_.size = sizeof plugin_;
  if (auto const status = entry(&host_, &plugin_); status != GARLAND_OK)
    throw std::runtime_error("garland_entry_v1 answered " + std::to_string(status));
  requireSame(plugin_, state_->manifest);
}

FakeHost::~FakeHost() {
  close();
  if (plugin_.shutdown != nullptr) plugin_.shutdown();
}

void FakeHost::close() {
  if (instance_ != nullptr) plugin_.close(instance_);
  instance_ = nullptr;
}

void FakeHost::serve(HttpServer server) { state_->server = std::move(server); }

void FakeHost::expect(std::string method, std::string url, HttpReply reply) {
  state_->script.push_back({std::move(method), std::move(url), std::move(reply)});
}

Outcome FakeHost::open(json::object settings, std::optional<std::vector<std::string>> slots) {
  close();
  json::array names;
  if (slots)
    names = json::array(slots->begin(), slots->end());
  else
    for (auto const& slot : state_->manifest.at("auth").as_array()) names.push_back(slot.at("slot"));
  state_->settings = settings;
  auto const account = json::serialize(json::object{
      {"account_id", "con_fake"}, {"settings", std::move(settings)}, {"slots", std::move(names)}});
  auto& call = state_->begin("open");
  auto const status = plugin_.open(&call, {account.data(), account.size()}, &instance_);
  return finish(call, status);
}

Outcome FakeHost::run(std::string_view operation, json::value input) {
  if (instance_ == nullptr)
    if (auto opened = open(); !opened.ok()) return opened;
  auto const op = plugin_.find_op({operation.data(), operation.size()});
  if (op == nullptr) throw std::runtime_error("the plugin does not offer " + std::string(operation));
  auto const document = json::serialize(input);
  auto& call = state_->begin(std::string(operation));
  auto const status = op(instance_, &call, {document.data(), document.size()});
  return finish(call, status);
}

Outcome FakeHost::finish(garland_call& call, garland_status status) {
  Outcome outcome = std::move(call.outcome);
  outcome.status = status;
  if (outcome.ok())
    state_->checkResult(call.operation, outcome.result);
  else if (status != call.failed_with)
    state_->blame(call.operation + " returned " + std::to_string(status) + " without telling host->fail why");
  call.end();
  if (!state_->misuse.empty() && !tolerate_misuse_) {
    std::string all = "the plugin misused the host:";
    for (auto const& one : state_->misuse) all += "\n  " + one;
    throw std::logic_error(all);
  }
  return outcome;
}

void FakeHost::advance(Milliseconds span) { state_->elapsed += span; }
void FakeHost::cancelAfter(std::size_t host_calls) { state_->cancel_at = state_->host_calls + host_calls; }
void FakeHost::refuseOutputAfter(std::size_t good, garland_status status) {
  state_->outputs_left = good;
  state_->output_refusal = status;
}

std::vector<Emitted> const& FakeHost::emitted() const { return state_->emitted; }

std::vector<json::value> FakeHost::emitted(std::string_view kind) const {
  std::vector<json::value> found;
  for (auto const& one : state_->emitted)
    if (one.kind == kind) found.push_back(one.record);
  return found;
}

std::vector<json::value> const& FakeHost::checkpoints() const { return state_->checkpoints; }
std::size_t FakeHost::durable() const { return state_->durable; }
std::vector<HttpRequest> const& FakeHost::requests() const { return state_->requests; }
std::vector<LogLine> const& FakeHost::logs() const { return state_->logs; }
std::vector<std::string> const& FakeHost::misuse() const { return state_->misuse; }
std::pair<std::uint64_t, std::uint64_t> FakeHost::progress() const { return state_->progress; }
Milliseconds FakeHost::slept() const { return state_->slept; }

std::map<std::string, std::string> FakeHost::stored() const {
  std::map<std::string, std::string> values;
  for (auto const& [key, entry] : state_->kv) values[key] = entry.value;
  return values;
}

void FakeHost::clear() {
  state_->emitted.clear();
  state_->checkpoints.clear();
  state_->requests.clear();
  state_->logs.clear();
  state_->misuse.clear();
  state_->durable = 0;
  state_->progress = {};
  state_->slept = {};
}

} // namespace garland::testing
