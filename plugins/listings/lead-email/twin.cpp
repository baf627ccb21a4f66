// The twin of a site that sends its leads as mails. It has no API: what it has is the mails, as the vendor's
// mail server would hand them on (it proves where they are from: Authentication-Results by mx.example.org).
// Which site it is decides sender, subject and labels, by the table below.
//
// `volume` is how many leads were sent before. GET /mails?after=N&limit=M lists those behind number N, at
// most 1000 at once: {"mails": [{"id", "path", "lead"}], "last"}, where "last" is the newest of all; ask
// again from the last id until it is that. GET /mails/N.eml is one as it came, for a client of SMTP or a
// mailbox. What is kept is the lead; a mail's text is made when it is asked for. What happens (POST
// /_twin/edit): {"lead": {...}}: a couple asks; of "name", "email", "phone", "date", "guests", "budget" and
// "message" what is not given is made up. {"notice": true}: a weekly report, which is no lead. The answer
// names the mail.
#include <garland/sdk/twin.hpp>

#include <algorithm>
#include <charconv>
#include <vector>

namespace garland::lead_email_twin {
namespace {

using namespace sdk::twin;

std::string textIn(json::object const& object, std::string_view name) {
  auto const* const value = object.if_contains(name);
  return value != nullptr && value->is_string() ? std::string(value->get_string()) : std::string();
}

struct Site {
  std::string_view id; // what the connector's begins with
  std::string_view name, from, lead_subject, notice_subject;
  std::string_view couple, email, phone, date, guests, budget, lead_id, message, end; // labels
};
constexpr Site sites[] = {
    {"garland.the-knot", "The Knot", "leads@theknot.com", "New lead from ", "Your weekly storefront report",
     "Name", "Email", "Phone", "Wedding date", "Guest count", "Budget", "Lead ID", "Message",
     "Reply to this message"},
    {"garland.weddingwire", "WeddingWire", "inquiries@weddingwire.com", "New inquiry from ",
     "You have a new review on WeddingWire", "Couple", "Email", "Phone Number", "Event Date", "Guests",
     "Budget", "Inquiry ID", "Comments", "Respond within 24 hours to improve your response rate"},
    {"garland.zola", "Zola", "vendors@zola.com", "New inquiry from ", "Your Zola summary", "Couple names",
     "Email", "Phone", "Wedding date", "Guest count", "Budget", "Inquiry ID", "Message from the couple",
     "Respond in your Zola inbox"}};

constexpr Site const& site() {
  for (auto const& one : sites)
    if (std::string_view(GARLAND_CONNECTOR_ID).starts_with(one.id)) return one;
  throw "no site of this name"; // fails to compile
}
constexpr Site const& us = site();

class LeadSite final : public Twin {
public:
  explicit LeadSite(Settings const& settings) : Twin(settings), people_(random().stream("people")) {
    for (std::int64_t i = 0; i < settings.volume; ++i) write(someLead(), settings.start);
  }

  Response serve(Request const& request) override { return dispatch(routes, *this, request); }

  json::value edit(json::object const& change) override {
    if (change.size() != 1) throw Malformed("an edit has \"lead\" or \"notice\", and nothing else");
    if (auto const* const notice = change.if_contains("notice")) {
      if (*notice != json::value(true)) throw Malformed("\"notice\" can only be true");
      return write(json::object(), now());
    }
    auto const* const wanted = change.if_contains("lead");
    if (wanted == nullptr || !wanted->is_object()) throw Malformed("an edit has \"lead\" or \"notice\"");
    auto lead = someLead();
    for (auto const& [name, value] : wanted->get_object()) {
      if (!lead.contains(name) || !value.is_string())
        throw Malformed("a lead has the texts name, email, phone, date, guests, budget and message");
      lead[name] = value;
    }
    auto mail = write(std::move(lead), now());
    note("lead", textIn(mail, "id"), mail.at("lead"));
    return mail;
  }

  json::object state() const override { return {{"mails", mails_.size()}}; }

private:
  json::object someLead() {
    auto const whom = person(people_);
    auto const day = std::chrono::floor<std::chrono::days>(settings().start) +
                     std::chrono::days(100 + people_.between(0, 500));
    return {{"name", whom.first + " " + whom.last},
            {"email", whom.email},
            {"phone", whom.phone},
            {"date", sdk::rfc3339(sdk::TimePoint(day)).substr(0, 10)},
            {"guests", std::to_string(people_.between(20, 200))},
            {"budget", "$" + std::to_string(people_.between(10, 90)) + "00"},
            {"message", "Are you free on that day?"}};
  }

