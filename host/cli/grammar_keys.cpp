// The words of `garland keys`, `garland sessions` and `garland roles`: who may call the daemon, and what.
#include "host/cli/grammar.h"

namespace garland::cli {

void Grammar::addKeys() {
  auto* const keys =
      group("keys", "API keys: who may call the daemon (for keys that sign: garland signing-keys)");
  auto* const add = leaf(keys, "add",
                         "Makes an API key and prints it, this once; the daemon keeps its hash only.\n"
                         "Example: garland keys add \"the studio's site\" --role vendor --vendor ven_...",
                         [this](Context with) { return addKey(with, key_); });
  add->add_option("NAME", key_.name, "Whose it is, or what for")->required();
  add->add_option("--role", key_.role,
                  "operator, vendor, partner, reviewer or auditor (garland roles matrix)")
      ->required()
      ->check(CLI::IsMember({"operator", "vendor", "partner", "reviewer", "auditor"}));
  add->add_option("--vendor", key_.vendor, "Of the role vendor: whose things it reaches, and no others");
  add->add_option("--days", key_.life_days, "How long it counts")
      ->check(CLI::Range(1, 3650))
      ->capture_default_str();
  auto* const list = leaf(keys, "ls", "Lists the API keys with their last use; never their text",
                          [this](Context with) { return listKeys(with, keys_); });
  list->add_option("--vendor", keys_.vendor, "Only this vendor's");
  list->add_option("--after", keys_.after, "Continue after this key");
  list->add_option("--limit", keys_.limit, "At most so many")
      ->check(CLI::Range(1, 1000))
      ->capture_default_str();
  auto* const rotate = leaf(keys, "rotate",
                            "Makes another key for the same and prints it, this once; the one before goes on "
                            "for a while. A vendor's key may rotate itself, and no other.\n"
                            "Example: garland keys rotate key_... --overlap-seconds 3600",
                            [this](Context with) { return rotateKey(with, key_); });
  rotate->add_option("ID", key_.id)->required();
  rotate->add_option("--overlap-seconds", key_.overlap_seconds, "How long the key before goes on")
      ->check(CLI::Range(0, 2'592'000))
      ->capture_default_str();
  leaf(keys, "revoke",
       "Has every daemon refuse the key from now on. The key that it was rotated to is one of its own, and "
       "goes "
       "on: the answer names it",
       [this](Context with) { return revokeKey(with, key_.id); })
      ->add_option("ID", key_.id)
      ->required();
  addNewSigningKey(keys, "The same as `garland signing-keys new`.\n");
  addNewSigningKey(group("signing-keys", "Keys that packages and attestations are signed with"), "");
}

void Grammar::addNewSigningKey(CLI::App* parent, std::string const& remark) {
  auto const about = remark + "Makes an Ed25519 key: FILE, which nobody else may read, and FILE.pub.\n"
                              "Example: garland signing-keys new --out ~/.config/garland/publisher.key";
  offline(parent, "new", about.c_str(), [this](Output& output) { return makeKey(output, package_.out); })
      ->add_option("--out", package_.out, "Where the private key goes; never overwritten")
      ->required();
}

void Grammar::addSessions() {
  auto* const sessions = group("sessions", "People who are signed in");
  auto* const list = leaf(sessions, "ls", "Lists who is signed in, oldest first",
                          [this](Context with) { return listSessions(with, sessions_); });
  list->add_option("--after", sessions_.after, "Continue after this session");
  list->add_option("--limit", sessions_.limit, "At most so many")
      ->check(CLI::Range(1, 1000))
      ->capture_default_str();
  needId(leaf(sessions, "end",
              "Puts somebody out: every daemon refuses the session from now on.\n"
              "Example: garland sessions end ses_...",
              [this](Context with) { return endSession(with, id_); }),
         "ID");
}

void Grammar::addRoles() {
  auto* const roles = group("roles", "Who may do what");
  leaf(roles, "matrix", "Prints which role may call which route of the API", [this](Context with) {
    return showRoles(with, markdown_);
  })->add_flag("--markdown", markdown_, "The page of sdk-docs");
}

} // namespace garland::cli
