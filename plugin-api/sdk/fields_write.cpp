// From our record to the provider's, row by row; only where they differ.
#include "fields_rows.h"
#include "fields_texts.h"

#include <algorithm>

namespace garland::sdk::fields {
namespace {

[[noreturn]] void refuseOurs(std::string_view pointer, std::string_view what) {
  throw Failure(Kind::invalidInput, std::string(pointer) + ": " + std::string(what))
      .withField("/data" + std::string(pointer))
      .withEffect(Effect::notApplied);
}

// Writes one row; `ours_` has a value for it, unless it says otherwise.
class RowWriter {
public:
  RowWriter(Field const& row, json::value const& ours, Context const& context, json::object& out)
      : row_(row), ours_(ours), context_(context), out_(out) {}

  void operator()(Text const&) const { set(text()); }
  void operator()(Integer const&) const {
    if (!value().is_int64()) refuseOurs(row_.ours, "must be an integer");
    set(value());
  }
  void operator()(Boolean const&) const {
    if (!value().is_bool()) refuseOurs(row_.ours, "must be true or false");
    set(value());
  }
  void operator()(Date const&) const {
    if (!isDate(text())) refuseOurs(row_.ours, "must be a date such as 2026-06-13");
    set(text());
  }
  void operator()(Timestamp const& form) const {
    auto const when = parseRfc3339(text());
    if (!when) refuseOurs(row_.ours, "must be a date-time such as 2026-06-13T12:00:00Z");
    auto const since = when->time_since_epoch().count();
    if (form.form == Timestamp::Form::rfc3339) return set(rfc3339(*when));
    set(form.form == Timestamp::Form::seconds ? since / 1000 : since);
  }
  void operator()(When const& form) const;
  void operator()(Phone const&) const {
    if (!phoneOf(text(), context_.calling_code)) refuseOurs(row_.ours, "must be a phone number");
    set(text());
  }
  void operator()(Email const&) const {
    if (!emailOf(text())) refuseOurs(row_.ours, "must be an e-mail address");
    set(text());
  }
  void operator()(Words const& form) const {
    auto const word = text();
    if (!form.otherwise.empty() && word == form.otherwise) return; // what it stands for is not known here
    for (auto const& known : form.table)
      if (known.ours == word) return set(std::string(known.theirs));
    refuseOurs(row_.ours, "has no counterpart at the provider: " + word);
  }
  void operator()(Amount const& form) const;
  void operator()(JoinName const& form) const {
    auto const [first, last] = splitName(text());
    set(first);
    put(out_, form.last, json::value(last));
  }
  void operator()(SplitName const& form) const {
    auto const whole = joinName(textOr(ours_, row_.ours), textOr(ours_, form.last));
    put(out_, row_.theirs, whole.empty() ? json::value() : json::value(whole));
  }
  void operator()(Pairs const& form) const;
  void operator()(Texts const&) const {
    if (!value().is_array()) refuseOurs(row_.ours, "must be an array of texts");
    set(value());
  }

  // Ours has no value: theirs loses its own.
  void clear() const {
    put(out_, row_.theirs, nullptr);
    if (auto const* name = std::get_if<JoinName>(&row_.form)) put(out_, name->last, nullptr);
    if (auto const* when = std::get_if<When>(&row_.form); when != nullptr && !when->time.empty())
      put(out_, when->time, nullptr);
    if (std::holds_alternative<Pairs>(row_.form) || std::holds_alternative<Texts>(row_.form))
      set(json::array());
  }

private:
  json::value const& value() const { return *find(ours_, row_.ours); }
  std::string text() const {
    if (!value().is_string()) refuseOurs(row_.ours, "must be text");
    return std::string(std::string_view(value().get_string()));
  }
  void set(json::value value) const { put(out_, row_.theirs, std::move(value)); }
  void set(std::string const& text) const { set(json::value(text)); }

