// Randomness, ids, limits, keys and the ledger. Integer arithmetic only: floats differ between machines.
#include <garland/sdk/twin_tools.hpp>

namespace garland::sdk::twin {
namespace {

constexpr std::string_view lettersAndDigits =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";

std::string twoDigits(std::uint64_t number) {
  auto const text = std::to_string(number);
  return text.size() < 2 ? "0" + text : text;
}

} // namespace

Random Random::stream(std::string_view name) const {
  std::uint64_t hash = 0xCBF29CE484222325U; // FNV-1a
  for (char const c : name) hash = (hash ^ static_cast<unsigned char>(c)) * 0x100000001B3U;
  Random out(state_ ^ hash);
  out.next();
  return out;
}

std::uint64_t Random::next() {
  state_ += 0x9E3779B97F4A7C15U;
  auto mixed = state_;
  mixed = (mixed ^ (mixed >> 30U)) * 0xBF58476D1CE4E5B9U;
  mixed = (mixed ^ (mixed >> 27U)) * 0x94D049BB133111EBU;
  return mixed ^ (mixed >> 31U);
}

std::uint64_t Random::below(std::uint64_t bound) {
  if (bound == 0) return 0;
  // Numbers under 2^64 mod bound are drawn again, or the small results would come more often.
  auto const least = (0 - bound) % bound;
  for (;;)
    if (auto const drawn = next(); drawn >= least) return drawn % bound;
}

std::int64_t Random::between(std::int64_t least, std::int64_t most) {
  if (most <= least) return least;
  auto const span = static_cast<std::uint64_t>(most) - static_cast<std::uint64_t>(least) + 1;
  auto const drawn = span == 0 ? next() : below(span);
  return static_cast<std::int64_t>(static_cast<std::uint64_t>(least) + drawn);
}

bool Random::chance(std::uint64_t of, std::uint64_t in) { return below(in) < of; }

std::string Random::text(std::size_t length, std::string_view alphabet) {
  std::string out;
  for (std::size_t i = 0; i < length; ++i) out += alphabet[below(alphabet.size())];
  return out;
}

Person person(Random& random) {
  static constexpr std::string_view first[] = {"Ada",    "Ben",  "Chiara", "Daniel", "Elif",  "Femi",
                                               "Grace",  "Hugo", "Inés",   "Jonas",  "Keiko", "Liam",
                                               "Mariam", "Noor", "Olga",   "Zoë"};
  static constexpr std::string_view last[] = {"Adler",  "Brown", "Costa",  "Dubois", "Eriksen", "Fischer",
                                              "García", "Huang", "Ivanov", "Jansen", "Khan",    "Larsen",
                                              "Moreau", "Novák", "Okafor", "Weiß"};
  Person out;
  out.first = random.pick(first);
  out.last = random.pick(last);
  out.email = "guest" + std::to_string(random.below(1'000'000)) + "@example.com";
  out.phone = "+1" + std::to_string(random.between(201, 989)) + "55501" + twoDigits(random.below(100));
  return out;
}

std::string Ids::text(std::string_view prefix, std::size_t length) {
  return std::string(prefix) + random_.text(length, lettersAndDigits);
}

std::string Ids::uuid() {
  auto out = random_.text(36, "0123456789abcdef");
  for (auto const dash : {8U, 13U, 18U, 23U}) out[dash] = '-';
  out[14] = '4';
  out[19] = "89ab"[random_.below(4)];
  return out;
}

std::int64_t Ids::number(std::string_view kind) {
  auto found = last_.find(kind);
  if (found == last_.end()) found = last_.emplace(kind, 0).first;
  return ++found->second;
}

// A bucket counts in units of 1/per of a request, so that refilling is exact: `burst` units a millisecond.
RateLimit::Verdict RateLimit::take(std::string_view who, TimePoint now) {
  auto found = buckets_.find(who);
  if (found == buckets_.end()) found = buckets_.emplace(std::string(who), Bucket{0, now}).first;
  auto& bucket = found->second;
  auto const elapsed = std::clamp<std::int64_t>((now - bucket.at).count(), 0, per_.count());
  bucket.used = std::max<std::int64_t>(0, bucket.used - elapsed * burst_);
  bucket.at = std::max(bucket.at, now);

  Verdict verdict;
  verdict.limit = burst_;
  auto const full = burst_ * per_.count();
  verdict.allowed = bucket.used + per_.count() <= full;
  if (verdict.allowed)
    bucket.used += per_.count();
  else
    verdict.retry_after = Milliseconds((bucket.used + per_.count() - full + burst_ - 1) / burst_);
  verdict.remaining = (full - bucket.used) / per_.count();
  return verdict;
}

SeenKeys::Lookup SeenKeys::find(std::string_view key, std::string_view request, TimePoint now) const {
  auto const found = entries_.find(key);
  if (found == entries_.end() || now - found->second.at >= keep_for_) return {};
  auto const& entry = found->second;
  if (entry.request != request) return {Seen::otherRequest, nullptr};
  return {Seen::same, &entry.answer};
}

void SeenKeys::keep(std::string key, std::string request, Response answer, TimePoint now) {
  entries_.insert_or_assign(std::move(key), Entry{std::move(request), std::move(answer), now});
}

LedgerEntry const& Ledger::append(TimePoint at, std::string what, std::string id, json::value data) {
  entries_.push_back({last() + 1, at, std::move(what), std::move(id), std::move(data)});
  return entries_.back();
}

} // namespace garland::sdk::twin
