// The twin of Resend: mails that are sent, scheduled, called back and delivered, mails that come in,
// webhooks; idempotency keys, cursors, limits and errors in Resend's form.
//
// Any key "re_..." signs in; "re_send_..." may only send. What becomes of a mail, its first recipient's name
// decides: see fates below. A second after it is sent, a mail is delivered.
#include "twin_mail.h"

#include <garland/sdk/twin.hpp>

#include <map>

namespace {

using namespace garland::resend_twin;

constexpr garland::sdk::Milliseconds on_the_way = std::chrono::seconds(1);

struct Fate {
  std::string_view name; // what the recipient's address begins with
  std::string_view event;
};
constexpr Fate fates[] = {{"bounced", "bounced"},
                          {"complained", "complained"},
                          {"delayed", "delivery_delayed"},
                          {"suppressed", "suppressed"},
                          {"failed", "failed"}};
// What may happen to a mail that is on its way.
constexpr std::string_view happenings[] = {"sent",   "delivered", "delivery_delayed", "complained", "bounced",
                                           "opened", "clicked",   "failed",           "suppressed"};

class Resend final : public Twin {
public:
  explicit Resend(Settings const& settings) : Twin(settings) {
    auto people = random().stream("people");
    for (std::int64_t i = 0; i < settings.volume; ++i) {
      auto const whom = person(people);
      auto const address = whom.first + " <" + whom.email + ">";
      take(mailOf({{"from", "Studio <studio@example.com>"},
                   {"to", address},
                   {"subject", "Wedding no. " + std::to_string(i)},
                   {"text", "Dear " + whom.first}}),
           {});
      if (i % 10 == 0)
        receive(
            {{"from", address}, {"to", "studio@example.com"}, {"subject", "A question"}, {"text", "When?"}});
    }
    while (!due_.empty()) // they were sent before, and have arrived
      happen(due_.begin()->first);
    begun_ = true;
  }

  Response serve(Request const& request) override {
    happen(now());
    auto const key = request.bearer();
    if (key.empty())
      return errorAnswer(401, "missing_api_key", "Missing API key in the authorization header.");
    if (!key.starts_with("re_")) return errorAnswer(403, "invalid_api_key", "API key is invalid");
    auto const verdict = limit_.take(key, now());
    if (!verdict.allowed)
      return limited(errorAnswer(429, "rate_limit_exceeded",
                                 "Too many requests. You can only make 2 requests per second."),
                     verdict);
    bool const sends =
        request.method == "POST" && (request.path == "/emails" || request.path == "/emails/batch");
    if (key.starts_with("re_send_") && !sends)
      return limited(errorAnswer(401, "restricted_api_key", "This API key is restricted to only send emails"),
                     verdict);
    return limited(sends ? once(request, key) : dispatch(routes, *this, request), verdict);
  }

  // What others do: {"receive":{"from","to","subject","text","html"}} a mail comes in;
  // {"id":MAIL,"event":"opened"} somebody opens it, or whatever else happens to it.
  json::value edit(json::object const& change) override {
    happen(now());
    if (auto const* const mail = change.if_contains("receive"); mail != nullptr && mail->is_object()) {
      checkMailIn(mail->get_object());
      return receive(mail->get_object());
    }
    auto* const mail = mails_.find(textIn(change, "id"));
    auto const event = textIn(change, "event");
    if (mail == nullptr || event.empty()) throw Malformed("an edit has \"receive\", or \"id\" and \"event\"");
    if (std::ranges::find(happenings, event) == std::end(happenings))
      throw Malformed(
          "\"event\" is nothing that happens to a mail: opened, clicked, delivered, bounced, ...");
    become(*mail, event, now());
    return *mail;
  }

  json::object state() const override {
    std::map<std::string, std::int64_t> counts;
    for (auto const* const mail : mails_.all()) ++counts[textIn(*mail, "last_event")];
    json::object out{{"emails", mails_.size()}, {"received", received_.size()}, {"webhooks", hooks_.size()}};
    for (auto const& [event, count] : counts) out[event] = count;
    return out;
  }

