// Records, tables of them, and the machine that all of it runs on.
#include "host/cli/grammar.h"

#include "host/cli/completion.h"

namespace garland::cli {

void Grammar::addRecords() {
  auto* const records = group("records", "A vendor's records, whichever provider holds them");
  auto* const list = leaf(records, "ls", "Lists records, page by page", [this](Context with) {
    page_.vendor = vendor_;
    return listRecords(with, page_);
  });
  needVendor(list);
  list->add_option("--kind", page_.kind, "Only this kind, such as calendar.event");
  list->add_option("--after", page_.after, "Continue after this record id");
  list->add_option("--limit", page_.limit, "Most records on a page")->check(CLI::Range(1, 1000));
  list->add_flag("--deleted", page_.deleted, "Deleted records too");
  auto* const show = leaf(records, "show", "Shows one record",
                          [this](Context with) { return showRecord(with, id_, vendor_); });
  needId(show, "ID");
  needVendor(show);
  auto* const edit = leaf(records, "edit",
                          "Edits members of a record.  Example: garland records edit rec_... --vendor "
                          "ven_... --set \"/title=Rehearsal\"",
                          [this](Context with) {
                            edit_.id = id_;
                            edit_.vendor = vendor_;
                            return editRecord(with, edit_);
                          });
  needId(edit, "ID");
  needVendor(edit);
  edit->add_option("--set", edit_.texts, "/MEMBER=TEXT")->allow_extra_args(false);
  edit->add_option("--set-json", edit_.values, "/MEMBER=JSON, for anything but text")
      ->allow_extra_args(false);
  auto* const add =
      leaf(records, "add",
           "Adds a record; the connection's next sync creates it at the provider.\n"
           "Example: echo '{\"uid\":\"tasting@studio\",\"title\":\"Menu "
           "tasting\",\"status\":\"confirmed\",\"busy\":true,"
           "\"start\":{\"date\":\"2026-06-13\"}}' |\n"
           "           garland records add --vendor ven_... --connection con_... -\n"
           "What belongs into it: garland schema calendar.event",
           [this](Context with) { return addRecord(with, vendor_, connection_, kind_, file_); });
  needVendor(add);
  add->add_option("--connection", connection_, "Where to create it")->required();
  add->add_option("--kind", kind_, "Its kind (garland schema lists them)")->capture_default_str();
  add->add_option("FILE", file_, "JSON file with the record's data, or - for standard input")->required();
  auto* const remove = leaf(records, "rm", "Deletes a record here, and with the next sync at the provider",
                            [this](Context with) { return removeRecord(with, id_, vendor_); });
  needId(remove, "ID");
  needVendor(remove);
  auto* const dates =
      leaf(records, "dates", "When an event takes place, recurrence and exceptions applied",
           [this](Context with) { return recordDates(with, id_, vendor_, from_, until_, zone_); });
  needId(dates, "ID");
  needVendor(dates);
  dates->add_option("--from", from_, "Such as 2026-06-01T00:00:00Z; now if not given");
  dates->add_option("--until", until_, "Such as 2026-07-01T00:00:00Z; a year from now if not given");
  dates->add_option("--zone", zone_, "Zone of all-day and floating events")->capture_default_str();

  auto* const changes = app_.add_subcommand("changes", "What changed, in order");
  changes->final_callback([this, changes] {
    if (!changes->get_subcommands().empty()) return;
    if (vendor_.empty()) throw CLI::RequiredError("--vendor");
    command_ = [this](Context with) { return listChanges(with, vendor_, after_, page_.limit); };
  });
  changes->add_option("--vendor", vendor_, "The vendor's id (garland vendors ls); needed");
  changes->add_option("--after", after_, "Continue after this sequence number");
  changes->add_option("--limit", page_.limit, "At most so many")
      ->check(CLI::Range(1, 1000))
      ->capture_default_str();
  addStream(&app_, "stream",
            "Prints changes as they come, and goes on where it was if the connection breaks; with --json an "
            "object a line.\n"
            "Example: garland stream --vendor ven_... --from 0 --json");
  addStream(changes, "follow", "The same as garland stream");
  needVendor(leaf(&app_, "conflicts", "Edits that met on both sides, and how each was decided",
                  [this](Context with) { return listConflicts(with, vendor_); }));
}

void Grammar::addStream(CLI::App* parent, char const* name, char const* about) {
  auto* const stream = leaf(parent, name, about, [this](Context with) {
    follow_.vendor = vendor_;
    return followStream(with, follow_);
  });
  needVendor(stream);
  stream
      ->add_option(
          "--from,--after", follow_.after,
          "Resume from this sequence number, the last that you saw: what comes after it is printed; 0 for "
          "all that is kept; from now on if not given")
      ->check(CLI::NonNegativeNumber);
  stream->add_option("--kind", follow_.kinds, "Only this kind; may be given again")->allow_extra_args(false);
  stream->add_option("--wedding", follow_.wedding, "Only what belongs to the project that is this record");
  stream->add_option("--count", follow_.count, "End after so many")->check(CLI::PositiveNumber);
}

void Grammar::addTables() {
  auto* const imports = group("import", "Files of other programs, into a connection");
  auto* const exports = group("export", "Records as files for other programs");
  auto* const in = leaf(
      imports, "csv",
      "Hands a provider's CSV export to a connection's connector: separated by commas, semicolons or tabs.\n"
      "It is read as UTF-8, as UTF-16 with a byte order mark, and else as Windows-1252.\n"
      "Save a file in another encoding, such as Windows-1251, as UTF-8 first.\n"
      "The same file again changes nothing, and one that was broken off is simply imported again.\n"
      "Exit code 1: rows do not fit the header, or wait for a person (garland intake ls)\n"
      "Example: garland import csv con_... clients.csv --dry-run",
      [this](Context with) { return importCsv(with, import_); });
  in->add_option("CONNECTION", import_.connection)->required();
  in->add_option("FILE", import_.file, "The file; - for standard input")->required();
  in->add_option("--kind", import_.kind, "Refuse it unless the connector brings this kind, such as crm.lead");
  in->add_flag("--dry-run", import_.dry_run,
               "Only tell how the file reads, and what the connector would make of it");
  in->add_flag("--skip-uneven", import_.skip_uneven, "Leave out rows that do not fit the header");
  in->add_flag("!--no-wait", import_.wait, "Do not wait until the connector has read it");
  auto* const out = leaf(exports, "csv",
                         "Writes a vendor's records of one kind as a table, a column for each value.\n"
                         "Example: garland export csv --vendor ven_... --kind crm.client --out clients.csv",
                         [this](Context with) { return exportCsv(with, export_); });
  out->add_option("--vendor", export_.vendor, "The vendor's id")->required();
  out->add_option("--kind", export_.kind, "crm.client, crm.lead, crm.project, calendar.event, ...")
      ->required();
  out->add_option("--connection", export_.connection, "Only records that this connection has");
  out->add_option("--mapping", export_.mapping,
                  "A connector's mapping.json: columns as that connector reads them, so that the file "
                  "imports again to "
                  "the same records.\nExit code 1: of some records not all comes back; they are told")
      ->check(CLI::ExistingFile);
  out->add_option("--out", export_.out, "The file; - for standard output")->required();
}

void Grammar::addMachine() {
  auto* const sandbox = group("sandbox", "What protects this machine from connectors");
  offline(
      sandbox, "status",
      "Tries out what this machine offers and names the tier; needs no daemon.  Exit code 1: it is tier D",
      [](Output& output) { return sandboxStatus(output); });
  auto* const doctors = app_.add_subcommand(
      "doctor",
      "Looks for what is wrong and says what to type.  Example: garland doctor --config garland.toml");
  doctors->add_option("--config", everywhere_.config, "garlandd's settings, to be checked too");
  doctors->final_callback([this] {
    key_optional_ = true;
    command_ = [this](Context with) { return doctor(with, place_); };
  });
  auto* const schemas = offline(
      &app_, "schema",
      "Prints the JSON Schema of a kind of record, or what the input of an operation has (with --json "
      "its\nJSON Schema); without a word lists both.\n"
      "Example: garland schema calendar.event;  garland schema payments.authorize/1",
      [this](Output& output) { return describe(output, schema_kind_); });
  schemas->add_option("NAME", schema_kind_, "Such as calendar.event or payments.authorize/1");
  offline(&app_, "completion", "Prints a completion script.  Example: source <(garland completion bash)",
          [this](Output& output) {
            output.line(completionScript(shell_));
            return Exit::ok;
          })
      ->add_option("SHELL", shell_, "bash or zsh")
      ->required()
      ->check(CLI::IsMember({"bash", "zsh"}));
}

} // namespace garland::cli
