#include "host/runtime/call_journal.h"

#include "host/vault/vault.h"

#include <algorithm>
#include <array>
#include <span>

namespace garland::runtime {
namespace {

constexpr std::size_t kEntryBytes = 160; // of an entry beside its answer

std::size_t sizeOf(std::optional<Error> const& error) {
  if (!error) return 0;
  return sizeof(Error) + error->message.size() + error->user_message.size() + error->provider_code.size();
}

struct AnswerSize {
  std::size_t operator()(std::monostate) const { return 0; }
  std::size_t operator()(wire::HttpAnswer const& answer) const {
    auto size = answer.body.size() + sizeOf(answer.error);
    for (auto const& [name, value] : answer.headers) size += name.size() + value.size() + 64;
    return size;
  }
  std::size_t operator()(wire::EmitCredit const& answer) const { return sizeOf(answer.error); }
  std::size_t operator()(wire::Ack const& answer) const { return sizeOf(answer.error); }
  std::size_t operator()(wire::KvAnswer const& answer) const {
    return answer.value.size() + sizeOf(answer.error);
  }
};

bool wasNotApplied(CallJournal::Answer const& answer) {
  auto const* http = std::get_if<wire::HttpAnswer>(&answer);
  return http != nullptr && http->effect == static_cast<std::int32_t>(Effect::notApplied);
}

} // namespace

bool mayWrite(std::string_view method) {
  static constexpr std::array<std::string_view, 7> reads{"GET",    "HEAD",   "OPTIONS", "PROPFIND",
                                                         "REPORT", "SEARCH", "TRACE"};
  return std::ranges::find(reads, method) == reads.end();
}

CallJournal::Step CallJournal::ask(Ask kind, std::string_view content) {
  Step step;
  auto digest = complete_ ? vault::sha256(content) : std::string();
  if (at_ < entries_.size() && entries_[at_].kind == kind && entries_[at_].content == digest) {
    step.kind = Step::Kind::repeat;
    step.recorded = &entries_[at_++].answer;
    return step;
  }
  if (hasUnrepeatedWrite()) {
    if (kind == Ask::httpWrite) {
      step.kind = Step::Kind::refuse;
      return step;
    }
    missed_write_ = true;
    drop();
  } else { // what earlier runs asked for after this place will not come again
    entries_.erase(entries_.begin() + static_cast<std::ptrdiff_t>(at_), entries_.end());
  }
  if (kind == Ask::httpWrite) ++writes_;
  ++unanswered_;
  if (complete_ && charge(kEntryBytes)) {
    step.place = entries_.size();
    entries_.push_back(Entry{kind, std::move(digest), Answer()});
    at_ = entries_.size();
    return step;
  }
  drop();
  return step;
}

void CallJournal::record(std::size_t place, Answer answer) {
  if (unanswered_ > 0) --unanswered_;
  bool const undone = wasNotApplied(answer);
  if (!complete_ || place >= entries_.size()) return;
  auto& entry = entries_[place];
  if (entry.kind == Ask::httpWrite && undone && writes_ > 0) --writes_;
  if (charge(std::visit(AnswerSize(), answer)))
    entry.answer = std::move(answer);
  else
    drop();
}

bool CallJournal::hasUnrepeatedWrite() const {
  auto const left = std::span(entries_).subspan(at_);
  return missed_write_ || std::ranges::any_of(left, [](Entry const& entry) {
           return entry.kind == Ask::httpWrite && !wasNotApplied(entry.answer);
         });
}

bool CallJournal::charge(std::size_t bytes) {
  if (bytes_ + bytes > kMaxBytes || bytes > budget_->left) return false;
  bytes_ += bytes;
  budget_->left -= bytes;
  return true;
}

void CallJournal::drop() {
  complete_ = false;
  entries_.clear();
  at_ = 0;
  budget_->left += std::exchange(bytes_, 0);
}

} // namespace garland::runtime