  Response refuse(int status, std::string_view why) const override {
    return errorAnswer(status,
                       status == 404   ? "not_found"
                       : status == 405 ? "method_not_allowed"
                                       : "validation_error",
                       why);
  }

private:
  static Response limited(Response answer, RateLimit::Verdict const& verdict) {
    auto const seconds = std::chrono::ceil<std::chrono::seconds>(verdict.retry_after).count();
    answer.with("ratelimit-limit", std::to_string(verdict.limit))
        .with("ratelimit-remaining", std::to_string(verdict.remaining))
        .with("ratelimit-reset", std::to_string(std::max<std::int64_t>(seconds, 1)));
    if (!verdict.allowed) answer.with("retry-after", std::to_string(std::max<std::int64_t>(seconds, 1)));
    return answer;
  }

  // A key gives the first answer again for a day.
  Response once(Request const& request, std::string_view account) {
    std::string const header(request.header("idempotency-key"));
    if (header.empty()) return dispatch(routes, *this, request);
    if (header.size() > 256)
      return errorAnswer(400, "invalid_idempotency_key", "The key must be between 1-256 chars.");
    auto const key = std::string(account) + " " + header;
    auto const what = request.path + " " + request.body;
    auto const seen = keys_.find(key, what, now());
    if (seen.seen == SeenKeys::Seen::otherRequest)
      return errorAnswer(
          409, "invalid_idempotent_request",
          "This idempotency key has been used on a request that had a different payload. Retrying "
          "this request is useless without changing the idempotency key or payload.");
    if (seen.seen == SeenKeys::Seen::same) return *seen.answer;
    auto answer = dispatch(routes, *this, request);
    if (answer.status < 300) keys_.keep(key, what, answer, now());
    return answer;
  }

  // ---- mails that are sent

  Response send(Request const& request) {
    auto const body = request.bodyObject();
    auto mail = mailOf(body);
    return {200, json::object{{"id", take(std::move(mail), scheduleIn(body, now())).at("id")}}};
  }

  Response sendBatch(Request const& request) {
    bool const permissive = request.header("x-batch-validation") == "permissive";
    auto const bodies = request.bodyJson();
    if (!bodies.is_array() || bodies.get_array().empty()) invalid("The body must be an array of emails.");
    if (bodies.get_array().size() > 100) invalid("At most 100 emails can be sent at once.");
    std::vector<std::pair<Row, std::optional<TimePoint>>> good;
    json::array errors;
    std::int64_t index = 0;
    for (auto const& body : bodies.get_array()) {
      try {
        if (!body.is_object()) invalid("An email must be an object.");
        if (body.get_object().contains("attachments"))
          invalid("The `attachments` field is not supported here.");
        good.emplace_back(mailOf(body.get_object()), scheduleIn(body.get_object(), now()));
      } catch (Refusal const& refusal) {
        if (!permissive) throw;
        errors.push_back(
            json::object{{"index", index}, {"message", json::parse(refusal.response.body).at("message")}});
      }
      ++index;
    }
    json::array data;
    for (auto& [mail, when] : good)
      data.push_back(json::object{{"id", take(std::move(mail), when).at("id")}});
    json::object answer{{"data", data}};
    if (permissive) answer["errors"] = errors;
    return {200, answer};
  }

  Row& take(Row mail, std::optional<TimePoint> when) {
    if (when && *when <= now()) when.reset();
    auto const id = ids().uuid();
    mail["id"] = id;
    mail["message_id"] = "<" + ids().uuid() + "@email.example.com>";
    mail["created_at"] = stamp(now());
    mail["scheduled_at"] = when ? json::value(stamp(*when)) : json::value();
    mail["topic_id"] = nullptr;
    auto& row = mails_.add(id, std::move(mail));
    if (begun_) note("email.created", id, row);
    if (when) {
      become(row, "scheduled", now());
      due_.emplace(*when, std::pair(id, std::string("sent")));
    } else {
      goOut(row, now());
    }
    return row;
  }

