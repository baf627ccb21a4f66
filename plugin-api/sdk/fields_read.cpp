// From the provider's record to ours, row by row.
#include "fields_rows.h"
#include "fields_texts.h"

#include <array>
#include <charconv>

namespace garland::sdk::fields {

void refuse(std::string_view pointer, std::string_view what) {
  throw Failure(Kind::providerBug, std::string(pointer) + ": " + std::string(what));
}

std::optional<AmountForm> amountForm(Amount const& form, Context const& context) {
  return form.form == AmountForm::account ? context.amounts : form.form;
}

namespace {

// The value there; nullptr if there is none, null being none.
json::value const* valueAt(json::value const& document, std::string_view pointer) {
  auto const* value = pointer.empty() ? nullptr : find(document, pointer);
  return value == nullptr || value->is_null() ? nullptr : value;
}

// A text, or a number's digits; empty: no value.
std::string textAt(json::value const& document, std::string_view pointer) {
  auto const* value = valueAt(document, pointer);
  if (value == nullptr) return {};
  if (!value->is_string() && !value->is_int64() && !value->is_uint64()) refuse(pointer, "must be text");
  return trimmed(textOr(document, pointer));
}

std::optional<std::int64_t> integerAt(json::value const& document, std::string_view pointer) {
  auto const* value = valueAt(document, pointer);
  if (value == nullptr) return std::nullopt;
  json::error_code error;
  if (value->is_number()) {
    auto const number = value->to_number<std::int64_t>(error);
    if (error) refuse(pointer, "must be an integer");
    return number;
  }
  auto const text = textAt(document, pointer);
  if (text.empty()) return std::nullopt;
  auto const number = parseDecimal(text, 0);
  if (!number) refuse(pointer, "must be an integer");
  return number;
}

std::optional<bool> booleanAt(json::value const& document, std::string_view pointer) {
  auto const* value = valueAt(document, pointer);
  if (value == nullptr) return std::nullopt;
  if (value->is_bool()) return value->get_bool();
  auto const text = textAt(document, pointer);
  if (text.empty()) return std::nullopt;
  if (text == "true" || text == "1") return true;
  if (text != "false" && text != "0") refuse(pointer, "must be true or false");
  return false;
}

// The digits of an amount as they are meant: JSON numbers by their shortest decimal form.
std::string decimalAt(json::value const& document, std::string_view pointer) {
  auto const* value = valueAt(document, pointer);
  if (value == nullptr || !value->is_double()) return textAt(document, pointer);
  double const number = value->get_double();
  constexpr double exact = 1e13; // beyond it the cents of a double are not certain
  if (!(number > -exact && number < exact)) refuse(pointer, "is too large to be exact");
  std::array<char, 64> digits{};
  auto const end =
      std::to_chars(digits.data(), digits.data() + digits.size(), number, std::chars_format::fixed).ptr;
  return {digits.data(), end};
}

std::string currencyAt(json::value const& document, Amount const& form, Context const& context) {
  auto code = form.currency.empty() ? std::string() : textAt(document, form.currency);
  for (auto& c : code)
    if (c >= 'a' && c <= 'z') c = static_cast<char>(c & ~0x20);
  if (code.empty()) code = context.currency;
  if (!isCurrency(code)) refuse(form.currency, "must be a currency code such as EUR");
  return code;
}

// Reads one row into `out`.
class RowReader {
public:
  RowReader(Field const& row, json::value const& theirs, Context const& context, json::object& out)
      : row_(row), theirs_(theirs), context_(context), out_(out) {}

  void operator()(Text const&) const { set(textAt(theirs_, row_.theirs)); }
  void operator()(Integer const&) const {
    if (auto const number = integerAt(theirs_, row_.theirs)) put(out_, row_.ours, *number);
  }
  void operator()(Boolean const&) const {
    if (auto const value = booleanAt(theirs_, row_.theirs)) put(out_, row_.ours, *value);
  }
  void operator()(Date const&) const {
    auto text = textAt(theirs_, row_.theirs);
    if (text.size() > 10 && (text[10] == 'T' || text[10] == ' ')) text.resize(10);
    if (!text.empty() && !isDate(text)) refuse(row_.theirs, "must be a date such as 2026-06-13");
    set(text);
  }
  void operator()(Timestamp const& form) const {
    if (form.form == Timestamp::Form::rfc3339) return set(utcAt(row_.theirs));
    auto const number = integerAt(theirs_, row_.theirs);
    if (!number) return;
    constexpr std::int64_t most = 253'402'300'799; // the end of the year 9999
    auto const seconds = form.form == Timestamp::Form::seconds ? *number : *number / 1000;
    if (seconds < 0 || seconds > most) refuse(row_.theirs, "must be a moment of this age");
    set(rfc3339(TimePoint(Milliseconds(form.form == Timestamp::Form::seconds ? *number * 1000 : *number))));
  }
  void operator()(When const& form) const;
  void operator()(Phone const&) const {
    auto const text = textAt(theirs_, row_.theirs);
    auto const number = phoneOf(text, context_.calling_code);
    if (!text.empty() && !number) refuse(row_.theirs, "must be a phone number");
    if (number && !text.empty()) set(*number);
  }
  void operator()(Email const&) const {
    auto const text = textAt(theirs_, row_.theirs);
    auto const address = emailOf(text);
    if (!text.empty() && !address) refuse(row_.theirs, "must be an e-mail address");
    if (address) set(*address);
  }
  void operator()(Words const& form) const {
    auto const text = textAt(theirs_, row_.theirs);
    if (text.empty()) return;
    std::string all;
    for (auto const& word : form.table) {
      if (word.theirs == text) return set(std::string(word.ours));
      all += (all.empty() ? "" : ", ") + std::string(word.theirs);
    }
    if (form.otherwise.empty()) refuse(row_.theirs, "must be one of " + all);
    set(std::string(form.otherwise));
  }
  void operator()(Amount const& form) const;
  void operator()(JoinName const& form) const {
    set(joinName(textAt(theirs_, row_.theirs), textAt(theirs_, form.last)));
  }
  void operator()(SplitName const& form) const {
    auto const [first, last] = splitName(textAt(theirs_, row_.theirs));
    set(first);
    if (!last.empty()) put(out_, form.last, json::value(last));
  }
  void operator()(Pairs const& form) const;
  void operator()(Texts const&) const;

private:
  void set(std::string const& text) const {
    if (!text.empty()) put(out_, row_.ours, json::value(text));
  }
  std::string utcAt(std::string_view pointer) const {
    auto const text = textAt(theirs_, pointer);
    if (text.empty()) return {};
    auto const when = parseRfc3339(text);
    if (!when) refuse(pointer, "must be a date-time such as 2026-06-13T12:00:00Z");
    return rfc3339(*when);
  }
  json::array const* arrayAt() const {
    auto const* value = valueAt(theirs_, row_.theirs);
    if (value != nullptr && !value->is_array()) refuse(row_.theirs, "must be an array");
    return value == nullptr ? nullptr : &value->get_array();
  }

