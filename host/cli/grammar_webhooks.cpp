// The words of `garland webhooks`, as far as they ask a daemon, of `garland dlq` and `garland connections
// webhook`.
#include "host/cli/grammar.h"

namespace garland::cli {

void Grammar::addEndpoint(CLI::App* parent, char const* name, char const* about) {
  auto* const endpoint =
      leaf(parent, name, about, [this](Context with) { return setUpWebhook(with, endpoint_); });
  endpoint->add_option("CONNECTION", endpoint_.connection)->required();
  auto* const asks =
      endpoint->add_flag("--secret", endpoint_.asks_secret, "Ask for the secret that verifies requests");
  endpoint
      ->add_flag("--secret-stdin", endpoint_.secret_from_stdin, "Take it from standard input: its first line")
      ->excludes(asks);
  endpoint->add_flag(
      "--rotate", endpoint_.rotate,
      "The secret before stays good for a day beside the new one; without this it ends at once");
  endpoint->add_option(
      "--name", endpoint_.name,
      "What deliveries at the address of all accounts call this one, such as acct_1Nv0FGQ9RKHgCVdK");
  endpoint
      ->add_option("--set", endpoint_.parameters, "A value that was agreed on with the provider, NAME=VALUE")
      ->allow_extra_args(false);
}

void Grammar::addDeliveries() {
  auto* const webhooks = app_.get_subcommand("webhooks");
  addEndpoint(
      app_.get_subcommand("connections"), "webhook",
      "The address to which the account's provider sends webhooks, and the secret that verifies them.  Some\n"
      "connectors want more in it, and say so then: Tave's ends in &event=job.created, one for each hook.\n"
      "Example: garland connections webhook con_...\n"
      "         garland connections webhook con_... --secret-stdin < secret.txt");
  addEndpoint(webhooks, "register", "The same as garland connections webhook");
  auto* const list =
      leaf(webhooks, "ls", "Lists what came in, oldest first.  Example: garland webhooks ls --state dead",
           [this](Context with) { return listDeliveries(with, items_); });
  addPageOptions(list, items_, "waiting, done, dead or dropped", "Continue after this one");
  needId(leaf(webhooks, "show", "One of them: what it says, and why it is dead.  Exit code 1: it is dead",
              [this](Context with) { return showDelivery(with, id_); }),
         "ID");
  auto* const replay = leaf(webhooks, "replay",
                            "Has them read again: one, or all of a connection, a state, a time.\n"
                            "Example: garland webhooks replay --from 2026-06-13T12:00:00Z --until "
                            "2026-06-13T14:00:00Z",
                            [this](Context with) { return replayDeliveries(with, replay_); });
  replay->add_option("ID", replay_.id);
  replay->add_option("--connection", replay_.connection, "Only this connection's");
  replay->add_option("--state", replay_.state, "done, dead or dropped");
  replay->add_option("--from", replay_.from,
                     "Those that came at this time or later, such as 2026-06-13T12:00:00Z");
  replay->add_option("--until,--to", replay_.until, "... and before this, such as 2026-06-13T14:00:00Z");

  auto* const dead = group("dlq", "Webhooks that nobody could read: the dead-letter queue");
  auto* const dead_list = leaf(dead, "ls", "Lists them, oldest first", [this](Context with) {
    items_.state = "dead";
    return listDeliveries(with, items_);
  });
  dead_list->add_option("--vendor", items_.vendor, "Only this vendor's");
  dead_list->add_option("--connection", items_.connection, "Only this connection's");
  dead_list->add_option("--after", items_.after, "Continue after this one");
  needId(leaf(dead, "show",
              "One of them: why nobody could read it, and what it says.  Exit code 1: it is dead",
              [this](Context with) { return showDelivery(with, id_); }),
         "ID");
  auto const retry = [this](Context with) { return retryDead(with, id_); };
  needId(leaf(dead, "replay",
              "Has its connector read it again: one (whk_...), or all of a connection (con_...).\n"
              "Exit code 1: it is dead again.  Example: garland dlq replay whk_...",
              retry),
         "ID");
  needId(leaf(dead, "retry", "The same as garland dlq replay", retry), "ID");
  auto* const drop =
      leaf(dead, "drop", "Says that it needs nothing.  Example: garland dlq drop whk_... --why \"a test\"",
           [this](Context with) { return dropDelivery(with, id_, why_); });
  needId(drop, "ID");
  drop->add_option("--why", why_, "For whoever looks later")->required();
}

} // namespace garland::cli
