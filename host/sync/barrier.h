// Takes a connection as a whole, so that it can be changed, reset or put to rest.
#pragma once

#include "host/sync/action_runner.h"
#include "host/sync/intake_runner.h"
#include "host/sync/runs.h"
#include "host/sync/webhook_runner.h"

namespace garland::sync {

// All that calls connectors for a connected account.
struct Callers {
  Runs& runs;
  ActionRunner& actions;
  IntakeRunner& intake;
  WebhookRunner& webhooks;
};

// While it lives nothing of the connection begins: no run, no action, no item, no delivery, no hint. What
// comes in is kept, and goes on afterwards.
class Barrier {
public:
  Barrier(Callers const& callers, Owner const& owner)
      : callers_(callers), owner_(owner), no_runs_(callers.runs, owner.connection_id),
        no_actions_(callers.actions, owner.connection_id), no_items_(callers.intake, owner.connection_id),
        no_webhooks_(callers.webhooks, owner) {}

  // Ends its run at the next checkpoint, and answers when that has ended. What waits for its turn goes back
  // when that comes.
  Task<void> stopRun() {
    callers_.actions.letPass(owner_.connection_id);
    return callers_.runs.stopOf(owner_.connection_id);
  }
  // Answers when nothing of it is under way.
  Task<void> quiet() {
    CO_TRY_VOID(co_await stopRun());
    CO_TRY_VOID(co_await callers_.actions.quiet(owner_.connection_id));
    CO_TRY_VOID(co_await callers_.intake.quiet(owner_.connection_id));
    co_return co_await callers_.webhooks.quiet(owner_);
  }

private:
  Callers callers_;
  Owner owner_;
  Runs::Closing no_runs_;
  ActionRunner::Hold no_actions_;
  IntakeRunner::Hold no_items_;
  WebhookRunner::Closing no_webhooks_;
};

} // namespace garland::sync
