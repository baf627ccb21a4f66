// What one call asked of the host and was answered, in order, so that a second run of the call in a
// fresh worker can be answered from here and nothing happens twice at the provider.
//
// An ask that equals the recorded one at its place gets the recorded answer. The first one that
// differs ends the repetition: from there on asks are forwarded, unless that could repeat a write.
// Log lines and progress are not in here. Pure: it neither serves asks nor knows workers.
#pragma once

#include "host/runtime/wire.h"

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

namespace garland::runtime {

// What all journals of one supervisor may hold together.
struct JournalBudget {
  std::size_t left = 64U << 20U;
};

// [loop thread]
class CallJournal {
public:
  enum class Ask : std::uint8_t { http, httpWrite, emit, checkpoint, kvGet, kvPut };
  using Answer = std::variant<std::monostate, wire::HttpAnswer, wire::EmitCredit, wire::Ack, wire::KvAnswer>;

  static constexpr std::size_t kMaxBytes = 1U << 20U;

  struct Step {
    enum class Kind {
      forward, // serve it, then record() the answer under `place`
      repeat,  // the host has done this: give `recorded`
      refuse,  // it differs from a write that was done: serving it could do it twice
    };
    Kind kind = Kind::forward;
    std::size_t place = 0;
    Answer const* recorded = nullptr; // valid until the journal is asked again
  };

  explicit CallJournal(std::shared_ptr<JournalBudget> budget) : budget_(std::move(budget)) {}
  ~CallJournal() { drop(); }
  CallJournal(CallJournal const&) = delete;
  CallJournal& operator=(CallJournal const&) = delete;

  void beginRun() { at_ = 0; }
  // The plugin asks; `content` without the request's number, which counts anew in every run.
  Step ask(Ask kind, std::string_view content);
  // Once for every forwarded ask.
  void record(std::size_t place, Answer answer);

  // False once it holds too much, or an ask was never answered: a second run could do things twice.
  bool canRepeat() const { return complete_ && unanswered_ == 0; }
  bool worthSettling() const { return complete_; } // every ask so far is in here
  // False as long as no request went out that may have changed something at the provider.
  bool wrote() const { return writes_ > 0; }
  // An earlier run wrote what this one has not asked for (yet).
  bool hasUnrepeatedWrite() const;

private:
  struct Entry {
    Ask kind{};
    std::string content; // SHA-256
    Answer answer;
  };

  bool charge(std::size_t bytes);
  void drop();

  std::shared_ptr<JournalBudget> budget_;
  std::vector<Entry> entries_;
  std::size_t at_ = 0; // entries before it have been asked for in this run
  std::size_t bytes_ = 0;
  std::size_t unanswered_ = 0;
  std::size_t writes_ = 0;
  bool complete_ = true;
  bool missed_write_ = false; // this run went another way before it came to a write of an earlier one
};

// Whether a request with this method may change something at the provider.
bool mayWrite(std::string_view method);

} // namespace garland::runtime
