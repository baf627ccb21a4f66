// The words of `garland intake` and `garland connections hook`.
#include "host/cli/grammar.h"

namespace garland::cli {

void Grammar::addIntake() {
  auto* const intake = group("intake", "What came in by itself: hooks, mails, files");
  auto* const connections = app_.get_subcommand("connections");
  auto* const hook = leaf(connections, "hook",
                          "The URL that a provider without an API calls, by way of Zapier, say; shown once.\n"
                          "Example: garland connections hook con_...",
                          [this](Context with) { return openHook(with, hook_); });
  hook->add_option("CONNECTION", hook_.connection)->required();
  hook->add_flag("--rotate", hook_.rotate, "Another URL; the one before ends at once");
  auto* const scheme = hook->add_option(
      "--signed", hook_.scheme,
      "How requests are signed: a name (garland webhooks schemes) or a file; the secret is asked for");
  hook->add_flag("--secret-stdin", hook_.secret_from_stdin, "Take the secret from standard input")
      ->needs(scheme);
  hook->add_flag("--unsigned", hook_.unsigned_, "They are not signed any more")->excludes(scheme);

  auto* const list =
      leaf(intake, "ls", "Lists items, oldest first.  Example: garland intake ls --state review",
           [this](Context with) { return listItems(with, items_); });
  addPageOptions(list, items_, "waiting, taken, ignored, review or dismissed", "Continue after this item");
  leaf(intake, "show", "One item: what it says, and why it waits.  Exit code 1: it waits for a person",
       [this](Context with) { return showItem(with, id_); })
      ->add_option("ID", id_)
      ->required();
  leaf(
      intake, "retry",
      "Has its connector read it again: one item (itm_...), or all of a connection (con_...) that wait for a "
      "person.\nExit code 1: it waits again",
      [this](Context with) { return retryItem(with, id_); })
      ->add_option("ID", id_)
      ->required();
  auto* const accept = leaf(
      intake, "accept",
      "You looked at an item in review and it is genuine: its connector reads it, and asks for no proof of "
      "who\nsent it.  Only for items that say so (garland intake show): what no rule fits, nobody's word "
      "mends.\nExit code 1: it waits again.  Example: garland intake accept itm_...",
      [this](Context with) { return acceptItem(with, id_, by_); });
  accept->add_option("ID", id_)->required();
  accept->add_option("--by", by_, "Who looked at it, for the audit trail (default: your login name here)");
  auto* const dismiss = leaf(intake, "dismiss",
                             "Says that it needs nothing.  Example: garland intake dismiss "
                             "itm_... --why \"a test\"",
                             [this](Context with) { return dismissItem(with, id_, why_); });
  dismiss->add_option("ID", id_)->required();
  dismiss->add_option("--why", why_, "For whoever looks later")->required();
}

} // namespace garland::cli
