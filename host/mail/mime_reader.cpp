// From the bytes of a mail to the object a connector reads. The one file that sees GMime.
#include "host/base/clock.h"
#include "host/mail/mail.h"
#include "host/mail/mime_shape.h"

#include <gmime/gmime.h>

#include <algorithm>
#include <array>
#include <memory>
#include <mutex>
#include <string>

namespace garland::mail {

namespace {

struct Unref {
  void operator()(gpointer object) const { g_object_unref(object); }
};
struct Free {
  void operator()(gpointer memory) const { g_free(memory); }
};
struct FreeOptions {
  void operator()(GMimeParserOptions* options) const { g_mime_parser_options_free(options); }
};
template <class T> using Owned = std::unique_ptr<T, Unref>;
using OwnedText = std::unique_ptr<char, Free>;
using OwnedOptions = std::unique_ptr<GMimeParserOptions, FreeOptions>;

void initialise() {
  static std::once_flag once;
  std::call_once(once, [] { g_mime_init(); });
}

// Valid UTF-8, without zero bytes, which no text has and which C programs stumble over.
std::string clean(std::string_view text) {
  OwnedText const valid(g_utf8_make_valid(text.data(), static_cast<gssize>(text.size())));
  return valid.get();
}
// Lines end with LF alone.
std::string withPlainLines(std::string text) {
  std::string out;
  out.reserve(text.size());
  for (std::size_t i = 0; i < text.size(); ++i)
    if (text[i] != '\r' || (i + 1 < text.size() && text[i + 1] != '\n')) out += text[i];
  return out;
}
std::string clean(char const* text) {
  return text == nullptr ? std::string() : clean(std::string_view(text));
}

bool known(std::string const& charset) {
  GIConv const converter = g_iconv_open("UTF-8", charset.c_str());
  if (converter == reinterpret_cast<GIConv>(-1)) return false; // NOLINT(performance-no-int-to-ptr)
  g_iconv_close(converter);
  return true;
}

// The decoded content of a part, through a charset filter if one is named.
std::string contentOf(GMimePart* part, char const* charset) {
  auto* const content = g_mime_part_get_content(part);
  if (content == nullptr) return {};
  Owned<GMimeStream> const memory(g_mime_stream_mem_new());
  if (charset == nullptr) {
    g_mime_data_wrapper_write_to_stream(content, memory.get());
  } else {
    Owned<GMimeStream> const filtered(g_mime_stream_filter_new(memory.get()));
    Owned<GMimeFilter> const filter(g_mime_filter_charset_new(charset, "UTF-8"));
    if (filter) g_mime_stream_filter_add(GMIME_STREAM_FILTER(filtered.get()), filter.get());
    g_mime_data_wrapper_write_to_stream(content, filtered.get());
    g_mime_stream_flush(filtered.get());
  }
  auto const* const bytes = g_mime_stream_mem_get_byte_array(GMIME_STREAM_MEM(memory.get()));
  if (bytes == nullptr || bytes->data == nullptr) return {};
  return {reinterpret_cast<char const*>(bytes->data), bytes->len};
}

// UTF-8 is believed wherever it is valid: mail that lies about its charset mostly is UTF-8.
std::string textOf(GMimePart* part) {
  auto plain = contentOf(part, nullptr);
  char const* const named = g_mime_object_get_content_type_parameter(GMIME_OBJECT(part), "charset");
  std::string charset = named == nullptr ? "" : g_mime_charset_iconv_name(named);
  bool const seven_bit =
      std::all_of(plain.begin(), plain.end(), [](char c) { return static_cast<unsigned char>(c) < 0x80U; });
  bool const stateful = g_ascii_strncasecmp(charset.c_str(), "iso-2022", 8) == 0 ||
                        g_ascii_strncasecmp(charset.c_str(), "utf-7", 5) == 0 ||
                        g_ascii_strncasecmp(charset.c_str(), "utf-16", 6) == 0 ||
                        g_ascii_strncasecmp(charset.c_str(), "utf-32", 6) == 0 ||
                        g_ascii_strcasecmp(charset.c_str(), "hz-gb-2312") == 0;
  bool const is_utf8 = g_utf8_validate(plain.data(), static_cast<gssize>(plain.size()), nullptr) != FALSE;
  if (!stateful && (seven_bit || is_utf8)) return clean(plain);
  if (charset.empty() || !known(charset) || g_ascii_strcasecmp(charset.c_str(), "us-ascii") == 0)
    charset = "windows-1252";
  if (g_ascii_strcasecmp(charset.c_str(), "utf-8") == 0) return clean(plain);
  return clean(contentOf(part, charset.c_str()));
}

json::array addressesOf(InternetAddressList* list) {
  json::array all;
  int const count = list == nullptr ? 0 : internet_address_list_length(list);
  for (int i = 0; i < count; ++i) {
    auto* const one = internet_address_list_get_address(list, i);
    if (!INTERNET_ADDRESS_IS_MAILBOX(one)) continue; // a group: nobody in particular
    all.push_back(
        json::object{{"name", clean(internet_address_get_name(one))},
                     {"address", clean(internet_address_mailbox_get_addr(INTERNET_ADDRESS_MAILBOX(one)))}});
  }
  return all;
}

std::string dateOf(GMimeMessage* message) {
  auto* const date = g_mime_message_get_date(message); // the message's own
  if (date == nullptr) return {};
  return rfc3339(TimePoint(std::chrono::seconds(g_date_time_to_unix(date))));
}

// "" for one that is longer than a line may be: it names nothing that others could name.
std::string identityOf(GMimeMessage* message) {
  auto id = clean(g_mime_message_get_message_id(message));
  return id.size() > 998 ? "" : id;
}

class Reader {
public:
  explicit Reader(Limits const& limits) : limits_(limits) {}

