// Checks of what listing sites bring: each lead once, whatever happened to the way by which it came.
#include "certification/checks/pulls.h"

#include <algorithm>
#include <set>

namespace garland::certification {
namespace {

constexpr char const* kParse = "intake.parse/1";
constexpr char const* kLead = "crm.lead";

std::string noLeads(Subject const& subject) {
  auto const* entities = garland::find(subject.plugin.manifest.document, "/entities");
  bool const leads = entities != nullptr && entities->is_object() && entities->get_object().contains(kLead);
  return leads && subject.offers(kParse) ? "" : "the manifest does not name intake.parse/1 with crm.lead";
}

// One delivery of a lead; `time` makes the host's own id and clock of it.
struct Delivery {
  std::string lead;
  json::object item;
};

// What the host holds of leads: by what a repetition is known, and whose it was.
class Inbox {
public:
  explicit Inbox(Trial& trial) : trial_(trial) {}

  void take(Delivery const& delivery, std::string const& step) {
    Ask ask;
    ask.operation = kParse;
    ask.input = intakeInput(delivery.item, "itm_" + std::to_string(++items_), trial_.bench().now());
    auto const journal = trial_.mustRun(std::move(ask), step);
    if (!journal.ok()) return;
    trial_.expect(textOr(*journal.result, "/outcome", "") == "taken",
                  "a lead is not taken: " + textOr(*journal.result, "/reason", "no reason"), step);
    for (auto const& record : journal.records) {
      if (record.kind != kLead) continue;
      auto const id = textOr(record.value, "/id", "");
      auto const* data = garland::find(record.value, "/data");
      trial_.expect(!id.empty() && data != nullptr, "a lead has no id", step);
      auto const [known, fresh] = leads_.emplace(id, delivery.lead);
      trial_.expect(fresh || known->second == delivery.lead, "two leads have one id, so the first gets lost",
                    step);
      ids_[delivery.lead].insert(id);
    }
  }

  // Each lead has one id, and none is missing.
  void expectAll(std::set<std::string> const& leads) {
    for (auto const& lead : leads) {
      trial_.expect(ids_.contains(lead), "a lead got lost", lead);
      trial_.expect(!ids_.contains(lead) || ids_.at(lead).size() == 1,
                    "a lead that came again is taken for another one", lead);
    }
  }

private:
  Trial& trial_;
  std::map<std::string, std::string> leads_; // id -> lead
  std::map<std::string, std::set<std::string>> ids_;
  int items_ = 0;
};

void eachLeadOnce(Trial& trial) {
  constexpr int leads_of_each = 8;
  auto const* told = garland::find(trial.subject().brief.document, "/intake/leads");
  if (told == nullptr || !told->is_array() || told->get_array().empty())
    return trial.giveUp("certification.json: /intake/leads has no item of which a lead is made");
  std::vector<Delivery> deliveries;
  std::set<std::string> leads;
  for (int n = 1; n <= leads_of_each; ++n)
    for (auto const& lead : told->get_array()) {
      auto const name = textOr(lead, "/says", "a lead") + ", no. " + std::to_string(n);
      leads.insert(name);
      // A list of deliveries: the first, and in which forms it may come again, such as a reminder.
      for (auto& each : intakeDeliveries(lead, n)) deliveries.push_back({name, std::move(each)});
    }
  World world;
  world.seed = trial.seed();
  trial.newBench(world);
  Inbox inbox(trial);
  auto const half = deliveries.size() / 2;
  for (std::size_t i = 0; i < half; ++i) inbox.take(deliveries[i], deliveries[i].lead);
  // An outage: nothing of the worker is left, and the sender repeats what it is not sure of, backwards.
  trial.newBench(std::move(world));
  trial.bench().wait(std::chrono::hours(30));
  for (std::size_t i = deliveries.size(); i-- > half / 2;)
    inbox.take(deliveries[i], deliveries[i].lead + ", after an outage");
  for (std::size_t i = half; i < deliveries.size(); ++i) {
    trial.bench().wait(std::chrono::minutes(10));
    inbox.take(deliveries[i], deliveries[i].lead + ", once more");
  }
  inbox.expectAll(leads);
}

constexpr Check kChecks[] = {
    {.id = "LST-01", .run = eachLeadOnce, .skip = noLeads},
};

} // namespace

std::span<Check const> listingChecks() { return kChecks; }

} // namespace garland::certification
