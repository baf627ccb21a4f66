#include "host/runtime/crash_capsule.h"

#include "host/base/bytes.h"
#include "host/base/utf8.h"
#include "host/runtime/image.h"
#include "host/runtime/owned_fd.h"
#include "host/vault/vault.h"

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <cstring>
#include <fcntl.h>
#include <filesystem>
#include <tuple>

namespace garland::runtime {
namespace {

namespace fs = std::filesystem;

constexpr int kFormat = 1;
constexpr std::size_t kDigestDigits = 16;
constexpr std::size_t kMaxFile = 16U << 20U;

// ---------------------------------------------------------------- to JSON

// Text that is not UTF-8 cannot stand in JSON: it goes as base64 under "<name>_base64".
void putText(json::object& out, std::string_view name, std::string const& text) {
  if (isUtf8(text))
    out[name] = text;
  else
    out[std::string(name) + "_base64"] = base64(text);
}

json::value toJson(HostCall const& call) {
  json::object out;
  out["call"] = call.call;
  if (!call.method.empty()) out["method"] = call.method;
  if (!call.url.empty()) out["url"] = call.url;
  if (!call.key.empty()) out["key"] = call.key;
  if (!call.answered) {
    out["answered"] = false;
    return out;
  }
  if (call.error) {
    out["error"] = toJson(*call.error);
    return out;
  }
  if (call.status != 0) out["status"] = call.status;
  json::array headers;
  for (auto const& [name, value] : call.headers) headers.push_back(json::array{name, value});
  if (!headers.empty()) out["headers"] = std::move(headers);
  if (!call.body_kept)
    out["body_kept"] = false;
  else if (!call.body.empty())
    putText(out, "body", call.body);
  return out;
}

json::value toJson(StackFrame const& frame) {
  json::object out{{"object", frame.object}, {"offset", frame.offset}};
  if (!frame.function.empty()) out["function"] = frame.function;
  return out;
}

// ---------------------------------------------------------------- secrets

json::value scrub(json::value const& value, Redactor const& redactor) {
  if (auto const* text = value.if_string()) return json::value(redactor.scrub(*text));
  if (auto const* list = value.if_array()) {
    json::array out;
    for (auto const& item : *list) out.push_back(scrub(item, redactor));
    return out;
  }
  if (auto const* members = value.if_object()) {
    json::object out;
    for (auto const& [name, item] : *members) out[redactor.scrub(name)] = scrub(item, redactor);
    return out;
  }
  return value;
}

// Before the text becomes JSON or base64, where a secret would not be known again.
CrashReport scrub(CrashReport report, Redactor const& redactor) {
  auto const clean = [&](std::string& text) { text = redactor.scrub(text); };
  report.account = scrub(report.account, redactor);
  report.input = scrub(report.input, redactor);
  clean(report.how);
  for (auto& frame : report.stack) clean(frame.function);
  for (auto& call : report.host_calls) {
    for (auto* text : {&call.method, &call.url, &call.key, &call.body}) clean(*text);
    for (auto& [name, value] : call.headers) clean(value);
    if (!call.error) continue;
    clean(call.error->message);
    clean(call.error->user_message);
    clean(call.error->provider_code);
    call.error->detail = scrub(call.error->detail, redactor);
  }
  return report;
}

// ---------------------------------------------------------------- from JSON

Error wrong(std::string where, std::string what) {
  return Error(ErrorKind::invalidInput, "the capsule's " + where + " " + what, where);
}

Result<std::string> bytesAt(json::value const& object, std::string const& pointer) {
  auto const encoded = textOr(object, pointer + "_base64", "");
  if (encoded.empty()) return textOr(object, pointer, "");
  return fromBase64(encoded);
}

// ABI rule E5: a kind that is not known reads as provider_bug.
Error parseError(json::value const& value) {
  auto const kind = errorKindNamed(textOr(value, "/kind", ""));
  Error error(kind.value_or(ErrorKind::providerBug), textOr(value, "/message", "no reason is recorded"));
  auto const effect = textOr(value, "/effect", "unknown");
  for (auto const one : {Effect::notApplied, Effect::applied, Effect::unknown})
    if (effect == name(one)) error.effect = one;
  error.provider_code = textOr(value, "/provider_code", "");
  return error;
}

Result<HostCall> parseHostCall(json::value const& value) {
  HostCall call;
  TRY(kind, textAt(value, "/call"));
  call.call = std::move(kind);
  call.method = textOr(value, "/method", "");
  call.url = textOr(value, "/url", "");
  call.key = textOr(value, "/key", "");
  call.status = static_cast<int>(integerOr(value, "/status", call.call == "http" ? 200 : 0));
  call.body_kept = boolOr(value, "/body_kept", true);
  call.answered = boolOr(value, "/answered", true);
  TRY(body, bytesAt(value, "/body"));
  call.body = std::move(body);
  if (auto const* headers = find(value, "/headers"); headers != nullptr && headers->is_array())
    for (auto const& header : headers->as_array())
      call.headers.emplace_back(textOr(header, "/0", ""), textOr(header, "/1", ""));
  if (auto const* error = find(value, "/error")) call.error = parseError(*error);
  return call;
}

StackFrame parseFrame(json::value const& value) {
  StackFrame frame;
  frame.object = textOr(value, "/object", "?");
  frame.function = textOr(value, "/function", "");
  frame.offset = static_cast<std::uint64_t>(integerOr(value, "/offset", 0));
  return frame;
}

json::value memberOr(json::value const& value, std::string_view pointer, json::value fallback) {
  auto const* found = find(value, pointer);
  if (found == nullptr) return fallback;
  return *found;
}

// ---------------------------------------------------------------- files

Error diskError(std::string const& path) {
  return Error(ErrorKind::hostLimit, "cannot write " + path + ": " + std::strerror(errno));
}

// Of "<digest, 16 digits>-<n>.json"; other names are somebody else's files.
std::optional<std::uint64_t> capsuleNumber(std::string_view name) {
  constexpr std::string_view kEnding = ".json";
  if (name.size() <= kDigestDigits + 1 + kEnding.size() || name[kDigestDigits] != '-') return std::nullopt;
  if (!name.ends_with(kEnding)) return std::nullopt;
  std::uint64_t number = 0;
  auto const* const end = name.data() + name.size() - kEnding.size();
  auto const read = std::from_chars(name.data() + kDigestDigits + 1, end, number);
  if (read.ec != std::errc() || read.ptr != end) return std::nullopt;
  return number;
}

Result<void> writePrivately(std::string const& path, std::string_view text) {
  OwnedFd const file(::open(path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600));
  if (!file) return diskError(path);
  while (!text.empty()) {
    auto const written = ::write(file.get(), text.data(), text.size());
    if (written < 0 && errno == EINTR) continue;
    if (written <= 0) {
      auto error = diskError(path);
      ::unlink(path.c_str());
      return error;
    }
    text.remove_prefix(static_cast<std::size_t>(written));
  }
  return {};
}

} // namespace

std::string CrashReport::summary() const {
  auto const* where = culprit(stack);
  return how + (where == nullptr ? "" : ", in " + where->describe());
}

json::value toJson(CrashReport const& report) {
  json::array stack;
  for (auto const& frame : report.stack) stack.push_back(toJson(frame));
  json::array calls;
  for (auto const& call : report.host_calls) calls.push_back(toJson(call));
  return json::object{{"capsule", kFormat},
                      {"at", rfc3339(report.at)},
                      {"summary", report.summary()},
                      {"how", report.how},
                      {"plugin", json::object{{"id", report.plugin_id},
                                              {"version", report.plugin_version},
                                              {"path", report.plugin_path},
                                              {"digest", report.digest},
                                              {"build_id", report.build_id}}},
                      {"operation", report.operation},
                      {"account_id", report.account_id},
                      {"account", report.account},
                      {"input", report.input},
                      {"stack", std::move(stack)},
                      {"emitted", report.emitted},
                      {"checkpoints", report.checkpoints},
                      {"host_calls", std::move(calls)}};
}

Result<std::vector<HostCall>> parseHostCalls(json::value const& document) {
  std::vector<HostCall> out;
  auto const* calls = find(document, "/host_calls");
  if (calls == nullptr) return out;
  if (!calls->is_array()) return wrong("/host_calls", "must be a list");
  for (auto const& one : calls->as_array()) {
    TRY(call, parseHostCall(one));
    out.push_back(std::move(call));
  }
  return out;
}

Result<CrashReport> parseCapsule(std::string_view text) {
  TRY(value, parseJson(text, JsonLimits{kMaxFile, 64}));
  if (integerOr(value, "/capsule", 0) != kFormat)
    return wrong("/capsule", "must be " + std::to_string(kFormat) + "; is this a capsule at all?");
  CrashReport report;
  report.plugin_id = textOr(value, "/plugin/id", "");
  report.plugin_version = textOr(value, "/plugin/version", "");
  report.plugin_path = textOr(value, "/plugin/path", "");
  report.digest = textOr(value, "/plugin/digest", "");
  report.build_id = textOr(value, "/plugin/build_id", "");
  report.operation = textOr(value, "/operation", "");
  report.account_id = textOr(value, "/account_id", "");
  report.account = memberOr(value, "/account", json::object());
  report.input = memberOr(value, "/input", json::object());
  report.how = textOr(value, "/how", "");
  report.emitted = static_cast<std::uint64_t>(integerOr(value, "/emitted", 0));
  report.checkpoints = static_cast<std::uint64_t>(integerOr(value, "/checkpoints", 0));
  if (auto const at = parseRfc3339(textOr(value, "/at", ""))) report.at = *at;
  if (auto const* stack = find(value, "/stack"); stack != nullptr && stack->is_array())
    for (auto const& frame : stack->as_array()) report.stack.push_back(parseFrame(frame));
  TRY(calls, parseHostCalls(value));
  report.host_calls = std::move(calls);
  return report;
}

bool isBuildOf(CrashReport const& report, std::string_view plugin) {
  return vault::sha256Hex(plugin) == report.digest;
}

Result<std::string> CapsuleFolder::keep(CrashReport const& report) const {
  auto clean = scrub(report, redactor_);
  auto text = redactor_.scrub(json::serialize(toJson(clean)));
  if (text.size() > kMaxBytes) {
    for (auto& call : clean.host_calls) call.body_kept = false;
    text = redactor_.scrub(json::serialize(toJson(clean)));
  }
  if (text.size() > kMaxBytes) {
    clean.input = nullptr;
    text = redactor_.scrub(json::serialize(toJson(clean)));
  }
  if (text.size() > kMaxBytes) { // headers, addresses and errors of 128 asks
    clean.host_calls.clear();
    clean.account = nullptr;
    text = redactor_.scrub(json::serialize(toJson(clean)));
  }
  if (text.size() > kMaxBytes) return Error(ErrorKind::hostLimit, "a capsule is larger than 2 MiB");
  std::error_code failed;
  fs::create_directories(folder_, failed);
  fs::permissions(folder_, fs::perms::owner_all, failed);
  auto existing = numbered(report.digest);
  auto const number = existing.empty() ? 1 : existing.back().first + 1;
  auto path = folder_ + "/" + report.digest.substr(0, kDigestDigits) + "-" + std::to_string(number) + ".json";
  TRY_VOID(writePrivately(path, text + "\n"));
  for (std::size_t i = 0; i + kKept <= existing.size(); ++i) fs::remove(existing[i].second, failed);
  removeOldestOfAll();
  return path;
}

// Builds come and go, and nobody asks again for the capsules of old ones. By age, and by name where that is
// equal.
void CapsuleFolder::removeOldestOfAll() const {
  std::vector<std::tuple<fs::file_time_type, std::uint64_t, fs::path>> all;
  std::error_code failed;
  for (fs::directory_iterator entry(folder_, failed); !failed && entry != fs::directory_iterator();
       entry.increment(failed)) {
    std::error_code gone;
    auto const written = entry->last_write_time(gone);
    auto const number = capsuleNumber(entry->path().filename().string());
    if (!gone && number) all.emplace_back(written, *number, entry->path());
  }
  std::ranges::sort(all);
  for (std::size_t i = 0; i + kKeptInAll < all.size(); ++i) fs::remove(std::get<2>(all[i]), failed);
}

std::optional<CapsuleNote> CapsuleFolder::newest(std::string_view digest) const {
  auto const existing = numbered(digest);
  if (existing.empty()) return std::nullopt;
  auto const& path = existing.back().second;
  auto const text = readPluginFile(path, kMaxFile);
  if (!text) return std::nullopt;
  auto const value = parseJson(*text, JsonLimits{kMaxFile, 64});
  if (!value) return std::nullopt;
  return CapsuleNote{path, textOr(*value, "/at", ""), textOr(*value, "/summary", "")};
}

// Oldest first.
std::vector<std::pair<std::uint64_t, std::string>> CapsuleFolder::numbered(std::string_view digest) const {
  std::vector<std::pair<std::uint64_t, std::string>> out;
  auto const prefix = std::string(digest.substr(0, kDigestDigits)) + "-";
  std::error_code failed;
  for (fs::directory_iterator entry(folder_, failed); !failed && entry != fs::directory_iterator();
       entry.increment(failed)) {
    auto const name = entry->path().filename().string();
    if (!name.starts_with(prefix)) continue;
    if (auto const number = capsuleNumber(name)) out.emplace_back(*number, entry->path().string());
  }
  std::ranges::sort(out);
  return out;
}

} // namespace garland::runtime