  // `body` is what stands in for the text if no part is found in it.
  Result<json::object> read(GMimeMessage* message, std::string_view body) {
    mail_["message_id"] = identityOf(message);
    mail_["from"] = addressesOf(g_mime_message_get_from(message));
    mail_["to"] = addressesOf(g_mime_message_get_addresses(message, GMIME_ADDRESS_TYPE_TO));
    mail_["reply_to"] = addressesOf(g_mime_message_get_reply_to(message));
    mail_["subject"] = clean(g_mime_message_get_subject(message));
    mail_["date"] = dateOf(message);
    auto* const content = g_mime_message_get_mime_part(message);
    json::array headers;
    addHeaders(GMIME_OBJECT(message), headers);
    if (content != nullptr) addHeaders(content, headers);
    mail_["headers"] = std::move(headers);
    TRY_VOID(walk(content, "1", 1));
    if (text_.empty() && html_.empty() && attachments_.empty()) {
      TRY_VOID(append(text_, withPlainLines(clean(body)), "1"));
    }
    mail_["text"] = text_;
    mail_["html"] = html_;
    mail_["attachments"] = std::move(attachments_);
    return std::move(mail_);
  }

private:
  static void addHeaders(GMimeObject* object, json::array& all) {
    auto* const headers = g_mime_object_get_header_list(object);
    for (int i = 0; i < g_mime_header_list_get_count(headers); ++i) {
      auto* const header = g_mime_header_list_get_header_at(headers, i);
      all.push_back(
          json::array{clean(g_mime_header_get_name(header)), clean(g_mime_header_get_value(header))});
    }
  }

  Result<void> walk(GMimeObject* object, std::string const& place, std::size_t depth) {
    if (object == nullptr) return {};
    if (depth > limits_.max_depth)
      return Error(ErrorKind::hostLimit, "the mail nests its parts deeper than " +
                                             std::to_string(limits_.max_depth) + " (at part " + place + ")");
    if (++parts_ > limits_.max_parts)
      return Error(ErrorKind::hostLimit, "the mail has more than " + std::to_string(limits_.max_parts) +
                                             " parts (at part " + place + ")");
    if (GMIME_IS_MULTIPART(object)) return walkAll(GMIME_MULTIPART(object), place, depth);
    if (GMIME_IS_MESSAGE_PART(object)) return walkForwarded(GMIME_MESSAGE_PART(object), place, depth);
    if (GMIME_IS_PART(object)) return takePart(GMIME_PART(object), place);
    return {};
  }

