// For those who write connectors, once they are written: webhooks tried by hand, twins, packages.
#include "host/cli/grammar.h"

namespace garland::cli {

void Grammar::addWebhooks() {
  auto* const webhooks = group("webhooks", "What providers send: what came in, and signatures tried by hand");
  offline(webhooks, "schemes", "Lists the signature schemes that are known by name; needs no daemon",
          [](Output& output) { return listWebhookSchemes(output); });
  auto* const verify = webhooks->add_subcommand(
      "verify", "Says whether a request is the provider's, and if not, why; needs no daemon.\n"
                "Example: garland webhooks verify --scheme stripe --secret-file - "
                "--headers headers.txt --body body.json\n"
                "             --now 1760000000 < secret.txt\n"
                "Exit codes: 0 accept, 1 reject, 2 wrong usage");
  verify
      ->add_option("--scheme", webhook_.scheme,
                   "A name (garland webhooks schemes), or a file: a connector.json, or its \"webhooks\"")
      ->required();
  verify
      ->add_option(
          "--secret", webhook_.secrets,
          "The secret or public key; again for a second live one.  Every user of this machine can read\n"
          "it while the command runs, and the shell remembers it: for real ones use --secret-file")
      ->allow_extra_args(false);
  verify
      ->add_option("--secret-file", webhook_.secret_files, "File that holds the secret, - for standard input")
      ->allow_extra_args(false);
  verify->add_option("--headers", webhook_.headers, "File with a line \"Name: value\" for each header");
  verify->add_option("--body", webhook_.body, "File with the body, byte for byte; none if not given");
  verify->add_option("--now", webhook_.now, "The clock: seconds since 1970 or RFC 3339; now if not given");
  verify->add_option("--url", webhook_.url, "The webhook's address as it was registered with the provider");
  verify->add_option("--method", webhook_.method, "The request's method")->capture_default_str();
  verify->add_option("--certificate", webhook_.certificate,
                     "PEM file with the certificate, or its public key, that the request names");
  verify->add_option("--set", webhook_.parameters, "A value agreed on at registration, NAME=VALUE")
      ->allow_extra_args(false);
  verify->add_option("--seen", webhook_.seen, "What came before, for schemes that allow a token once")
      ->allow_extra_args(false);
  verify->final_callback(
      [this] { offline_ = [this](Output& output) { return verifyWebhook(output, webhook_); }; });
}

void Grammar::addTwins() {
  auto* const twin =
      group("twin", "Twins: deterministic stand-ins for providers, for tests and demonstrations");
  auto* const serve = twin->add_subcommand(
      "serve",
      "Serves the twin of a provider over HTTP, prints its address and its ledger's, and runs until SIGINT "
      "or\n"
      "SIGTERM.  Example: garland twin serve stripe --port 0 --seed 7 --volume 10000\n"
      "Under /_twin/ of its address: ledger, state, clock, edit (a change by somebody else), fault.\n"
      "Exit codes: 0 ended by a signal, 1 the twin died, 2 wrong usage, 3 the port is taken or no sandbox");
  serve->add_option("ID", twin_.id, "Such as stripe")->required();
  serve->add_option("--port", twin_.port, "0 for any free one")->check(CLI::Range(0, 65535));
  serve->add_option("--seed", twin_.seed, "What all of its randomness is made of")
      ->check(CLI::Range(std::uint64_t{0}, kMostSeed))
      ->capture_default_str();
  serve->add_option("--volume", twin_.volume, "How many records it begins with; the twin says of what")
      ->check(CLI::Range(std::int64_t{0}, std::int64_t{1'000'000}))
      ->capture_default_str();
  serve->add_option("--host", twin_.host, "A loopback address")->capture_default_str();
  serve->add_option(
      "--now", twin_.now,
      "Begin at this time (2026-06-13T12:00:00Z) and stand still until POST /_twin/clock moves it; "
      "else the clock is the real one");
  serve->add_option("--dir", twin_.dirs, "Folder with twins, instead of those installed");
  serve->add_option("--worker", twin_.worker, "Another garland-worker");
  serve->add_flag("--allow-degraded-sandbox", twin_.allow_degraded, "Run although this machine is tier D");
  serve->final_callback([this] { offline_ = [this](Output& output) { return serveTwin(output, twin_); }; });
  auto* const ledger = twin->add_subcommand(
      "ledger",
      "Prints what really happened at a served twin.  Example: garland twin ledger http://127.0.0.1:8123\n"
      "Exit codes: 0 printed, 2 wrong usage, 3 no twin answers there");
  ledger->add_option("ADDRESS", address_, "What `garland twin serve` printed")->required();
  ledger->add_option("--after", after_, "Only what came after this number")->check(CLI::NonNegativeNumber);
  ledger->final_callback(
      [this] { offline_ = [this](Output& output) { return twinLedger(output, address_, after_); }; });
}

void Grammar::addPackages() {
  auto* const pack =
      offline(&app_, "pack",
              "Makes a package (.gpk) of a built connector, its twin and its documents; the same files give "
              "the same\n"
              "bytes.  Example: garland pack build/plugins/com.example.crm --source . -o crm.gpk",
              [this](Output& output) { return makePackage(output, package_); });
  pack->add_option("DIR", package_.folder, "Folder with connector.json and connector.so")->required();
  pack->add_option("-o,--out", package_.out, "The package (default: ID-VERSION.gpk)");
  pack->add_option(
      "--source", package_.source,
      "Folder that README.md, CHANGELOG.md, LICENSE, icon.svg, docs/ and schemas/ are taken from");
  pack->add_option("--twin", package_.twin,
                   "Folder of the built twin (default: ../../twins/ID-twin, if there)");
  auto* const sign = offline(
      &app_, "sign",
      "Signs a package in place; its digest stays.  Example: garland sign crm.gpk --key publisher.key --as "
      "publisher",
      [this](Output& output) { return signPackageFile(output, package_); });
  sign->add_option("FILE", package_.file)->required();
  sign->add_option("--key", package_.key_file, "Private key, made by `garland signing-keys new`")->required();
  sign->add_option("--as", package_.role, "publisher or marketplace")
      ->required()
      ->check(CLI::IsMember({"publisher", "marketplace"}));
  auto* const package = group("package", "Packages, looked at without running what is in them");
  offline(package, "show", "Shows what is in a package, and who signed it",
          [this](Output& output) { return showPackage(output, package_.file); })
      ->add_option("FILE", package_.file)
      ->required();
  auto* const verify =
      offline(package, "verify",
              "Says whether a package is sound, who signed it and, with --trust, whether it is "
              "certified.\n"
              "Exit codes: 0 it is, 1 it is not, 2 wrong usage",
              [this](Output& output) { return verifyPackage(output, package_); });
  verify->add_option("FILE", package_.file)->required();
  auto* const trust = verify->add_option("--trust", package_.trust,
                                         "File with a marketplace's public keys, one a line (a .pub file)");
  verify
      ->add_option("--revocations", package_.revocations,
                   "The marketplace's list of packages and keys that do not count any more")
      ->needs(trust);
}

} // namespace garland::cli
