#include "lead_mail.h"

#include "html_text.h"
#include "sender.h"

#include <algorithm>
#include <cctype>
#include <optional>

namespace lead_email {

namespace {

std::vector<std::string> texts(json::value const& where, std::string_view member) {
  std::vector<std::string> all;
  if (auto const* object = where.if_object())
    if (auto const* list = object->if_contains(member); list != nullptr && list->is_array())
      for (auto const& one : list->get_array())
        if (one.is_string()) all.emplace_back(one.get_string());
  return all;
}

std::string text(json::value const& where, std::string_view member) {
  auto const* object = where.if_object();
  auto const* value = object == nullptr ? nullptr : object->if_contains(member);
  return value != nullptr && value->is_string() ? std::string(value->get_string()) : "";
}

// Values for the {names} of `like`, if the subject is like it.
std::optional<json::object> match(std::string_view like, std::string_view subject) {
  json::object values;
  auto const folded = lowerCase(subject);
  std::size_t at = 0;
  while (!like.empty()) {
    auto const open = std::min(like.find('{'), like.size());
    auto const literal = lowerCase(like.substr(0, open));
    if (!folded.substr(at).starts_with(literal)) return std::nullopt;
    at += literal.size();
    like.remove_prefix(open);
    if (like.empty()) break;
    auto const close = like.find('}');
    if (close == std::string_view::npos) return std::nullopt;
    std::string const name(like.substr(1, close - 1));
    like.remove_prefix(close + 1);
    auto const next = lowerCase(like.substr(0, std::min(like.find('{'), like.size())));
    auto const end = next.empty() ? folded.size() : folded.find(next, at + 1);
    if (end == std::string::npos || end <= at) return std::nullopt;
    if (name != "_") values.emplace(name, subject.substr(at, end - at));
    at = end;
  }
  if (at != folded.size()) return std::nullopt;
  return values;
}

// "Fwd: Re: New inquiry" without what mail programs put before it.
std::string_view withoutPrefixes(std::string_view subject) {
  for (bool again = true; again;) {
    again = false;
    for (std::string_view const prefix : {"fwd:", "fw:", "re:", "wg:", "tr:", "rv:", " "})
      if (lowerCase(subject.substr(0, prefix.size())) == prefix) {
        subject.remove_prefix(prefix.size());
        again = true;
      }
  }
  return subject;
}

// One of the two bodies says more; mostly both say the same.
struct Body {
  json::object values;
  std::string text;
};
Body bodyOf(std::string const& plain, std::string const& html, Labels const& labels) {
  Body first{labelled(plain, labels), plain};
  if (html.empty()) return first;
  auto lines = textOfHtml(html);
  Body second{labelled(lines, labels), std::move(lines)};
  return second.values.size() > first.values.size() ? second : first;
}

bool isOfProvider(std::string_view address, MailLayout const& mapping) {
  return std::any_of(mapping.domains.begin(), mapping.domains.end(),
                     [&](std::string const& domain) { return ofDomain(address, domain); });
}

std::string unreadable(intake::Mail const& mail) {
  for (auto const& header : mail.headers)
    if (header.size() == 2 && header[0] == "Garland-Unreadable") return header[1];
  return "";
}

std::optional<Forwarded> forwardedOf(intake::Mail const& mail, MailLayout const& mapping) {
  auto inner = forwardedIn(mail.text);
  if (!inner) inner = forwardedIn(textOfHtml(mail.html));
  if (inner && !isOfProvider(inner->from, mapping)) inner.reset();
  return inner;
}

// Whose word counts: the provider, and who forwards its mails.
enum class Sender { provider, forwarder, stranger };

Sender kindOf(std::string const& sender, MailLayout const& mapping, Trust const& trust) {
  if (isOfProvider(sender, mapping)) return Sender::provider;
  bool const forwards =
      std::find(trust.forwarders.begin(), trust.forwarders.end(), sender) != trust.forwarders.end();
  return forwards ? Sender::forwarder : Sender::stranger;
}

// Why it is not believed who sent this; "" if it is. All of this a person who looked at the mail may know
// better; what the mail says is another matter.
std::string doubtOf(intake::Mail const& mail, std::string const& sender, MailLayout const& mapping,
                    Trust const& trust) {
  if (trust.accepted) return "";
  if (mail.from.size() != 1) return "this mail has no single sender";
  if (kindOf(sender, mapping, trust) == Sender::stranger)
    return "the sender " + sender + " is not " + mapping.provider;
  if (trust.take_unproven || proven(mail.headers, trust.authserv_id, sender)) return "";
  if (trust.authserv_id.empty())
    return "nothing proves that this is from " + sender +
           ": set authserv_id to the mail server that checks, or unproven to \"take\"";
  return trust.authserv_id + " does not say that DKIM or DMARC passed for " + sender;
}

} // namespace

MailLayout readLayout(json::value const& mapping) {
  MailLayout out;
  auto const* object = mapping.if_object();
  auto const* mail = object == nullptr ? nullptr : object->if_contains("mail_layout");
  if (mail == nullptr || !mail->is_object()) return out;
  out.provider = text(*mail, "provider");
  out.domains = texts(*mail, "domains");
  if (auto const* subjects = mail->get_object().if_contains("subjects");
      subjects != nullptr && subjects->is_array())
    for (auto const& one : subjects->get_array())
      out.subjects.push_back({text(one, "like"), text(one, "kind")});
  if (auto const* labels = mail->get_object().if_contains("labels"))
    out.labels = Labels{texts(*labels, "values"), texts(*labels, "texts"), texts(*labels, "links"),
                        texts(*labels, "ends")};
  return out;
}

Reading readLead(intake::Mail const& mail, MailLayout const& mapping, Trust const& trust) {
  Reading reading;
  auto const object = [&](std::string why) {
    reading.objection = std::move(why);
    return reading;
  };
  if (auto const why = unreadable(mail); !why.empty()) return object("this mail could not be read: " + why);
  auto const sender = mail.from.size() == 1 ? lowerCase(mail.from.front().address) : std::string();
  auto body = bodyOf(mail.text, mail.html, mapping.labels);
  std::string subject(withoutPrefixes(mail.subject));
  if (auto const kind = kindOf(sender, mapping, trust); kind != Sender::provider) {
    auto const inner = forwardedOf(mail, mapping);
    if (!inner && kind == Sender::forwarder)
      return object("this holds no forwarded mail of " + mapping.provider);
    if (inner) {
      subject = withoutPrefixes(inner->subject);
      body = Body{labelled(inner->text, mapping.labels), inner->text};
    }
  }
  reading.doubt = doubtOf(mail, sender, mapping, trust);

  reading.document = std::move(body.values);
  auto const add = [&](std::string_view name, std::string_view value) {
    if (!value.empty()) reading.document.emplace(name, value); // what the body says comes first
  };
  for (auto const& known : mapping.subjects) {
    auto const values = match(known.like, subject);
    if (!values) continue;
    for (auto const& value : *values) add(value.key(), std::string_view(value.value().get_string()));
    add("mail_kind", known.kind);
    break;
  }
  add("mail_subject", subject);
  add("mail_date", mail.date);
  add("mail_id", mail.message_id);
  // A relay of the provider's, by which the couple is answered; the provider's own address would be a dead
  // end.
  if (mail.reply_to.size() == 1) add("mail_reply_to", lowerCase(mail.reply_to.front().address));
  return reading;
}

} // namespace lead_email
