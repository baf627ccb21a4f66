#include "host/runtime/poison.h"

namespace garland::runtime {
namespace {

using namespace std::chrono_literals;

Milliseconds left(WorkerCall const& call) {
  auto const span = call.end() - std::chrono::steady_clock::now();
  return std::max(std::chrono::duration_cast<Milliseconds>(span), Milliseconds(0));
}

// After an earlier run, an error that says nothing of the effect would deny what that run has done.
Error afterRuns(Error error, int runs, CallJournal const& journal) {
  if (runs > 1 && (journal.wrote() || !journal.worthSettling())) error.effect = Effect::unknown;
  return error;
}

// Whether the worker shows in its end that its last call has broken it.
bool brokeIt(std::optional<WorkerEnd> const& end) {
  return end && end->crashed && !end->from_outside && !end->overstayed;
}

} // namespace

// One of the places for calls that run alone; given to the next in the queue when it is dropped.
class PoisonControl::Turn {
public:
  explicit Turn(PoisonControl& control) : control_(control) { ++control_.alone_; }
  Turn(Turn const&) = delete;
  Turn& operator=(Turn const&) = delete;
  ~Turn() {
    --control_.alone_;
    while (!control_.queue_.empty()) {
      auto const next = control_.queue_.front();
      control_.queue_.pop_front();
      next->set();
      if (next.use_count() > 1) return; // somebody still waits for this turn
    }
  }

private:
  PoisonControl& control_;
};

// The slot of a call that runs alone, known as long as it does.
class PoisonControl::Solo {
public:
  Solo(PoisonControl& control, std::shared_ptr<PluginSlot> slot) : control_(control), slot_(std::move(slot)) {
    control_.solos_.insert(slot_);
  }
  Solo(Solo const&) = delete;
  Solo& operator=(Solo const&) = delete;
  ~Solo() { control_.solos_.erase(slot_); }

private:
  PoisonControl& control_;
  std::shared_ptr<PluginSlot> slot_;
};

std::shared_ptr<WorkerCall> PoisonControl::prepare(PluginInfo const& plugin, Call call,
                                                   std::chrono::steady_clock::time_point deadline,
                                                   std::string state) const {
  auto out = std::make_shared<WorkerCall>(budget_);
  out->plugin_id = plugin.manifest.id;
  out->vendor_id = std::move(call.vendor_id);
  out->record_id = std::move(call.record_id);
  out->ask.operation = std::move(call.operation);
  out->ask.account_id = std::move(call.account_id);
  out->ask.account = std::move(call.account);
  out->ask.input = std::move(call.input);
  out->ask.state = std::move(state);
  out->key = callKey(key_seed_, plugin.digest, out->ask.operation, out->ask.account_id, out->ask.input);
  out->deadline = deadline;
  return out;
}

// Nearly all calls meet a worker that is ready and survives them; what else may happen is apart, so that they
// need not carry it along.
Task<std::string> PoisonControl::run(std::shared_ptr<PluginSlot> slot, std::shared_ptr<WorkerCall> call,
                                     CallHost& host) {
  Patient patient{std::move(slot), std::move(call), host};
  if (auto parked = examine(patient)) co_return std::move(*parked);
  if (auto const worker = patient.slot->ready(); worker && !patient.alone) {
    ++patient.runs;
    auto end = co_await worker->run(new_id_(), patient.call, host);
    if (end && !end->death && !end->used_up) co_return std::move(end->result);
    if (auto verdict = judge(patient, std::move(end))) co_return std::move(*verdict);
  }
  co_return co_await treat(&patient);
}

Task<std::string> PoisonControl::treat(Patient* patient) {
  while (true) {
    ++patient->runs;
    Result<RunEnd> end = Error();
    if (patient->alone) {
      end = co_await runAlone(patient);
    } else {
      end = co_await runWithOthers(patient);
    }
    if (auto verdict = judge(*patient, std::move(end))) co_return std::move(*verdict);
  }
}

std::optional<Result<std::string>> PoisonControl::judge(Patient& patient, Result<RunEnd> end) {
  auto& call = *patient.call;
  if (!end) return afterRuns(std::move(end).error(), patient.runs, call.journal);
  if (!end->began && (!end->death || stopping_))
    return afterRuns(std::move(end->result).error(), patient.runs, call.journal);
  if (!end->began) {
    --patient.runs;
    return std::nullopt;
  }
  if (!end->death) {
    if (patient.alone && patient.first_blame) survivedAlone(patient);
    if (!end->used_up) return std::move(end->result);
  }
  if (auto verdict = end->death ? judgeDeath(patient, *end) : afterUsedUp(patient, *end)) return verdict;
  call.ask.state.clear(); // a state on which a build dies is not given to it twice
  patient.host.restarted();
  auto facts = factsOf(patient);
  facts["alone"] = patient.alone;
  log_.info("a call is run again", std::move(facts));
  return std::nullopt;
}

// What is known of calls like this one: it is refused, or runs alone.
std::optional<Error> PoisonControl::examine(Patient& patient) {
  if (ledger_.size() == 0) return std::nullopt;
  auto const now = clock_.monotonic();
  if (auto const* reason = ledger_.parked(patient.call->key, now))
    return parkedError(patient, *reason, Effect::notApplied);
  patient.blamed = ledger_.runsAlone(patient.call->key, now);
  patient.alone = patient.blamed;
  return std::nullopt;
}

std::optional<Result<std::string>> PoisonControl::judgeDeath(Patient& patient, RunEnd& end) {
  auto const& journal = patient.call->journal;
  auto const& death = *end.death;
  auto const now = clock_.monotonic();
  bool const named = death.blame == Death::Blame::thisCall;
  // Whoever kills from outside knows nothing of calls: only who is named each time is convicted by it.
  bool const proven = !death.from_outside || (named && patient.runs >= kRuns);
  bool const convicted = patient.alone && patient.blamed && proven;
  if (convicted) return park(patient, death.how);
  if (named) {
    ledger_.suspect(patient.call->key, now);
    patient.blamed = true;
    patient.first_blame = death;
  } else if (death.blame == Death::Blame::nobody && !death.from_outside && death.recent->strikeOnce()) {
    ledger_.strike(death.recent->keys(), 0, now);
  }
  if (stopping_ || !journal.canRepeat() || patient.runs >= kRuns) return std::move(end.result);
  patient.alone = patient.alone || named || patient.runs == kRuns - 1;
  if (patient.alone) patient.blamed = patient.blamed || !death.from_outside;
  return std::nullopt;
}

// Its failure may be for want of memory that others have used. If it has written nothing, it is tried once
// more in the worker that follows.
std::optional<Result<std::string>> PoisonControl::afterUsedUp(Patient& patient, RunEnd& end) const {
  auto error = end.result.error();
  auto const& journal = patient.call->journal;
  bool const may_be_want = error.kind == ErrorKind::hostLimit || error.kind == ErrorKind::pluginBug ||
                           error.kind == ErrorKind::transient || error.kind == ErrorKind::providerBug;
  if (!may_be_want) return std::move(end.result);
  bool const again =
      !patient.alone && !patient.moved && !stopping_ && !journal.wrote() && journal.canRepeat();
  if (again) {
    patient.moved = true;
    return std::nullopt;
  }
  error.message += " (its worker " + end.used_up->describe() + ")";
  return Result<std::string>(std::move(error));
}

// Somebody else must have broken the worker in which this call was named.
void PoisonControl::survivedAlone(Patient const& patient) {
  auto const& death = *patient.first_blame;
  if (death.from_outside || !death.recent->strikeOnce()) return;
  ledger_.strike(death.recent->keys(), patient.call->key, clock_.monotonic());
}

Task<RunEnd> PoisonControl::runWithOthers(Patient* patient) {
  auto const slot = patient->slot;
  CO_TRY(lease, co_await slot->acquire(left(*patient->call)));
  auto end = co_await lease.worker->run(new_id_(), patient->call, patient->host);
  if (!end) {
    slot->release(lease, PluginSlot::Use::dropped);
  } else {
    bool const died = end->death || end->used_up;
    slot->release(lease, died ? PluginSlot::Use::died : PluginSlot::Use::lived);
  }
  co_return end;
}

// The worker is ended after the call: what the call has broken in it shows then at the latest.
Task<RunEnd> PoisonControl::runAlone(Patient* patient) {
  CO_TRY_VOID(co_await awaitTurn());
  Turn const turn(*this);
  auto const slot = patient->slot->sibling();
  Solo const solo(*this, slot);
  CO_TRY(lease, co_await slot->acquire(left(*patient->call)));
  auto end = co_await lease.worker->run(new_id_(), patient->call, patient->host);
  slot->askToEnd();
  co_await slot->ended();
  patient->capsule = slot->lastCapsule();
  if (end && end->began && !end->death && patient->blamed && brokeIt(slot->lastEnd()))
    park(*patient, slot->lastEnd()->how); // it has its result; the next one like it gets none
  co_return end;
}

Task<void> PoisonControl::awaitTurn() {
  while (alone_ >= kAlone) {
    auto const turn = std::make_shared<Latch>(executor_);
    queue_.push_back(turn);
    co_await turn->wait();
    if (!turn->isSet()) co_return Error(ErrorKind::cancelled, "the call was cancelled");
  }
  co_return Result<void>();
}

void PoisonControl::cancelCalls() {
  auto const solos = solos_;
  for (auto const& slot : solos) slot->cancelCalls();
}

void PoisonControl::withdraw(std::function<Result<void>(PluginInfo const&)> const& may_run) {
  auto const solos = solos_;
  for (auto const& slot : solos)
    if (auto const judged = may_run(slot->plugin()); !judged) slot->withdraw(judged.error());
}

Error PoisonControl::park(Patient& patient, std::string const& how) {
  auto const& slot = *patient.slot;
  ledger_.park(patient.call->key, patient.call->ask.account_id, how, clock_.monotonic());
  auto facts = factsOf(patient);
  facts["how"] = how;
  facts["capsule"] = patient.capsule;
  log_.error("a call is set aside because it ends its worker", std::move(facts));
  slot.tell(SupervisorEvent::Kind::poisoned,
            patient.title() + " ended its worker, also when it ran alone (it " + how + "); it is set aside",
            false, patient.capsule, patient.call->place());
  convicted_(slot, patient.call->ask.operation, patient.call->ask.account_id);
  auto const& journal = patient.call->journal;
  bool const unsure = journal.wrote() || !journal.worthSettling();
  return parkedError(patient, how, unsure ? Effect::unknown : Effect::notApplied);
}

// So that it can be found among many of the same name.
json::object PoisonControl::factsOf(Patient const& patient) const {
  auto const& call = *patient.call;
  json::object facts{{"call", call.title()}, {"connection", call.ask.account_id}};
  if (!call.vendor_id.empty()) facts["vendor"] = call.vendor_id;
  if (!call.record_id.empty()) facts["record"] = call.record_id;
  return facts;
}

Error PoisonControl::parkedError(Patient const& patient, std::string const& reason, Effect effect) const {
  Error error(ErrorKind::pluginBug,
              patient.title() + " with this input ends its worker, also when it runs alone: it " + reason +
                  ". It is set aside; a newer version of the plugin is tried at once");
  error.provider_code = "poisoned";
  auto const now = clock_.monotonic();
  if (auto const until = ledger_.parkedUntil(patient.call->key, now))
    error.retry_after = std::chrono::ceil<Milliseconds>(*until - now);
  error.effect = effect;
  return error;
}

} // namespace garland::runtime
