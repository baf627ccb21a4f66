// The twin of a provider that only sends: a vendor's Zaps call an address when something happens there, and
// the vendor exports a file now and then. Which provider it is decides the words, by the table below; the
// fields are those that README.md has vendors set up.
//
// `volume` is how many inquiries there were before, which nobody was told of: they stand in GET /export.csv.
// POST /hooks {"url"} names an address to call. What happens (POST /_twin/edit):
//   {"event": "inquiry"}                                     somebody asks; answers the inquiry with its id
//   {"event": "booked" | "stage" | "payment", "id": ID}      of that inquiry; "stage" and "amount" may be
//   given
//   {"repeat": true}                                         what was sent last is sent once more, as Zapier
//   does
#include <garland/sdk/twin.hpp>

#include <algorithm>

namespace garland::catch_hook {
namespace {

using namespace sdk::twin;

std::string textIn(json::object const& object, std::string_view name) {
  auto const* const value = object.if_contains(name);
  return value != nullptr && value->is_string() ? std::string(value->get_string()) : std::string();
}

struct Sender {
  std::string_view id;     // what the connector's begins with
  std::string_view record; // the field that names the inquiry
  std::string_view inquiry, booked, stage, payment;
};
constexpr Sender senders[] = {
    {"garland.honeybook", "project_id", "New Inquiry", "Project Booked", "Project Stage Changed",
     "Payment Paid"},
    {"garland.seventeen-hats", "project_id", "New Lead", "Project Booked", "Status Changed", "Invoice Paid"},
    {"garland.dubsado", "lead_id", "New Lead", "Contract Signed", "Project Status Changed", "Invoice Paid"},
    {"garland.studio-ninja", "job_id", "New Lead", "Job Accepted", "Job Status Changed", "Payment Received"}};

constexpr Sender const& sender() {
  for (auto const& one : senders)
    if (std::string_view(GARLAND_CONNECTOR_ID).starts_with(one.id)) return one;
  throw "no sender of this name"; // fails to compile
}
constexpr Sender const& us = sender();

class SendingProvider final : public Twin {
public:
  explicit SendingProvider(Settings const& settings) : Twin(settings), people_(random().stream("people")) {
    for (std::int64_t i = 0; i < settings.volume; ++i) ask();
  }

  Response serve(Request const& request) override { return dispatch(routes, *this, request); }

  json::value edit(json::object const& change) override {
    requireKnown(change);
    if (change.contains("repeat")) {
      if (last_.empty()) throw Malformed("nothing was sent yet");
      send(last_);
      return json::parse(last_);
    }
    auto const event = textIn(change, "event");
    auto* const inquiry = event == "inquiry" ? &ask() : inquiries_.find(textIn(change, "id"));
    if (inquiry == nullptr) throw Malformed("an edit names the \"id\" of an inquiry");
    auto const body = bodyOf(event, *inquiry, change);
    note(event, textIn(*inquiry, us.record), body);
    last_ = json::serialize(body);
    send(last_);
    return body;
  }

  json::object state() const override { return {{"inquiries", inquiries_.size()}, {"hooks", hooks_.size()}}; }

private:
  // Texts, each with the event that it belongs to, or {"repeat": true}.
  static void requireKnown(json::object const& change) {
    auto const event = textIn(change, "event");
    for (auto const& [name, value] : change) {
      bool const of_event = name == "event" || (name == "id" && event != "inquiry") ||
                            (name == "stage" && event == "stage") || (name == "amount" && event == "payment");
      bool const fits = change.contains("repeat") ? name == "repeat" && value == json::value(true)
                                                  : of_event && value.is_string();
      if (!fits)
        throw Malformed("\"" + std::string(std::string_view(name)) +
                        "\" is not known here, or not of its type");
    }
  }

  json::object& ask() {
    auto const whom = person(people_);
    auto const id = std::to_string(ids().number("inquiry"));
    auto const day = std::chrono::floor<std::chrono::days>(settings().start) +
                     std::chrono::days(100 + people_.between(0, 500));
    json::object inquiry{{"client_name", whom.first + " " + whom.last},
                         {"client_email", whom.email},
                         {"client_phone", whom.phone},
                         {"event_date", sdk::rfc3339(sdk::TimePoint(day)).substr(0, 10)},
                         {"budget", "$" + std::to_string(people_.between(10, 90)) + "00.00"},
                         {"message", "Are you free?"}};
    inquiry[us.record] = id;
    return inquiries_.add(id, std::move(inquiry));
  }

  json::object bodyOf(std::string const& event, json::object const& inquiry, json::object const& change) {
    json::object body{{"event", wordFor(event)}};
    if (event != "payment")
      for (auto const& [name, value] : inquiry) body[name] = value;
    if (event == "booked") body["project_name"] = "Wedding of " + textIn(inquiry, "client_name");
    if (event == "stage") body["stage"] = change.contains("stage") ? textIn(change, "stage") : "Archived";
    if (event == "payment") {
      body[us.record] = inquiry.at(us.record);
      body["payment_id"] = ids().text("pay_", 12);
      body["payment_name"] = "Retainer";
      body["amount"] = change.contains("amount") ? textIn(change, "amount") : "500.00";
      body["paid_date"] = sdk::rfc3339(now()).substr(0, 10);
    }
    return body;
  }

  static std::string_view wordFor(std::string const& event) {
    if (event == "inquiry") return us.inquiry;
    if (event == "booked") return us.booked;
    if (event == "stage") return us.stage;
    if (event == "payment") return us.payment;
    throw Malformed("an event is inquiry, booked, stage or payment");
  }

  void send(std::string const& body) {
    for (auto const* const hook : hooks_.all()) {
      Webhook notice;
      notice.id = ids().text("zap_", 16);
      notice.url = textIn(*hook, "url");
      notice.body = body;
      deliver(std::move(notice)); // unsigned: the address is the secret
    }
  }

  Response addHook(Request const& request) {
    auto const body = request.bodyObject();
    if (textIn(body, "url").empty()) return refuse(400, "a hook has a \"url\"");
    auto const id = ids().text("hook_", 8);
    hooks_.add(id, {{"id", id}, {"url", body.at("url")}});
    return {201, json::object{{"id", id}}};
  }

  // As the provider exports its contacts.
  Response exportFile(Request const&) {
    std::string file = "Full Name,Email,Phone\r\n";
    for (auto const* const inquiry : inquiries_.all())
      file += textIn(*inquiry, "client_name") + "," + textIn(*inquiry, "client_email") + "," +
              textIn(*inquiry, "client_phone") + "\r\n";
    return {200, "text/csv; charset=utf-8", std::move(file)};
  }

  static constexpr Route<SendingProvider> routes[] = {{"POST", "/hooks", &SendingProvider::addHook},
                                                      {"GET", "/export.csv", &SendingProvider::exportFile}};

  Random people_;
  Table<json::object> inquiries_, hooks_;
  std::string last_;
};

} // namespace
} // namespace garland::catch_hook

GARLAND_TWIN(garland::catch_hook::SendingProvider)