  void goOut(Row& mail, TimePoint at) {
    become(mail, "sent", at);
    auto const whom = addressOf(std::string_view(mail.at("to").at(0).get_string()));
    std::string event = "delivered";
    for (auto const& fate : fates)
      if (whom.starts_with(fate.name)) event = fate.event;
    due_.emplace(at + on_the_way, std::pair(textIn(mail, "id"), event));
  }

  // Everything that is due by then.
  void happen(TimePoint until) {
    while (!due_.empty() && due_.begin()->first <= until) {
      auto const [at, what] = *due_.begin();
      due_.erase(due_.begin());
      auto* const mail = mails_.find(what.first);
      if (mail == nullptr || textIn(*mail, "last_event") == "canceled") continue;
      if (what.second == "sent")
        goOut(*mail, at);
      else
        become(*mail, what.second, at);
    }
  }

  void become(Row& mail, std::string const& event, TimePoint at) {
    mail["last_event"] = event;
    if (!begun_) return;
    note("email." + event, textIn(mail, "id"), json::object{{"at", rfc3339(at)}, {"to", mail["to"]}});
    json::object tags;
    for (auto const& tag : mail["tags"].get_array())
      tags[std::string_view(tag.at("name").get_string())] = tag.at("value");
    auto created = textIn(mail, "created_at");
    json::object data{{"email_id", mail["id"]},
                      {"created_at", rfc3339(parseRfc3339(created).value_or(at))},
                      {"from", mail["from"]},
                      {"to", mail["to"]},
                      {"subject", mail["subject"]}};
    data["tags"] = std::move(tags);
    if (event == "bounced")
      data["bounce"] = json::object{{"type", "Permanent"},
                                    {"subType", "General"},
                                    {"message", "The recipient's mail server rejected the email."},
                                    {"diagnosticCode", {"smtp; 550 5.1.1 user unknown"}}};
    if (event == "failed") data["failed"] = json::object{{"reason", "reached_daily_quota"}};
    if (event == "suppressed")
      data["suppressed"] = json::object{{"type", "OnAccountSuppressionList"},
                                        {"reason", "previous_bounce"},
                                        {"message", "The address is on the account's suppression list."},
                                        {"diagnosticCode", json::array()}};
    if (event == "clicked")
      data["click"] = json::object{{"ipAddress", "192.0.2.1"},
                                   {"link", "https://studio.example.com"},
                                   {"timestamp", rfc3339(at)},
                                   {"userAgent", "Mozilla/5.0"}};
    tell("email." + event, std::move(data), at);
  }

  Response showMail(Request const& request) { return {200, found(mails_, request, "mail")}; }

  Response listMails(Request const& request) {
    return listed(request, mails_, [](Row row) {
      for (auto const* const member : {"html", "text", "tags", "object"}) row.erase(member);
      return row;
    });
  }

  Response reschedule(Request const& request) {
    auto& mail = scheduled(request);
    auto const when = scheduleIn(request.bodyObject(), now());
    if (!when) missing("scheduled_at");
    unschedule(textIn(mail, "id"));
    mail["scheduled_at"] = stamp(*when);
    due_.emplace(*when, std::pair(textIn(mail, "id"), std::string("sent")));
    note("email.rescheduled", textIn(mail, "id"), json::object{{"scheduled_at", mail["scheduled_at"]}});
    return {200, json::object{{"object", "email"}, {"id", mail["id"]}}};
  }

  Response cancel(Request const& request) {
    auto& mail = scheduled(request);
    unschedule(textIn(mail, "id"));
    mail["last_event"] = "canceled";
    note("email.canceled", textIn(mail, "id"));
    return {200, json::object{{"object", "email"}, {"id", mail["id"]}}};
  }

