// What would come of a delivery: its connector reads it, and nothing is kept of it, neither item nor record.
#include "host/sync/intake_runner.h"

namespace garland::sync {

Task<Rehearsal> IntakeRunner::rehearse(Delivery delivery) {
  Error const stopping(ErrorKind::transient, "the daemon is stopping; ask again when it is back");
  if (context_.stopping) co_return stopping;
  CO_TRY(connection, co_await connections_.one(delivery.connection_id));
  std::string operation(kIntakeOperation);
  CO_TRY(turn, co_await context_.lanes->enter(connection.id, Priority::interactive, std::move(operation)));
  if (context_.stopping) co_return stopping;
  CO_TRY(session, co_await connections_.open(connection.id));
  CO_TRY_VOID(checkSource(session.plugin->manifest, delivery.source));
  CO_TRY(item, newItem(session.connection, delivery));
  session.trial = true;
  IntakeSink sink(context_, session, item.id);
  auto input = inputFor(item, std::move(delivery.content));
  CO_TRY(output, co_await callPlugin(&context_, &audit_, &session, std::string(kIntakeOperation),
                                     std::move(input), &sink, kIntakeDeadline));
  IntakeWriter writer(context_, session);
  CO_TRY(judgement, co_await writer.judge(&sink.found()));
  co_return rehearsalOf(output, sink, std::move(judgement));
}

Rehearsal IntakeRunner::rehearsalOf(json::value const& output, IntakeSink const& sink,
                                    IntakeWriter::Judgement judgement) const {
  Rehearsal rehearsal;
  rehearsal.reason = context_.scrub(textOr(output, "/reason", ""));
  auto const outcome = textOr(output, "/outcome", "");
  if (outcome != "taken") {
    bool const contradicts = outcome == "ignored" && sink.count() > 0;
    rehearsal.state = outcome == "ignored" && !contradicts ? IntakeState::ignored : IntakeState::review;
    return rehearsal;
  }
  auto const problems = problemsOf(sink, judgement.problems);
  rehearsal.records = std::move(judgement.good);
  rehearsal.state = problems.empty() ? IntakeState::taken : IntakeState::review;
  rehearsal.reason = sentenceOf(problems);
  return rehearsal;
}

} // namespace garland::sync
