// How Resend refuses, and what it takes for a mail. Only the twin includes this.
#pragma once

#include "base64.h"

#include <garland/sdk/twin_http.hpp>

#include <algorithm>
#include <string>
#include <string_view>

namespace garland::resend_twin {

using namespace sdk::twin;
using Row = json::object;

inline Response errorAnswer(int status, std::string_view name, std::string_view message) {
  return {status, json::object{{"statusCode", status}, {"name", name}, {"message", message}}};
}
[[noreturn]] inline void refuseWith(int status, std::string_view name, std::string_view message) {
  throw Refusal(errorAnswer(status, name, message));
}
[[noreturn]] inline void invalid(std::string_view message) { refuseWith(422, "validation_error", message); }
[[noreturn]] inline void missing(std::string_view field) {
  refuseWith(422, "missing_required_field", "Missing `" + std::string(field) + "` field.");
}

// "2026-01-01 00:00:00.674+00", as its database writes it.
inline std::string stamp(TimePoint when) {
  auto text = rfc3339(when);
  text[10] = ' ';
  text.pop_back();
  return text + "+00";
}

inline std::string textIn(Row const& row, std::string_view member) {
  auto const* const found = row.if_contains(member);
  return found != nullptr && found->is_string() ? std::string(found->get_string()) : std::string();
}

// The bare address of "Ada <ada@example.com>"; empty if it is none.
inline std::string addressOf(std::string_view text) {
  if (auto const open = text.rfind('<'); open != std::string_view::npos && text.ends_with('>'))
    text = text.substr(open + 1, text.size() - open - 2);
  auto const at = text.find('@');
  bool const good = at != std::string_view::npos && at > 0 && at + 1 < text.size() &&
                    text.find_first_of(" <>,@", at + 1) == std::string_view::npos &&
                    text.find_first_of(" <>,") > at;
  return good ? std::string(text) : std::string();
}

// One address or several; always several afterwards.
inline json::array addressesIn(Row const& body, std::string_view field) {
  auto const* const given = body.if_contains(field);
  if (given == nullptr || given->is_null()) return {};
  auto const list = given->is_array() ? given->get_array() : json::array{*given};
  for (auto const& one : list)
    if (!one.is_string() || addressOf(std::string_view(one.get_string())).empty())
      invalid(
          "Invalid `" + std::string(field) +
          "` field. The email address needs to follow the `email@example.com` or `Name <email@example.com>` "
          "format.");
  if (list.size() > 50) invalid("The `" + std::string(field) + "` field accepts at most 50 addresses.");
  return list;
}

inline bool isWord(json::value const& value) {
  if (!value.is_string() || value.get_string().empty() || value.get_string().size() > 256) return false;
  return std::ranges::all_of(std::string_view(value.get_string()), [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' || c == '-';
  });
}

inline json::array tagsIn(Row const& body) {
  auto const* const given = body.if_contains("tags");
  if (given == nullptr || given->is_null()) return {};
  if (!given->is_array()) invalid("The `tags` field must be an array.");
  for (auto const& one : given->get_array()) {
    auto const* const tag = one.if_object();
    if (tag == nullptr || !tag->contains("name") || !tag->contains("value") || !isWord(tag->at("name")) ||
        !isWord(tag->at("value")))
      invalid("Tags should only contain ASCII letters, numbers, underscores, or dashes.");
  }
  return given->get_array();
}

inline void checkAttachments(Row const& body) {
  auto const* const given = body.if_contains("attachments");
  if (given == nullptr || given->is_null()) return;
  if (!given->is_array()) invalid("The `attachments` field must be an array.");
  for (auto const& one : given->get_array()) {
    auto const* const content = one.is_object() ? one.get_object().if_contains("content") : nullptr;
    if (content != nullptr && content->is_string() &&
        !resend::isBase64(std::string_view(content->get_string())))
      refuseWith(422, "invalid_attachment", "The `content` of an attachment must be a Base64 string.");
  }
}

// When it is to be sent; nothing: now.
inline std::optional<TimePoint> scheduleIn(Row const& body, TimePoint now) {
  auto const* const given = body.if_contains("scheduled_at");
  if (given == nullptr || given->is_null()) return std::nullopt;
  auto const when = given->is_string() ? parseRfc3339(std::string_view(given->get_string())) : std::nullopt;
  if (!when) invalid("Invalid `scheduled_at` field. The date should be in ISO 8601 format.");
  if (*when > now + std::chrono::hours(30 * 24)) invalid("Emails can be scheduled up to 30 days ahead.");
  return when;
}

// A mail as it was asked for, checked; it has no id yet.
inline Row mailOf(Row const& body) {
  auto const from = textIn(body, "from");
  if (from.empty()) missing("from");
  auto const sender = addressOf(from);
  if (sender.empty())
    refuseWith(422, "invalid_from_address",
               "Invalid `from` field. The email address needs to follow the `email@example.com` or `Name "
               "<email@example.com>` format.");
  auto const domain = sender.substr(sender.find('@') + 1);
  if (domain.starts_with("unverified."))
    refuseWith(403, "validation_error",
               "The " + domain + " domain is not verified. Please, add and verify your domain.");
  Row mail{{"object", "email"}};
  mail["from"] = from;
  mail["to"] = addressesIn(body, "to");
  if (mail["to"].get_array().empty()) missing("to");
  for (auto const* const field : {"cc", "bcc", "reply_to"}) mail[field] = addressesIn(body, field);
  if (textIn(body, "subject").empty()) missing("subject");
  if (textIn(body, "subject").find_first_of("\r\n") != std::string::npos)
    invalid("The `\\n` is not allowed in the `subject` field.");
  checkAttachments(body);
  if (textIn(body, "html").empty() && textIn(body, "text").empty())
    refuseWith(422, "validation_error", "Missing `html` or `text` field.");
  mail["subject"] = textIn(body, "subject");
  mail["html"] = textIn(body, "html");
  mail["text"] = textIn(body, "text");
  mail["tags"] = tagsIn(body);
  return mail;
}

} // namespace garland::resend_twin