  Row& scheduled(Request const& request) {
    auto& mail = found(mails_, request, "mail");
    if (textIn(mail, "last_event") != "scheduled") invalid("Only scheduled emails can be changed.");
    return mail;
  }
  void unschedule(std::string const& id) {
    std::erase_if(due_, [&](auto const& entry) { return entry.second.first == id; });
  }

  // ---- mails that come in

  // What somebody sends to the account has a sender and a recipient, and texts are texts.
  static void checkMailIn(Row const& given) {
    if (addressOf(textIn(given, "from")).empty() || addressesIn(given, "to").empty())
      throw Malformed("a mail that comes in has the addresses \"from\" and \"to\"");
    for (auto const* const field : {"subject", "text", "html", "message_id"})
      if (auto const* const value = given.if_contains(field);
          value != nullptr && !value->is_null() && !value->is_string())
        throw Malformed("\"" + std::string(field) + "\" of a mail that comes in must be a string");
  }

  Row& receive(Row const& given) {
    auto const id = ids().uuid();
    Row mail{
        {"object", "email"}, {"id", id}, {"from", textIn(given, "from")}, {"created_at", rfc3339(now())}};
    for (auto const* const field : {"to", "cc", "bcc", "reply_to"}) mail[field] = addressesIn(given, field);
    mail["received_for"] = mail["to"];
    mail["subject"] = textIn(given, "subject");
    for (auto const* const field : {"text", "html"})
      mail[field] = given.contains(field) ? given.at(field) : json::value();
    mail["headers"] = given.contains("headers") ? given.at("headers") : json::value(json::object());
    mail["message_id"] = given.contains("message_id") ? textIn(given, "message_id")
                                                      : "<" + ids().uuid() + "@mail.example.com>";
    mail["attachments"] = json::array();
    auto& row = received_.add(id, std::move(mail));
    if (!begun_) return row;
    note("email.received", id, row);
    json::object data{{"email_id", id}, {"message_id", row["message_id"]}};
    for (auto const* const member : {"created_at", "from", "to", "cc", "bcc", "subject", "attachments"})
      data[member] = row[member];
    tell("email.received", std::move(data), now());
    return row;
  }

  Response showReceived(Request const& request) { return {200, found(received_, request, "mail")}; }
  Response listReceived(Request const& request) {
    return listed(request, received_, [](Row row) {
      for (auto const* const member : {"html", "text", "headers", "object"}) row.erase(member);
      return row;
    });
  }

  // ---- domains, webhooks

  Response listDomains(Request const&) {
    json::object domain{{"id", "d91cd9bd-1176-453e-8fc1-35364d380206"},
                        {"name", "example.com"},
                        {"status", "verified"},
                        {"created_at", stamp(settings().start)},
                        {"region", "us-east-1"}};
    return {200, json::object{{"object", "list"}, {"has_more", false}, {"data", {domain}}}};
  }

  Response createHook(Request const& request) {
    auto const body = request.bodyObject();
    if (textIn(body, "endpoint").empty()) missing("endpoint");
    auto const* const events = body.if_contains("events");
    if (events == nullptr || !events->is_array() || events->get_array().empty()) missing("events");
    auto const id = ids().uuid();
    Row hook{{"object", "webhook"}, {"id", id}, {"endpoint", body.at("endpoint")}, {"events", *events}};
    hook["status"] = "enabled";
    hook["created_at"] = stamp(now());
    hook["signing_secret"] = ids().text("whsec_", 32);
    auto const& row = hooks_.add(id, std::move(hook));
    note("webhook.created", id);
    return {201,
            json::object{{"object", "webhook"}, {"id", id}, {"signing_secret", row.at("signing_secret")}}};
  }
  Response showHook(Request const& request) { return {200, found(hooks_, request, "hook")}; }
  Response listHooks(Request const& request) {
    return listed(request, hooks_, [](Row row) {
      row.erase("signing_secret");
      row.erase("object");
      return row;
    });
  }
  Response deleteHook(Request const& request) {
    auto const id = textIn(found(hooks_, request, "hook"), "id");
    hooks_.erase(id);
    note("webhook.deleted", id);
    return {200, json::object{{"object", "webhook"}, {"id", id}, {"deleted", true}}};
  }

