#include "host/mail/smtp_session.h"

#include <algorithm>
#include <cctype>
#include <charconv>
#include <utility>

namespace garland::mail {

namespace {

constexpr std::size_t max_line = 1'000; // of a command; RFC 5321 asks for 512 and room for parameters
constexpr std::size_t max_errors = 20;  // then whoever it is gains nothing by going on
constexpr std::string_view address_prefix = "lead-";
constexpr std::string_view end_of_data = ".\r\n";

bool sameWord(std::string_view a, std::string_view b) {
  return std::equal(a.begin(), a.end(), b.begin(), b.end(),
                    [](unsigned char x, unsigned char y) { return std::tolower(x) == std::tolower(y); });
}

std::string lower(std::string_view text) {
  std::string out(text);
  std::transform(out.begin(), out.end(), out.begin(),
                 [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  return out;
}

std::string_view trimmed(std::string_view text) {
  while (text.starts_with(' ')) text.remove_prefix(1);
  while (text.ends_with(' ')) text.remove_suffix(1);
  return text;
}

// The first word of `rest`, which is taken off it.
std::string_view takeWord(std::string_view& rest) {
  auto const word = rest.substr(0, rest.find(' '));
  rest.remove_prefix(word.size());
  rest = trimmed(rest);
  return word;
}

// "FROM:<path> parameters" or "TO:<path> parameters".
struct Path {
  bool valid = false;
  std::string_view address;
  std::string_view parameters;
};

Path pathIn(std::string_view text, std::string_view keyword) {
  Path path;
  if (text.size() < keyword.size() || !sameWord(text.substr(0, keyword.size()), keyword)) return path;
  text = trimmed(text.substr(keyword.size()));
  auto const end = text.find('>');
  if (!text.starts_with('<') || end == std::string_view::npos) return path;
  path.address = text.substr(1, end - 1);
  path.parameters = trimmed(text.substr(end + 1));
  path.valid = path.address.find_first_of("< \t") == std::string_view::npos &&
               (path.parameters.empty() || text[end + 1] == ' ');
  return path;
}

bool printable(std::string_view line) {
  return std::none_of(line.begin(), line.end(), [](char c) {
    auto const byte = static_cast<unsigned char>(c);
    return byte < 0x20U || byte == 0x7FU;
  });
}

} // namespace

Session::Session(SessionOptions options) : options_(std::move(options)) {}
Session::~Session() { reset(); }

std::string Session::greeting() const { return "220 " + options_.host + " ESMTP\r\n"; }

Session::Wants Session::advance(std::string& input, std::string& replies) {
  for (;;) {
    if (state_ == State::data) {
      if (!readData(input)) return Wants::input;
      state_ = State::command;
      if (!oversize_ && !over_budget_) return Wants::delivery;
      refuse(oversize_ ? "552 5.3.4 this mail is larger than is taken here\r\n"
                       : "452 4.3.1 too many mails are coming in; try again later\r\n",
             replies);
      reset();
      continue;
    }
    auto const end = input.find("\r\n");
    if (end == std::string::npos || end > max_line) {
      if (input.size() <= max_line && !skipping_line_) return Wants::input;
      if (auto const wants = tooLong(input, replies); wants != Wants::delivery) return wants;
      continue;
    }
    std::string const line = input.substr(0, end);
    input.erase(0, end + 2);
    if (std::exchange(skipping_line_, false)) continue;
    auto const said = replies.size();
    auto const wants = command(line, replies);
    if (wants == Wants::tls && !input.empty()) {
      // Said before the handshake, by whoever: it must not count as said after it.
      replies.resize(said);
      replies += "554 5.7.0 nothing may follow STARTTLS before the handshake\r\n";
      return Wants::end;
    }
    if (wants != Wants::input) return wants;
    if (errors_ >= max_errors) {
      replies += "421 4.7.0 too many errors\r\n";
      return Wants::end;
    }
  }
}

// Drops what there is of a line without end, up to its end; `delivery` means "go on".
Session::Wants Session::tooLong(std::string& input, std::string& replies) {
  if (!std::exchange(skipping_line_, true)) refuse("500 5.5.6 this line is too long\r\n", replies);
  auto const end = input.find("\r\n");
  if (end == std::string::npos) {
    // A CR may be the first half of the end.
    input.erase(0, input.ends_with('\r') ? input.size() - 1 : input.size());
    return Wants::input;
  }
  input.erase(0, end + 2);
  skipping_line_ = false;
  if (errors_ < max_errors) return Wants::delivery;
  replies += "421 4.7.0 too many errors\r\n";
  return Wants::end;
}

void Session::refuse(std::string_view reply, std::string& replies) {
  ++errors_;
  replies += reply;
}

void Session::reset() {
  giveBack();
  mail_ = ReceivedMail();
  has_sender_ = false;
  oversize_ = false;
  over_budget_ = false;
}

Session::Wants Session::command(std::string_view line, std::string& replies) {
  std::string_view rest = line;
  auto const verb = takeWord(rest);
  if (!printable(line)) {
    refuse("500 5.5.2 a line holds characters that no command has\r\n", replies);
  } else if (sameWord(verb, "EHLO") || sameWord(verb, "HELO")) {
    hello(rest, sameWord(verb, "EHLO"), replies);
  } else if (sameWord(verb, "MAIL")) {
    mail(rest, replies);
  } else if (sameWord(verb, "RCPT")) {
    recipient(rest, replies);
  } else if (sameWord(verb, "DATA")) {
    beginData(rest, replies);
  } else if (sameWord(verb, "RSET")) {
    reset();
    replies += "250 2.0.0 forgotten\r\n";
  } else if (sameWord(verb, "NOOP")) {
    replies += "250 2.0.0 ok\r\n";
  } else if (sameWord(verb, "QUIT")) {
    replies += "221 2.0.0 goodbye\r\n";
    return Wants::end;
  } else if (sameWord(verb, "STARTTLS")) {
    return startTls(rest, replies);
  } else if (sameWord(verb, "VRFY") || sameWord(verb, "EXPN") || sameWord(verb, "HELP")) {
    refuse("502 5.5.1 this is not offered\r\n", replies);
  } else {
    refuse("500 5.5.2 this is no command that is known here\r\n", replies);
  }
  return Wants::input;
}

void Session::hello(std::string_view rest, bool extended, std::string& replies) {
  if (rest.empty()) return refuse("501 5.5.4 say who you are: EHLO name\r\n", replies);
  reset();
  greeted_ = true;
  if (!extended) {
    replies += "250 " + options_.host + "\r\n";
    return;
  }
  replies += "250-" + options_.host + "\r\n250-PIPELINING\r\n250-SIZE " + std::to_string(options_.max_bytes) +
             "\r\n250-8BITMIME\r\n250-SMTPUTF8\r\n";
  if (options_.tls_offered && !tls_) replies += "250-STARTTLS\r\n";
  replies += "250 ENHANCEDSTATUSCODES\r\n";
}

std::string Session::objectionTo(std::string_view parameter) const {
  auto const equals = parameter.find('=');
  auto const name = parameter.substr(0, equals);
  auto const value = equals == std::string_view::npos ? std::string_view() : parameter.substr(equals + 1);
  if (sameWord(name, "SMTPUTF8") && equals == std::string_view::npos) return "";
  if (sameWord(name, "BODY") && (sameWord(value, "8BITMIME") || sameWord(value, "7BIT"))) return "";
  if (!sameWord(name, "SIZE")) return "555 5.5.4 a parameter of MAIL is not known here\r\n";
  std::size_t size = 0;
  auto const [end, failed] = std::from_chars(value.data(), value.data() + value.size(), size);
  bool const number = !value.empty() && end == value.data() + value.size();
  if (number && failed == std::errc() && size <= options_.max_bytes) return "";
  if (number) return "552 5.3.4 this mail is larger than is taken here\r\n";
  return "501 5.5.4 SIZE must be a number of bytes\r\n";
}

void Session::mail(std::string_view rest, std::string& replies) {
  if (!greeted_) return refuse("503 5.5.1 say EHLO first\r\n", replies);
  if (has_sender_) return refuse("503 5.5.1 one mail at a time: its sender is known\r\n", replies);
  auto const path = pathIn(rest, "FROM:");
  if (!path.valid) return refuse("501 5.1.7 write MAIL FROM:<address>\r\n", replies);
  for (auto parameters = path.parameters; !parameters.empty();)
    if (auto const objection = objectionTo(takeWord(parameters)); !objection.empty())
      return refuse(objection, replies);
  has_sender_ = true;
  replies += "250 2.1.0 ok\r\n";
}

void Session::recipient(std::string_view rest, std::string& replies) {
  if (!has_sender_) return refuse("503 5.5.1 say MAIL FROM first\r\n", replies);
  auto const path = pathIn(rest, "TO:");
  if (!path.valid) return refuse("501 5.1.3 write RCPT TO:<address>\r\n", replies);
  if (!path.parameters.empty()) return refuse("555 5.5.4 RCPT takes no parameters here\r\n", replies);
  auto const at = path.address.rfind('@');
  auto const local = lower(path.address.substr(0, at));
  auto const token = local.starts_with(address_prefix) ? local.substr(address_prefix.size()) : std::string();
  bool const ours = at != std::string_view::npos && sameWord(path.address.substr(at + 1), options_.domain);
  if (!ours || token.empty() || !options_.knows(token)) {
    if (options_.refused) options_.refused();
    return refuse("550 5.1.1 nobody here has this address\r\n", replies);
  }
  if (mail_.tokens.size() >= options_.max_recipients)
    return refuse("452 4.5.3 too many recipients for one mail\r\n", replies);
  if (std::find(mail_.tokens.begin(), mail_.tokens.end(), token) == mail_.tokens.end())
    mail_.tokens.push_back(token);
  has_named_ = true;
  replies += "250 2.1.5 ok\r\n";
}

void Session::beginData(std::string_view rest, std::string& replies) {
  if (!rest.empty()) return refuse("501 5.5.4 DATA takes no parameters\r\n", replies);
  if (!has_sender_) return refuse("503 5.5.1 say MAIL FROM first\r\n", replies);
  if (mail_.tokens.empty()) return refuse("554 5.5.1 there is no recipient\r\n", replies);
  state_ = State::data;
  charged_ = mail_.tokens.front();
  at_line_start_ = true;
  replies += "354 end with a line that holds a dot\r\n";
}

Session::Wants Session::startTls(std::string_view rest, std::string& replies) {
  if (!options_.tls_offered || tls_ || !rest.empty()) {
    refuse("502 5.5.1 this is not offered\r\n", replies);
    return Wants::input;
  }
  replies += "220 2.0.0 go ahead\r\n";
  return Wants::tls;
}

// What was said in the clear is forgotten (RFC 3207).
void Session::startedTls() {
  reset();
  greeted_ = false;
  tls_ = true;
}

// Moves whole lines from input to the mail, without the dots that were stuffed.
bool Session::readData(std::string& input) {
  std::size_t taken = 0;
  bool ended = false;
  while (!ended) {
    std::string_view const rest = std::string_view(input).substr(taken);
    if (at_line_start_ && rest.starts_with('.')) {
      if (rest.size() < end_of_data.size()) break; // whether this dot ends the mail is not known yet
      ended = rest.starts_with(end_of_data);
      taken += ended ? end_of_data.size() : 1;
      at_line_start_ = false;
      continue;
    }
    auto const end = rest.find("\r\n");
    if (end == std::string_view::npos) {
      // A long line need not be whole; its last byte may be the first half of its end.
      auto const part = rest.ends_with('\r') ? rest.size() - 1 : rest.size();
      keep(rest.substr(0, part));
      if (part > 0) at_line_start_ = false;
      taken += part;
      break;
    }
    keep(rest.substr(0, end + 2));
    at_line_start_ = true;
    taken += end + 2;
  }
  input.erase(0, taken);
  return ended;
}

void Session::keep(std::string_view bytes) {
  if (oversize_ || over_budget_) return;
  oversize_ = mail_.bytes.size() + bytes.size() > options_.max_bytes;
  over_budget_ = !oversize_ && options_.budget && !options_.budget->take(charged_, bytes.size());
  if (oversize_ || over_budget_) {
    mail_.bytes = std::string(); // not clear(), which keeps the memory
    giveBack();                  // at once: its sender may take its time with the rest
    return;
  }
  mail_.bytes += bytes;
  reserved_ += bytes.size();
}

void Session::giveBack() {
  if (options_.budget) options_.budget->giveBack(charged_, reserved_);
  reserved_ = 0;
}

ReceivedMail Session::take() { return std::exchange(mail_, ReceivedMail()); }

void Session::settle(Delivered outcome, std::string& replies) {
  reset();
  switch (outcome) {
  case Delivered::kept: replies += "250 2.0.0 it is kept\r\n"; return;
  case Delivered::later: replies += "451 4.3.0 it could not be kept now; try again later\r\n"; return;
  case Delivered::full: replies += "452 4.2.2 too much waits for this address; try again later\r\n"; return;
  case Delivered::unwanted: replies += "554 5.6.0 this address takes no mail\r\n"; return;
  }
}

} // namespace garland::mail