  Field const& row_;
  json::value const& theirs_;
  Context const& context_;
  json::object& out_;
};

void RowReader::operator()(When const& form) const {
  auto const date = textAt(theirs_, row_.theirs);
  if (date.empty()) return;
  if (!isDate(date)) refuse(row_.theirs, "must be a date such as 2026-06-13");
  auto const time = textAt(theirs_, form.time);
  if (time.empty() || booleanAt(theirs_, form.whole_day).value_or(false))
    return put(out_, row_.ours, json::value{{"date", date}});
  auto const clock = clockOf(time);
  if (!clock) refuse(form.time, "must be a time of day such as 14:00");
  auto zone = textAt(theirs_, form.zone);
  auto const utc = utcAt(form.utc);
  if (!isZone(zone) && !utc.empty()) return put(out_, row_.ours, json::value{{"utc", utc}});
  if (!isZone(zone)) zone = context_.zone;
  json::object local{{"local", date + "T" + *clock}};
  if (!zone.empty()) local["zone"] = zone;
  put(out_, row_.ours, std::move(local));
}

void RowReader::operator()(Amount const& form) const {
  auto const written = amountForm(form, context_);
  if (!written) return;
  auto const text = decimalAt(theirs_, row_.theirs);
  if (text.empty()) return;
  auto const currency = currencyAt(theirs_, form, context_);
  int const theirs = minorDigits(currency, form.exceptions);
  bool const decimals = *written == AmountForm::text || *written == AmountForm::number;
  auto amount = parseDecimal(text, decimals ? theirs : 0);
  // Where minor units are due, "10.00" may well be ten of the others.
  if (*written == AmountForm::minor && text.find('.') != std::string::npos) amount.reset();
  if (amount) amount = rescaled(*amount, *written == AmountForm::major ? 0 : theirs, minorDigits(currency));
  if (!amount) refuse(row_.theirs, "must be an amount of " + currency);
  put(out_, row_.ours, encode(Money{*amount, currency}));
}

void RowReader::operator()(Pairs const& form) const {
  auto const* entries = arrayAt();
  if (entries == nullptr) return;
  json::object pairs;
  for (auto const& entry : *entries) {
    auto const key = textOr(entry, form.key);
    auto const* value = find(entry, form.value);
    if (key.empty()) refuse(std::string(row_.theirs) + "/-" + std::string(form.key), "is missing");
    if (value == nullptr || value->is_null()) continue;
    // Custom fields are texts, but a number or a tick may come as what it is.
    auto const text =
        value->is_string() ? std::string(std::string_view(value->get_string())) : json::serialize(*value);
    if (!text.empty()) pairs[key] = text;
  }
  if (!pairs.empty()) put(out_, row_.ours, std::move(pairs));
}

void RowReader::operator()(Texts const&) const {
  auto const* items = arrayAt();
  if (items == nullptr || items->empty()) return;
  json::array texts;
  for (auto const& item : *items) {
    if (!item.is_string()) refuse(row_.theirs, "must be an array of texts");
    texts.push_back(item);
  }
  put(out_, row_.ours, std::move(texts));
}

} // namespace

void readRow(Field const& row, json::value const& theirs, Context const& context, json::object& out) {
  std::visit(RowReader(row, theirs, context, out), row.form);
}

json::object read(Map map, json::value const& theirs, Context const& context) {
  if (!theirs.is_object()) refuse("", "must be an object");
  json::object out;
  for (auto const& row : map) {
    if (row.way == Way::out) continue;
    readRow(row, theirs, context, out);
    if (row.required && find(out, row.ours) == nullptr) refuse(row.theirs, "is missing");
  }
  return out;
}

} // namespace garland::sdk::fields