  void tell(std::string const& type, json::object data, TimePoint at) {
    auto const body =
        json::serialize(json::object{{"type", type}, {"created_at", rfc3339(at)}, {"data", std::move(data)}});
    for (auto const* const hook : hooks_.all()) {
      auto const& events = hook->at("events").get_array();
      if (std::ranges::find(events, json::value(type)) == events.end()) continue;
      Webhook notice;
      notice.id = ids().text("msg_", 27);
      notice.url = textIn(*hook, "endpoint");
      notice.body = body;
      notice.scheme = "svix";
      notice.secret = textIn(*hook, "signing_secret");
      deliver(std::move(notice));
    }
  }

  // ---- common

  static Row& found(Table<Row>& rows, Request const& request, std::string_view name) {
    auto* const row = rows.find(request.at(name));
    if (row == nullptr)
      refuseWith(404, "not_found", name == "hook" ? "Webhook not found" : "Email not found");
    return *row;
  }

  // The newest first.
  template <class Shape> static Response listed(Request const& request, Table<Row> const& rows, Shape shape) {
    auto all = rows.all();
    std::ranges::reverse(all);
    auto const after = request.parameter("after");
    auto const before = request.parameter("before");
    if (after && before) invalid("`after` and `before` cannot be used together.");
    auto const limit = request.numberOr("limit", 20);
    if (limit < 1 || limit > 100) invalid("`limit` must be between 1 and 100.");
    auto const is = [](std::string const& id) {
      return [&id](Row const* row) { return textIn(*row, "id") == id; };
    };
    auto const size = static_cast<std::size_t>(limit);
    Page<Row const*> page;
    if (before) std::ranges::reverse(all);
    if (auto const& cursor = before ? before : after) {
      auto const behind = pageAfter(all, is(*cursor), size);
      if (!behind) invalid("The pagination cursor is invalid.");
      page = *behind;
    } else {
      page = pageAt(all, 0, size);
    }
    if (before) std::ranges::reverse(page.items);
    json::array data;
    for (auto const* const row : page.items) data.push_back(shape(*row));
    return {200, json::object{{"object", "list"}, {"has_more", page.more}, {"data", data}}};
  }

  static constexpr Route<Resend> routes[] = {
      {"POST", "/emails", &Resend::send},
      {"GET", "/emails", &Resend::listMails},
      {"POST", "/emails/batch", &Resend::sendBatch},
      {"GET", "/emails/receiving", &Resend::listReceived},
      {"GET", "/emails/receiving/{mail}", &Resend::showReceived},
      {"GET", "/emails/{mail}", &Resend::showMail},
      {"PATCH", "/emails/{mail}", &Resend::reschedule},
      {"POST", "/emails/{mail}/cancel", &Resend::cancel},
      {"GET", "/domains", &Resend::listDomains},
      {"POST", "/webhooks", &Resend::createHook},
      {"GET", "/webhooks", &Resend::listHooks},
      {"GET", "/webhooks/{hook}", &Resend::showHook},
      {"DELETE", "/webhooks/{hook}", &Resend::deleteHook},
  };

  Table<Row> mails_, received_, hooks_;
  std::multimap<TimePoint, std::pair<std::string, std::string>> due_; // mail, and what it becomes
  bool begun_ = false;                                                // what happens from now on is told
  SeenKeys keys_;
  RateLimit limit_{2, std::chrono::seconds(1)};
};

} // namespace

GARLAND_TWIN(Resend)