  Result<void> walkAll(GMimeMultipart* multipart, std::string const& place, std::size_t depth) {
    int const count = g_mime_multipart_get_count(multipart);
    for (int i = 0; i < count; ++i) {
      TRY_VOID(walk(g_mime_multipart_get_part(multipart, i), place + "." + std::to_string(i + 1), depth + 1));
    }
    return {};
  }

  Result<void> walkForwarded(GMimeMessagePart* part, std::string const& place, std::size_t depth) {
    auto* const message = g_mime_message_part_get_message(part);
    attach(GMIME_OBJECT(part), message == nullptr ? "" : clean(g_mime_message_get_subject(message)), 0);
    if (message == nullptr) return {};
    OwnedText const from(internet_address_list_to_string(g_mime_message_get_from(message), nullptr, FALSE));
    TRY_VOID(append(text_,
                    "\n---------- Forwarded message ---------\nFrom: " + clean(from.get()) + "\nDate: " +
                        dateOf(message) + "\nSubject: " + clean(g_mime_message_get_subject(message)) + "\n",
                    place));
    return walk(g_mime_message_get_mime_part(message), place + ".1", depth + 1);
  }

  Result<void> takePart(GMimePart* part, std::string const& place) {
    auto* const type = g_mime_object_get_content_type(GMIME_OBJECT(part));
    bool const named = g_mime_part_get_filename(part) != nullptr;
    bool const apart = g_mime_part_is_attachment(part) != FALSE;
    if (!named && !apart && g_mime_content_type_is_type(type, "text", "html") != FALSE)
      return append(html_, withPlainLines(textOf(part)), place);
    if (!named && !apart && g_mime_content_type_is_type(type, "text", "plain") != FALSE)
      return append(text_, withPlainLines(textOf(part)), place);
    attach(GMIME_OBJECT(part), clean(g_mime_part_get_filename(part)), contentOf(part, nullptr).size());
    return {};
  }

  void attach(GMimeObject* part, std::string name, std::size_t bytes) {
    OwnedText const type(g_mime_content_type_get_mime_type(g_mime_object_get_content_type(part)));
    attachments_.push_back(json::object{
        {"name", std::move(name)},
        {"type", clean(type.get())},
        {"bytes", static_cast<std::int64_t>(bytes)}}); // no check of schemas takes an unsigned one
  }

  Result<void> append(std::string& whole, std::string const& more, std::string const& place) const {
    if (!whole.empty() && !more.empty() && !whole.ends_with('\n')) whole += '\n';
    whole += more;
    if (whole.size() <= limits_.max_text) return {};
    return Error(ErrorKind::hostLimit, "the mail has more than " + std::to_string(limits_.max_text) +
                                           " bytes of text (at part " + place + ")");
  }

  Limits const& limits_;
  json::object mail_;
  std::string text_;
  std::string html_;
  json::array attachments_;
  std::size_t parts_ = 0;
};

} // namespace

Result<json::object> readMail(std::string_view bytes, Limits const& limits) {
  TRY_VOID(checkShape(bytes, limits));
  initialise();
  // Headers with bytes above 127 and no charset: UTF-8 if they are, else what old Windows programs wrote.
  OwnedOptions const options(g_mime_parser_options_new());
  std::array<char const*, 3> charsets{"utf-8", "windows-1252", nullptr};
  g_mime_parser_options_set_fallback_charsets(options.get(), charsets.data());
  Owned<GMimeStream> const stream(g_mime_stream_mem_new_with_buffer(bytes.data(), bytes.size()));
  Owned<GMimeParser> const parser(g_mime_parser_new_with_stream(stream.get()));
  Owned<GMimeMessage> const message(g_mime_parser_construct_message(parser.get(), options.get()));
  if (!message ||
      g_mime_header_list_get_count(g_mime_object_get_header_list(GMIME_OBJECT(message.get()))) == 0)
    return Error(ErrorKind::invalidInput, "this is no mail: it begins with no header field");
  auto const header_end = std::max<gint64>(g_mime_parser_get_headers_end(parser.get()), 0);
  auto const body = bytes.substr(std::min(static_cast<std::size_t>(header_end), bytes.size()));
  return Reader(limits).read(message.get(), body);
}

} // namespace garland::mail
