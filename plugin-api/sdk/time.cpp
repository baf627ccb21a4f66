// RFC 3339, the profile of ISO 8601 that APIs speak.
#include <garland/sdk/time.hpp>

#include <charconv>

namespace garland::sdk {
namespace {

// Reads fixed-width fields from the front; once something is wrong it stays wrong.
class Reader {
public:
  explicit Reader(std::string_view text) : rest_(text) {}

  int digits(std::size_t width, int least, int most) {
    if (rest_.size() < width || rest_[0] == '-') return fail();
    int number = 0;
    auto const* const end = rest_.data() + width;
    auto const [used, error] = std::from_chars(rest_.data(), end, number);
    if (error != std::errc() || used != end || number < least || number > most) return fail();
    rest_.remove_prefix(width);
    return number;
  }
  void one(std::string_view of) {
    if (take(of) == '\0') fail();
  }
  // The next character if it is one of `of`, else '\0'.
  char take(std::string_view of) {
    if (rest_.empty() || of.find(rest_[0]) == std::string_view::npos) return '\0';
    char const c = rest_[0];
    rest_.remove_prefix(1);
    return c;
  }
  int fraction() { // milliseconds
    int value = 0;
    int scale = 100;
    std::size_t count = 0;
    for (; !rest_.empty() && rest_[0] >= '0' && rest_[0] <= '9'; rest_.remove_prefix(1), ++count) {
      value += (rest_[0] - '0') * scale;
      scale /= 10;
    }
    return count == 0 ? fail() : value;
  }
  bool done() const { return good_ && rest_.empty(); }

private:
  int fail() { return good_ = false, 0; }
  std::string_view rest_;
  bool good_ = true;
};

void append(std::string& out, unsigned number, std::size_t width) {
  auto const text = std::to_string(number);
  out.append(width > text.size() ? width - text.size() : 0, '0');
  out += text;
}

} // namespace

std::string rfc3339(TimePoint when) {
  using namespace std::chrono;
  auto const day = floor<days>(when);
  year_month_day const date(day);
  hh_mm_ss const time(when - day);
  std::string out;
  append(out, static_cast<unsigned>(static_cast<int>(date.year())), 4);
  append(out += '-', static_cast<unsigned>(date.month()), 2);
  append(out += '-', static_cast<unsigned>(date.day()), 2);
  append(out += 'T', static_cast<unsigned>(time.hours().count()), 2);
  append(out += ':', static_cast<unsigned>(time.minutes().count()), 2);
  append(out += ':', static_cast<unsigned>(time.seconds().count()), 2);
  if (time.subseconds().count() != 0) append(out += '.', static_cast<unsigned>(time.subseconds().count()), 3);
  return out += 'Z';
}

std::optional<TimePoint> parseRfc3339(std::string_view text) {
  using namespace std::chrono;
  Reader in(text);
  year const y(in.digits(4, 0, 9999));
  in.one("-");
  month const m(static_cast<unsigned>(in.digits(2, 1, 12)));
  in.one("-");
  day const d(static_cast<unsigned>(in.digits(2, 1, 31)));
  in.one("Tt ");
  hours const hour(in.digits(2, 0, 23));
  in.one(":");
  minutes const minute(in.digits(2, 0, 59));
  in.one(":");
  seconds const second(in.digits(2, 0, 60)); // 60: a leap second, told as the next minute's first
  milliseconds const part(in.take(".") != '\0' ? in.fraction() : 0);
  minutes offset(0);
  if (in.take("Zz") == '\0') {
    char const sign = in.take("+-");
    if (sign == '\0') return std::nullopt;
    offset = hours(in.digits(2, 0, 23));
    if (!in.done()) { // databases write "+00"
      in.one(":");
      offset += minutes(in.digits(2, 0, 59));
    }
    if (sign == '-') offset = -offset;
  }
  year_month_day const date(y, m, d);
  if (!in.done() || !date.ok()) return std::nullopt;
  return TimePoint(sys_days(date)) + hour + minute + second + part - offset;
}

} // namespace garland::sdk