  // Mail number N is mails_[N - 1]. An empty lead: a notice.
  struct Mail {
    sdk::TimePoint at;
    json::object lead;
  };

  json::object write(json::object lead, sdk::TimePoint at) {
    mails_.push_back({at, std::move(lead)});
    return entryOf(mails_.size());
  }

  json::object entryOf(std::size_t number) const {
    auto const id = std::to_string(number);
    return {{"id", id}, {"path", "/mails/" + id + ".eml"}, {"lead", mails_.at(number - 1).lead}};
  }

  static std::string domain() { return std::string(us.from.substr(us.from.find('@') + 1)); }

  static std::string head(std::string const& id, std::string const& subject, sdk::TimePoint at) {
    auto const day = std::chrono::floor<std::chrono::days>(at);
    std::chrono::year_month_day const date(day);
    constexpr std::string_view months = "JanFebMarAprMayJunJulAugSepOctNovDec";
    auto const time = sdk::rfc3339(at).substr(11, 8);
    std::string const month(months.substr(3 * (unsigned(date.month()) - 1), 3));
    return "Authentication-Results: mx.example.org; dkim=pass header.d=" + domain() +
           "; dmarc=pass header.from=" + domain() + "\r\nFrom: " + std::string(us.name) + " <" +
           std::string(us.from) + ">\r\nTo: studio@example.org\r\nSubject: " + subject +
           "\r\nDate: " + std::to_string(unsigned(date.day())) + " " + month + " " +
           std::to_string(int(date.year())) + " " + time + " +0000\r\nMessage-ID: <" + id + "@" + domain() +
           ">\r\nMIME-Version: 1.0\r\nContent-Type: text/plain; charset=utf-8\r\n\r\n";
  }

  static std::string textOf(json::object const& lead, std::string const& id, sdk::TimePoint at) {
    auto text =
        head(id, std::string(us.lead_subject) + textIn(lead, "name"), at) + "You have a new lead!\r\n\r\n";
    auto const line = [&](std::string_view label, std::string_view member) {
      if (auto const value = textIn(lead, member); !value.empty())
        text += std::string(label) + ": " + value + "\r\n";
    };
    line(us.couple, "name");
    line(us.email, "email");
    line(us.phone, "phone");
    line(us.date, "date");
    line(us.guests, "guests");
    line(us.budget, "budget");
    text += std::string(us.lead_id) + ": L-" + id + "\r\n\r\n" + std::string(us.message) + ":\r\n" +
            textIn(lead, "message") + "\r\n\r\n" + std::string(us.end) + "\r\n";
    return text;
  }

  static std::string noticeOf(std::string const& id, sdk::TimePoint at) {
    return head(id, std::string(us.notice_subject), at) + "This is how your page did.\r\n\r\nUnsubscribe\r\n";
  }

  Response listMails(Request const& request) {
    auto const all = static_cast<std::int64_t>(mails_.size());
    auto const limit = request.numberOr("limit", page);
    if (limit < 1) throw Malformed("the parameter \"limit\" must be at least 1");
    auto const after = std::clamp<std::int64_t>(request.numberOr("after", 0), 0, all);
    auto const end = std::min(all, after + std::min(limit, page));
    json::array some;
    for (auto number = after + 1; number <= end; ++number)
      some.push_back(entryOf(static_cast<std::size_t>(number)));
    return {200, json::object{{"mails", std::move(some)}, {"last", std::to_string(all)}}};
  }

  Response showMail(Request const& request) {
    std::string_view const file = request.at("file");
    auto const id = file.substr(0, file.rfind(".eml"));
    std::size_t number = 0;
    auto const read = std::from_chars(id.data(), id.data() + id.size(), number);
    bool const whole = read.ec == std::errc() && read.ptr == id.data() + id.size();
    if (!whole || number < 1 || number > mails_.size()) return refuse(404, "there is no such mail");
    auto const& mail = mails_[number - 1];
    auto const name = std::to_string(number);
    return {200, "message/rfc822",
            mail.lead.empty() ? noticeOf(name, mail.at) : textOf(mail.lead, name, mail.at)};
  }

  static constexpr std::int64_t page = 1000;
  static constexpr Route<LeadSite> routes[] = {{"GET", "/mails", &LeadSite::listMails},
                                               {"GET", "/mails/{file}", &LeadSite::showMail}};

  Random people_;
  std::vector<Mail> mails_;
};

} // namespace
} // namespace garland::lead_email_twin

GARLAND_TWIN(garland::lead_email_twin::LeadSite)
