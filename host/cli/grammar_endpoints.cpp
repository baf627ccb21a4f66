// The words of `garland endpoints`.
#include "host/cli/grammar.h"

namespace garland::cli {

void Grammar::addOutletOptions(CLI::App* command) {
  command
      ->add_option(
          "--event", outlet_.events,
          "What it is told: calendar.event, calendar.event.deleted, crm.*; may be given several times")
      ->allow_extra_args(false);
  command->add_option_function<std::string>(
      "--description", [this](std::string const& text) { outlet_.description = text; },
      "What it is for; \"\" for nothing");
  auto const yesOrNo = [command](char const* names, std::optional<bool>& asked, char const* help) {
    command->add_flag_function(names, [&asked](std::int64_t times) { asked = times > 0; }, help);
  };
  yesOrNo("--ordered,!--unordered", outlet_.ordered,
          "What happens to one record is told in its order, one after another; --unordered: as it comes");
  yesOrNo(
      "--allow-private-network,!--no-private-network", outlet_.allow_private_network,
      "Private, loopback and link-local addresses, over plain http too; --no-private-network: not any more");
}

void Grammar::addOutlets() {
  auto* const all =
      group("endpoints", "Addresses of vendors that are told what changes: webhooks that go out");
  auto* const add =
      leaf(all, "add",
           "Tells an address what changes from now on; every request is signed (Standard Webhooks).\n"
           "Example: garland endpoints add https://studio.example.com/hooks --vendor ven_... "
           "--event calendar.event",
           [this](Context with) { return addOutlet(with, outlet_); });
  add->add_option("URL", outlet_.url, "https://...")->required();
  add->add_option("--vendor", outlet_.vendor, "The vendor's id (garland vendors ls)")->required();
  add->add_option("--after", outlet_.after,
                  "Not from now on: what comes after this sequence of the change feed")
      ->check(CLI::NonNegativeNumber);
  addOutletOptions(add);

  leaf(all, "ls", "Lists them", [this](Context with) {
    return listOutlets(with, vendor_);
  })->add_option("--vendor", vendor_, "Only this vendor's");
  needId(leaf(all, "show", "One of them, and how it goes.  Exit code 1: it is disabled",
              [this](Context with) { return showOutlet(with, id_); }),
         "ID");
  auto* const change = leaf(all, "change",
                            "Changes what is named; its place, its secret and what waits stay.\n"
                            "Example: garland endpoints change epo_... --url https://new.example.com/hooks",
                            [this](Context with) { return changeOutlet(with, outlet_); });
  change->add_option("ID", outlet_.id)->required();
  change->add_option("--url", outlet_.url, "Its new address");
  change->add_flag("--all-events", outlet_.all_events, "It is told everything");
  addOutletOptions(change);
  needId(leaf(all, "rm", "Tells it nothing any more, and forgets what was sent",
              [this](Context with) { return removeOutlet(with, id_); }),
         "ID");
  auto* const enable =
      leaf(all, "enable", "Goes on where it stopped; nothing that happened meanwhile is left out",
           [this](Context with) { return enableOutlet(with, id_, from_now_); });
  needId(enable, "ID");
  enable->add_flag("--from-now", from_now_, "Leave out what happened meanwhile and what waits");
  auto* const disable = leaf(all, "disable", "Sends nothing until it is enabled; what waits is kept",
                             [this](Context with) { return disableOutlet(with, id_, why_); });
  needId(disable, "ID");
  disable->add_option("--why", why_, "For whoever looks later");
  auto* const rotate =
      leaf(all, "rotate", "Makes a new secret and shows it once; for a day, requests carry both signatures",
           [this](Context with) { return rotateOutlet(with, id_, overlap_seconds_); });
  needId(rotate, "ID");
  rotate
      ->add_option("--overlap-seconds", overlap_seconds_,
                   "How long the secret before signs, too; 0: it ends at once")
      ->check(CLI::Range(0, 2'592'000))
      ->capture_default_str();
  addSentDeliveries(all);
}

void Grammar::addSentDeliveries(CLI::App* all) {
  auto* const sent = leaf(all, "deliveries",
                          "What it was told or is to be told; with the id of one, every attempt of it.\n"
                          "Example: garland endpoints deliveries epo_... --state failed",
                          [this](Context with) { return listSent(with, sent_); });
  sent->add_option("ID", sent_.id)->required();
  sent->add_option("DELIVERY", sent_.delivery, "msg_...");
  sent->add_option("--state", sent_.state, "waiting, delivered, failed or dropped");
  sent->add_option("--after", sent_.after, "Continue after this sequence");
  sent->add_option("--limit", sent_.limit, "At most so many")
      ->check(CLI::Range(1, 1000))
      ->capture_default_str();
  auto* const resend = leaf(all, "resend",
                            "Sends one again, now, under its webhook-id; or all in a state or of a time.\n"
                            "Example: garland endpoints resend epo_... msg_...\n"
                            "         garland endpoints resend epo_... --state failed",
                            [this](Context with) { return resendSent(with, sent_); });
  resend->add_option("ID", sent_.id)->required();
  resend->add_option("DELIVERY", sent_.delivery, "msg_...");
  resend->add_option("--state", sent_.state, "delivered, failed or dropped");
  resend->add_option("--from", sent_.from, "Those that were made at this time or later");
  resend->add_option("--until,--to", sent_.until, "... and before this");
  resend->add_option("--after", sent_.after, "Continue after this sequence");
}

} // namespace garland::cli
