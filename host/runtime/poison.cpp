#include "host/runtime/poison.h"

namespace garland::runtime {
namespace {

using namespace std::chrono_literals;

Milliseconds left(WorkerCall const& call) {
  auto const span = call.deadline - std::chrono::steady_clock::now();
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

Task<json::value> PoisonControl::run(std::shared_ptr<PluginSlot> slot, Call call, CallHost& host,
                                     std::chrono::steady_clock::time_point deadline, std::string state) {
  auto const& plugin = slot->plugin();
  auto const ask = std::make_shared<WorkerCall>();
  ask->ask.operation = std::move(call.operation);
  ask->ask.account_id = std::move(call.account_id);
  ask->ask.account = json::serialize(call.account);
  ask->ask.input = json::serialize(call.input);
  ask->ask.state = std::move(state);
  ask->key = callKey(plugin.digest, ask->ask.operation, ask->ask.account_id, ask->ask.input);
  ask->journal = std::make_shared<CallJournal>(budget_);
  ask->deadline = deadline;
  Patient patient{std::move(slot), ask, host, ask->ask.operation + " of " + plugin.manifest.id};
  auto const now = clock_.monotonic();
  if (auto const* reason = ledger_.parked(ask->key, now))
    co_return parkedError(patient, *reason, Effect::notApplied);
  patient.blamed = ledger_.runsAlone(ask->key, now);
  patient.alone = patient.blamed;
  co_return co_await treat(&patient);
}

Task<json::value> PoisonControl::treat(Patient* patient) {
  auto& call = *patient->call;
  while (true) {
    ++patient->runs;
    Result<RunEnd> end = Error();
    if (patient->alone) {
      end = co_await runAlone(patient);
    } else {
      end = co_await runWithOthers(patient);
    }
    if (!end) co_return afterRuns(std::move(end).error(), patient->runs, *call.journal);
    auto verdict = judge(*patient, *end);
    if (verdict) co_return std::move(*verdict);
    if (!end->began) continue;
    call.ask.state.clear(); // a state on which a build dies is not given to it twice
    patient->host.restarted();
    log_.info("a call is run again", {{"call", patient->title}, {"alone", patient->alone}});
  }
}

std::optional<Result<json::value>> PoisonControl::judge(Patient& patient, RunEnd& end) {
  auto const& journal = *patient.call->journal;
  if (!end.began && (!end.death || stopping_))
    return afterRuns(std::move(end.result).error(), patient.runs, journal);
  if (!end.began) {
    --patient.runs;
    return std::nullopt;
  }
  if (!end.death) {
    if (patient.alone && patient.first_blame) survivedAlone(patient);
    return std::move(end.result);
  }
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

// Somebody else must have broken the worker in which this call was named.
void PoisonControl::survivedAlone(Patient const& patient) {
  auto const& death = *patient.first_blame;
  if (death.from_outside || !death.recent->strikeOnce()) return;
  ledger_.strike(death.recent->keys(), patient.call->key, clock_.monotonic());
}

Task<RunEnd> PoisonControl::runWithOthers(Patient* patient) {
  auto const slot = patient->slot;
  PluginSlot::Lease lease;
  lease.worker = slot->ready();
  if (!lease.worker) {
    CO_TRY(given, co_await slot->acquire(left(*patient->call)));
    lease = std::move(given);
  }
  auto end = co_await lease.worker->run(new_id_(), patient->call, patient->host);
  if (!end) {
    slot->release(lease, PluginSlot::Use::dropped);
  } else {
    slot->release(lease, end->death ? PluginSlot::Use::died : PluginSlot::Use::lived);
  }
  co_return end;
}

// The worker is ended after the call: what the call has broken in it shows then at the latest.
Task<RunEnd> PoisonControl::runAlone(Patient* patient) {
  CO_TRY_VOID(co_await awaitTurn());
  Turn const turn(*this);
  auto const slot = patient->slot->sibling();
  CO_TRY(lease, co_await slot->acquire(left(*patient->call)));
  auto const worker = lease.worker;
  solos_.insert(worker);
  auto end = co_await worker->run(new_id_(), patient->call, patient->host);
  solos_.erase(worker);
  slot->askToEnd();
  co_await slot->ended();
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
  for (auto const& worker : solos) worker->cancelCalls();
}

Error PoisonControl::park(Patient& patient, std::string const& how) {
  auto const& slot = *patient.slot;
  ledger_.park(patient.call->key, patient.call->ask.account_id, how, clock_.monotonic());
  log_.error("a call is set aside because it ends its worker", {{"call", patient.title}, {"how", how}});
  slot.tell(SupervisorEvent::Kind::poisoned,
            patient.title + " ended its worker, also when it ran alone (it " + how + "); it is set aside");
  auto const& journal = *patient.call->journal;
  bool const unsure = journal.wrote() || !journal.worthSettling();
  return parkedError(patient, how, unsure ? Effect::unknown : Effect::notApplied);
}

Error PoisonControl::parkedError(Patient const& patient, std::string const& reason, Effect effect) const {
  Error error(
      ErrorKind::pluginBug,
      patient.title + " with this input ends its worker, also when it runs alone: it " + reason +
          ". It is set aside; change the record or install a newer version of the plugin, then try again");
  error.provider_code = "poisoned";
  error.effect = effect;
  return error;
}

} // namespace garland::runtime
