// The twin of Starter: a form on a vendor's site that tells an address of inquiries and bookings.
//
// POST /v1/hooks {"url": ...} registers the address. An edit is somebody who fills the form in, or books; the
// hook goes out after it. `volume` is how many inquiries there are to begin with, which nobody was told of.
#include <garland/sdk/pointer.hpp>
#include <garland/sdk/twin.hpp>

namespace {

namespace sdk = garland::sdk;
using namespace sdk::twin;

class Form final : public Twin {
public:
  explicit Form(Settings const& settings) : Twin(settings) {
    auto people = random().stream("people");
    for (std::int64_t i = 0; i < settings.volume; ++i) {
      auto const who = person(people);
      auto const day = settings.start + std::chrono::hours(24 * people.between(1, 500));
      keep({{"client_name", who.first + " " + who.last},
            {"client_email", who.email},
            {"client_phone", who.phone},
            {"event_date", sdk::rfc3339(day).substr(0, 10)}});
    }
  }

  Response serve(Request const& request) override { return dispatch(routes, *this, request); }

  // {"inquiry": {"client_name", ...}}: somebody asks; {"book": ID}: and books.
  json::value edit(json::object const& change) override {
    if (change.size() != 1) throw Malformed("an edit has \"inquiry\" or \"book\", and nothing else");
    if (auto const* const inquiry = change.if_contains("inquiry"); inquiry != nullptr && inquiry->is_object())
      return tell("new inquiry", keep(inquiry->get_object()));
    auto const found = inquiries_.find(sdk::textOr(change, "/book"));
    if (found == inquiries_.end()) throw Malformed("an edit has \"inquiry\", or \"book\" with the id of one");
    return tell("booked", found->second);
  }

  json::object state() const override { return {{"inquiries", inquiries_.size()}, {"hooks", hooks_.size()}}; }

private:
  Response hook(Request const& request) {
    auto const url = sdk::textOr(request.bodyObject(), "/url");
    if (url.empty()) return refuse(422, "url is missing");
    hooks_.push_back(url);
    return {201, json::object{{"url", url}}};
  }

  json::object const& keep(json::object inquiry) {
    auto const id = ids().text("inq_", 10);
    inquiry["inquiry_id"] = id;
    return inquiries_[id] = std::move(inquiry);
  }

  json::value tell(std::string_view event, json::object body) {
    body["event"] = event;
    note(event == "booked" ? "inquiry.booked" : "inquiry.created", sdk::textOr(body, "/inquiry_id"), body);
    for (auto const& url : hooks_) {
      Webhook notice;
      notice.id = ids().text("hook_");
      notice.url = url;
      notice.body = json::serialize(body);
      deliver(std::move(notice));
    }
    return body;
  }

  static constexpr Route<Form> routes[] = {{"POST", "/v1/hooks", &Form::hook}};

  std::map<std::string, json::object> inquiries_; // by id
  std::vector<std::string> hooks_;                // addresses
};

} // namespace

GARLAND_TWIN(Form)
