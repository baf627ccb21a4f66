#include "host/base/log.h"

#include "host/base/secret.h"
#include "host/base/secret_forms.h"

#include <unistd.h>

#include <algorithm>
#include <array>
#include <utility>
#include <vector>

namespace garland {
namespace {

constexpr std::size_t kShortestSecret = 4;
constexpr std::string_view kHidden = "[secret]";

struct Span {
  std::size_t begin = 0;
  std::size_t end = 0;
};

// Somebody's secret may be the very word that hidden ones are shown as.
bool isWithinHidden(std::string_view text, Span const& span) {
  auto const first = span.end < kHidden.size() ? 0 : span.end - kHidden.size();
  return first <= span.begin &&
         text.substr(first, span.begin + kHidden.size() - first).find(kHidden) != std::string_view::npos;
}

// Those that overlap are hidden as one, so that no tail of either is left standing.
std::string hidden(std::string_view text, std::vector<Span> spans) {
  std::sort(spans.begin(), spans.end(), [](Span const& a, Span const& b) { return a.begin < b.begin; });
  std::string out;
  std::size_t done = 0;
  for (auto const& span : spans) {
    if (span.begin >= done) out.append(text.substr(done, span.begin - done)).append(kHidden);
    done = std::max(done, span.end);
  }
  return out.append(text.substr(done));
}

} // namespace

void Redactor::add(std::string_view secret) {
  if (secret.size() < kShortestSecret) return;
  SecretForms const forms(secret);
  std::lock_guard const lock(mutex_);
  for (auto const& form : forms.all()) forms_.insert(form);
}

void Redactor::remove(std::string_view secret) {
  if (secret.size() < kShortestSecret) return;
  SecretForms const forms(secret);
  std::lock_guard const lock(mutex_);
  for (auto const& form : forms.all()) {
    auto const found = forms_.find(form);
    if (found == forms_.end()) continue;
    auto node = forms_.extract(found);
    wipe(node.value().data(), node.value().size());
  }
}

std::string Redactor::scrub(std::string_view text) const {
  std::vector<Span> spans;
  std::lock_guard const lock(mutex_);
  for (auto const& form : forms_) {
    for (auto at = text.find(form); at != std::string_view::npos; at = text.find(form, at + form.size())) {
      Span const span{at, at + form.size()};
      if (!isWithinHidden(text, span)) spans.push_back(span);
    }
  }
  return hidden(text, std::move(spans));
}

std::string_view name(LogLevel level) {
  constexpr std::array<std::string_view, 4> kNames = {"debug", "info", "warn", "error"};
  return kNames[static_cast<std::size_t>(level)];
}

Log::Log(Clock const& clock, Redactor const& redactor, LogLevel least, Sink sink)
    : clock_(clock), redactor_(redactor), least_(least), sink_(std::move(sink)) {}

void Log::write(LogLevel level, std::string_view message, json::object fields) const {
  if (!writes(level)) return;
  json::object line;
  line["at"] = rfc3339(clock_.now());
  line["level"] = name(level);
  line["message"] = message;
  for (auto& field : fields) line.insert_or_assign(field.key(), std::move(field.value()));
  auto const text = redactor_.scrub(json::serialize(line)) + "\n";
  std::lock_guard const lock(mutex_);
  sink_(text);
}

Log::Sink stderrSink() {
  return [](std::string_view line) {
    while (!line.empty()) {
      auto const written = ::write(STDERR_FILENO, line.data(), line.size());
      if (written <= 0) return; // nobody listens; a log line must never stop the daemon
      line.remove_prefix(static_cast<std::size_t>(written));
    }
  };
}

} // namespace garland