  Field const& row_;
  json::value const& ours_;
  Context const& context_;
  json::object& out_;
};

void RowWriter::operator()(When const& form) const {
  auto const date = textOr(value(), "/date");
  auto const local = textOr(value(), "/local");
  if (!date.empty() && isDate(date)) {
    set(date);
    if (!form.time.empty()) put(out_, form.time, nullptr);
    if (!form.whole_day.empty()) put(out_, form.whole_day, true);
    return;
  }
  if (local.size() != 19 || form.time.empty())
    refuseOurs(row_.ours, "must be a date, or a clock time in a zone, for this provider");
  set(local.substr(0, 10));
  put(out_, form.time, json::value(local.substr(11)));
  if (!form.whole_day.empty()) put(out_, form.whole_day, false);
  auto const zone = textOr(value(), "/zone");
  if (!form.zone.empty() && !zone.empty() && zone != context_.zone) put(out_, form.zone, json::value(zone));
}

// "is finer than the provider can hold: of KWD it takes 2 digits behind the point, such as 12340, which
// is 12.340"
std::string tooFine(Money const& money, int digits) {
  int const ours = minorDigits(money.currency);
  if (digits >= ours) return "is larger than the provider can hold";
  std::int64_t unit = 1;
  for (int i = digits; i < ours; ++i) unit *= 10;
  auto const near = std::max(unit, money.amount - money.amount % unit);
  return "is finer than the provider can hold: of " + money.currency + " it takes " + std::to_string(digits) +
         " digits behind the point, such as " + std::to_string(near) + ", which is " + decimal(near, ours);
}

void RowWriter::operator()(Amount const& form) const {
  auto const written = amountForm(form, context_);
  if (!written) refuseOurs(row_.ours, "cannot be written before the settings say how amounts are counted");
  Money money;
  auto const wrong = attempt([&] { money = decode<Money>(value(), Kind::invalidInput); });
  if (wrong || !isCurrency(money.currency))
    refuseOurs(row_.ours, "must be an amount in minor units and a currency, such as "
                          R"({"amount": 12050, "currency": "EUR"})");
  if (form.currency.empty() && money.currency != context_.currency)
    refuseOurs(row_.ours, "is in " + money.currency + ", where " + context_.currency + " is counted");
  int const digits = minorDigits(money.currency, form.exceptions);
  int const kept = *written == AmountForm::major ? 0 : digits;
  auto const amount = rescaled(money.amount, minorDigits(money.currency), kept);
  bool const tens = form.whole_tens && digits == 3;
  if (!amount || (tens && *amount % 10 != 0)) refuseOurs(row_.ours, tooFine(money, tens ? 2 : kept));
  if (*written == AmountForm::text)
    set(decimal(*amount, digits));
  else if (*written == AmountForm::number)
    set(json::parse(decimal(*amount, digits)));
  else
    set(*amount);
  if (form.currency.empty()) return;
  auto code = money.currency;
  if (form.lower_case)
    for (auto& c : code) c = static_cast<char>(c | 0x20);
  put(out_, form.currency, json::value(code));
}

void RowWriter::operator()(Pairs const& form) const {
  if (!value().is_object()) refuseOurs(row_.ours, "must be an object of texts");
  auto left = value().get_object();
  json::array entries;
  if (auto const* now = find(out_, row_.theirs); now != nullptr && now->is_array()) {
    for (auto const& entry : now->get_array()) {
      auto const key = textOr(entry, form.key);
      auto const* wanted = left.if_contains(key);
      if (wanted == nullptr || !entry.is_object()) continue;
      auto kept = entry.get_object();
      auto const* held = find(entry, form.value);
      if (held == nullptr || (*held != *wanted && json::value(json::serialize(*held)) != *wanted))
        put(kept, form.value, *wanted);
      entries.push_back(std::move(kept));
      left.erase(key);
    }
  }
  for (auto const& [key, text] : left) {
    json::object added;
    put(added, form.key, json::value(key));
    put(added, form.value, text);
    entries.push_back(std::move(added));
  }
  set(std::move(entries));
}

// What a row says of `record`, as far as it concerns this row.
json::object ownPart(Field const& row, json::value const& record) {
  json::object part;
  auto const take = [&](std::string_view pointer) {
    auto const* value = find(record, pointer);
    if (value != nullptr && !value->is_null() && *value != json::value("")) put(part, pointer, *value);
  };
  take(row.ours);
  if (auto const* name = std::get_if<SplitName>(&row.form)) take(name->last);
  return part;
}

// Ours as it would be read back: a phone number or an address that is only spelt otherwise is no change.
json::object normal(Field const& row, json::value const& ours, Context const& context) {
  auto part = ownPart(row, ours);
  auto const* value = find(part, row.ours);
  if (value == nullptr || !value->is_string()) return part;
  std::string_view const text = value->get_string();
  if (std::holds_alternative<Email>(row.form))
    if (auto const address = emailOf(text)) put(part, row.ours, json::value(*address));
  if (std::holds_alternative<Phone>(row.form))
    if (auto const number = phoneOf(text, context.calling_code)) put(part, row.ours, json::value(*number));
  return part;
}

} // namespace

json::object write(Map map, json::value const& ours, json::value const& theirs, Context const& context) {
  if (!ours.is_object()) refuseOurs("", "must be an object");
  auto out = theirs.is_object() ? theirs.get_object() : json::object();
  for (auto const& row : map) {
    if (row.way == Way::in) continue;
    auto const wanted = normal(row, ours, context);
    auto const* amount = std::get_if<Amount>(&row.form);
    if (amount != nullptr && wanted.empty() && !amountForm(*amount, context)) continue;
    if (row.required && wanted.empty()) refuseOurs(row.ours, "is missing");
    json::object held;
    bool const readable = !attempt([&] { readRow(row, theirs.is_object() ? theirs : out, context, held); });
    if (readable && held == wanted) continue;
    RowWriter const writer(row, ours, context, out);
    if (wanted.empty())
      writer.clear();
    else
      std::visit(writer, row.form);
  }
  return out;
}

json::object changes(json::value const& before, json::object const& after) {
  json::object out;
  for (auto const& [name, member] : after) {
    auto const* held = before.is_object() ? before.get_object().if_contains(name) : nullptr;
    if (held == nullptr || *held != member) out[name] = member;
  }
  return out;
}

} // namespace garland::sdk::fields
