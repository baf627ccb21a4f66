// Plugins, vendors and their connections, syncs and actions.
#include "host/cli/grammar.h"

namespace garland::cli {

void Grammar::addPlugins() {
  auto* const plugins = group("plugins", "Installed connectors, and which vendor may use them");
  leaf(plugins, "ls", "Lists the installed connectors; a refused one says why",
       [](Context with) { return listPlugins(with); });
  needId(leaf(plugins, "show",
              "Shows one: operations, sign-in, settings.  Example: garland plugins show caldav",
              [this](Context with) { return showPlugin(with, id_); }),
         "ID");
  leaf(plugins, "rescan",
       "Makes the running garlandd take over what is installed now: new calls go to newer builds, running\n"
       "ones end in the old.  Exit code 1: something was refused, such as an older version",
       [this](Context with) { return rescanPlugins(with, allow_downgrade_); })
      ->add_flag("--allow-downgrade", allow_downgrade_, "Take an older version over, too");
  needId(leaf(plugins, "release",
              "Lifts a quarantine after the cause is mended.  Example: garland plugins release caldav",
              [this](Context with) { return releasePlugin(with, id_); }),
         "ID");
  leaf(plugins, "install",
       "Installs a package, or a newer version of one, into the running garlandd, which refuses it unless a\n"
       "marketplace of [plugins] trust has certified it.  Example: garland plugins install acme-1.0.0.gpk",
       [this](Context with) { return installPlugin(with, place_, package_.file); })
      ->add_option("FILE", package_.file, "A package, as `garland pack` makes it")
      ->required();
  auto* const enable =
      leaf(plugins, "enable",
           "Lets a vendor connect accounts with it.  Example: garland plugins enable caldav --vendor ven_...",
           [this](Context with) { return enablePlugin(with, id_, vendor_); });
  needId(enable, "ID");
  needVendor(enable);
  auto* const disable =
      leaf(plugins, "disable", "Takes that back; connected accounts stay but are not synced",
           [this](Context with) { return disablePlugin(with, id_, vendor_); });
  needId(disable, "ID");
  needVendor(disable);
}

void Grammar::addVendors() {
  auto* const vendors = group("vendors", "The businesses whose data this is");
  leaf(vendors, "ls", "Lists the vendors", [](Context with) { return listVendors(with); });
  leaf(vendors, "add", "Adds a vendor and prints its id.  Example: garland vendors add \"Studio Lindenau\"",
       [this](Context with) { return addVendor(with, name_); })
      ->add_option("NAME", name_)
      ->required();
}

void Grammar::addConnectOptions(CLI::App* command) {
  command->add_option("PLUGIN", connect_.plugin)->required();
  command->add_option("--vendor", connect_.vendor, "The vendor's id")->required();
  command
      ->add_option("--set", connect_.settings,
                   "A setting of the connector, NAME=VALUE (garland plugins show PLUGIN)")
      ->allow_extra_args(false);
  command->add_option("--username", connect_.username, "User name at the provider");
  command->add_flag(
      "--password-stdin", connect_.password_from_stdin,
      "Take the password, or the token or key of a connector that signs in with one, from standard "
      "input: a line for each of them");
  command->add_flag("--allow-private-network", connect_.allow_private_network,
                    "Let this connection reach private and loopback addresses, plain http too");
}

void Grammar::addConnections() {
  auto* const connections = group("connections", "Connected accounts");
  leaf(connections, "ls", "Lists connected accounts and their state", [this](Context with) {
    return listConnections(with, vendor_);
  })->add_option("--vendor", vendor_, "Only this vendor's");
  needId(leaf(connections, "show", "Shows one account",
              [this](Context with) { return showConnection(with, id_); }),
         "ID");
  auto* const connect =
      leaf(connections, "connect",
           "Connects an account; the password, token or key is asked for and goes into the vault.\n"
           "The same account with the same settings again replaces those and keeps everything else.\n"
           "Example: garland connections connect caldav --vendor ven_... --set "
           "url=https://dav.example.com --username rosa",
           [this](Context with) { return connectAccount(with, connect_); });
  auto* const authorize =
      leaf(connections, "authorize",
           "Connects an account by a sign-in at its provider's own page: prints the address to open in the\n"
           "vendor's browser. Only the client's id and secret are asked for.\n"
           "With --device: prints a code, which somebody types at the provider in any browser.\n"
           "Example: garland connections authorize calendly --vendor ven_...",
           [this](Context with) { return authorizeAccount(with, connect_); });
  for (auto* const one : {connect, authorize}) addConnectOptions(one);
  authorize->add_flag("--device", connect_.device,
                      "By a code that is typed on another device, where the provider offers that");
  auto* const authorization =
      leaf(connections, "authorization", "Shows what came of such a sign-in; it is known for a day",
           [this](Context with) { return showAuthorization(with, id_, vendor_); });
  needId(authorization, "AUTHORIZATION");
  needVendor(authorization);
  auto* const change = leaf(
      connections, "set",
      "Changes settings of an account; credential, links and records stay, the next sync reads all anew.\n"
      "Where the credential is sent to is changed only with the credential: it is asked for, and replaced.\n"
      "Example: garland connections set con_... --set amounts=minor\n"
      "         garland connections set con_... --set url=http://127.0.0.1:4242/v1 --credential",
      [this](Context with) {
        return changeSettings(with, id_, connect_, again_credential_, removed_settings_);
      });
  needId(change, "CONNECTION");
  change->add_option("--set", connect_.settings, "A setting of the connector, NAME=VALUE")
      ->allow_extra_args(false);
  change->add_flag("--credential", again_credential_,
                   "Ask for the credential again; it replaces the one there is, and may go to another host");
  change->add_option("--username", connect_.username, "The same, with this user name at the provider");
  change->add_flag("--password-stdin", connect_.password_from_stdin,
                   "The same, with the password, token or key from standard input: a line for each of them");
  change->add_option("--unset", removed_settings_, "A setting that is to be as if it was never given")
      ->allow_extra_args(false);
  auto* const disconnects = leaf(connections, "disconnect",
                                 "Forgets credential and links, and deletes what came in by itself (garland "
                                 "intake ls) with the hook and\n"
                                 "the mail address that it came to; the records stay",
                                 [this](Context with) { return disconnect(with, id_, discard_); });
  needId(disconnects, "ID");
  disconnects->add_flag(
      "--discard", discard_,
      "Also if edits made here are not written there yet, or items wait to be read or for a person");
  needId(leaf(connections, "test",
              "Asks the provider, read-only, whether the account can be reached and is the one that was "
              "connected.\nExit code 1: it cannot, or it is another",
              [this](Context with) { return testConnection(with, id_); }),
         "ID");
  needId(
      leaf(connections, "rotate",
           "Has the provider give another token in the place of the one there is.  An account that signs in "
           "with\nwhat was typed is connected again with another: garland connections connect",
           [this](Context with) { return rotateConnection(with, id_); }),
      "ID");
  needId(leaf(connections, "revoke",
              "Takes the sign-in back, at the provider if it can be asked, and here in any case; records and "
              "links stay.\nConnecting the account again goes on with them",
              [this](Context with) { return revokeConnection(with, id_); }),
         "ID");
  needId(leaf(connections, "pause",
              "Puts an account to rest, over restarts too, and waits until nothing of it is under way; what "
              "comes\nin for it is kept.  garland connections resume lets it go on",
              [this](Context with) { return pauseConnection(with, id_); }),
         "ID");
  needId(leaf(connections, "resume",
              "Lets a paused account go on with what waited meanwhile, and with a sync",
              [this](Context with) { return resumeConnection(with, id_); }),
         "ID");
  needId(
      leaf(connections, "resync",
           "Forgets how far syncs came and starts one that brings everything in anew, into the same records",
           [this](Context with) { return resyncConnection(with, id_); }),
      "ID");
  needId(leaf(connections, "confirm-deletes",
              "Lets the next sync apply deletions that were held.  Held are many at once that were only "
              "inferred,\n"
              "because a listing no longer shows the records; what a provider itself reports as deleted is "
              "not held",
              [this](Context with) { return confirmDeletes(with, id_); }),
         "ID");
  auto* const mailbox =
      leaf(connections, "mailbox",
           "Prints the mail address of an account, to which its provider sends leads; it is shown once.\n"
           "Example: garland connections mailbox con_...",
           [this](Context with) { return openMailbox(with, id_, rotate_mailbox_); });
  needId(mailbox, "CONNECTION");
  mailbox->add_flag("--rotate", rotate_mailbox_, "Make another address; the one there is ends at once");
  auto* const imap = leaf(
      connections, "imap",
      "Visits a mailbox of the vendor for mails of an account; nothing in it is changed, not even what is "
      "unread.\nWithout --url: shows the mailbox and how the last visit went.\n"
      "Example: garland connections imap con_... --url imaps://imap.example.com --user rosa@example.com",
      [this](Context with) { return watchMailbox(with, imap_); });
  imap->add_option("CONNECTION", imap_.connection)->required();
  auto* const url = imap->add_option("--url", imap_.url, "imaps://HOST[:PORT], or imap://HOST for STARTTLS");
  imap->add_option("--user", imap_.user, "User name of the mailbox; its password is asked for")->needs(url);
  imap->add_option("--folder", imap_.folder, "Another folder than INBOX")->needs(url);
  imap->add_flag("--password-stdin", imap_.password_from_stdin, "Take the password from standard input")
      ->needs(url);
  imap->add_flag("--stop", imap_.stop, "Visit it no more and forget its password")->excludes(url);
}

void Grammar::addSync() {
  auto* const sync = group("sync", "Bringing a provider and Garland to the same state");
  auto* const run =
      leaf(sync, "run", "Writes local edits out, then brings changes in.  Example: garland sync run con_...",
           [this](Context with) { return runSync(with, id_, !no_wait_); });
  needId(run, "CONNECTION");
  run->add_flag("--no-wait", no_wait_, "Start it and return at once");
  auto* const hint = leaf(
      sync, "hint",
      "Fetches single records from the provider, as a webhook would have it.  Example: garland sync hint "
      "con_... crm.project 01HX...\n"
      "Exit codes: 0 they came in, 1 none did or something failed, 2 wrong usage, 3 no daemon",
      [this](Context with) { return hintSync(with, hint_, !no_wait_); });
  hint->add_option("CONNECTION", hint_.connection, "A connection's id (con_...)")->required();
  hint->add_option("KIND", hint_.kind, "Which kind of record, such as crm.project")->required();
  hint->add_option("ID", hint_.ids, "The provider's ids of the records")->required();
  hint->add_flag("--no-wait", no_wait_, "Start it and return at once");
  needId(leaf(sync, "status", "How a run (run_...) or a connection's last run (con_...) stands",
              [this](Context with) { return syncStatus(with, id_); }),
         "ID");
  auto* const retry = leaf(
      sync, "retry",
      "Lets the next sync try again what was set aside: of a record's writes (rec_..., with --vendor), or "
      "everything\nof a connection (con_...), also a pull that ended its worker",
      [this](Context with) { return retrySync(with, id_, vendor_); });
  needId(retry, "ID");
  retry->add_option("--vendor", vendor_, "The vendor's id, if ID is a record's");
}

void Grammar::addActions() {
  auto* const actions = group("actions", "What is to be done once: a payment, a message");
  auto* const run = leaf(
      actions, "run",
      "Has an operation of a connection done once, and says how it stands.  Under the same key it is never\n"
      "done again, so a command that was cut off can simply be repeated.  Exit code 1 with --wait: it "
      "failed,\n"
      "or nobody knows.  What belongs into the input: garland schema OPERATION.\nExample: garland actions "
      "run con_... payments.create/1 --key invoice-7 --input "
      "payment.json --wait",
      [this](Context with) { return runAction(with, action_); });
  run->add_option("CONNECTION", action_.connection)->required();
  run->add_option("OPERATION", action_.operation, "Such as payments.authorize/1")->required();
  run->add_option("--key", action_.key, "Your name for what is to be done once: an invoice's number, say")
      ->required();
  run->add_option("--input", action_.input, "JSON file with the input, - for standard input")->required();
  run->add_flag("--wait", action_.wait, "Return when it is done, has failed, or is unknown");
  auto* const list = leaf(actions, "ls", "Lists actions.  Example: garland actions ls --state unknown",
                          [this](Context with) { return listActions(with, actions_); });
  addPageOptions(list, actions_, "waiting, sent, done, failed or unknown", "Continue after this action");
  needId(leaf(actions, "show", "How one stands, and what finds out an unknown one",
              [this](Context with) { return showAction(with, id_); }),
         "ID");
  auto* const settle = leaf(actions, "settle",
                            "Says what you found out at the provider about an unknown action; --not-applied "
                            "also calls off one that\n"
                            "waits.  Example: garland actions settle act_... --applied",
                            [this](Context with) { return settleAction(with, settle_); });
  settle->add_option("ID", settle_.id)->required();
  auto* const applied = settle->add_flag("--applied", settle_.applied, "It took place");
  settle->add_flag("--not-applied", settle_.not_applied, "It did not")->excludes(applied);
  settle->add_option("--output", settle_.output,
                     "JSON file with what the operation would have answered, - for standard input");
}

} // namespace garland::cli
