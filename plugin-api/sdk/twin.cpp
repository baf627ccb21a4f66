// The edge of a twin: requests and answers as JSON, the reserved paths, and what every twin carries.
#include <garland/sdk/twin.hpp>

#include "twin_bytes.h"
#include "twin_faults.h"

#include <algorithm>

namespace garland::sdk::twin {
namespace {

constexpr std::string_view kReserved = "/_twin/";
constexpr std::int64_t kLedgerPage = 1000;
constexpr std::size_t kLedgerBytes = 1U << 20U;

struct WireHeader {
  std::string name;
  std::string value;
};
GARLAND_RECORD(WireHeader, name, value)

struct WireRequest {
  std::string method;
  std::string target;
  std::vector<WireHeader> headers;
  std::optional<std::string> body;
  std::optional<std::string> body_base64;
  TimePoint now;
  std::optional<std::string> origin;
};
GARLAND_RECORD(WireRequest, method, target, headers, body, body_base64, now, origin)

struct WireSettings {
  std::int64_t seed = 0;
  std::optional<std::int64_t> volume;
  std::optional<TimePoint> start;
};
GARLAND_RECORD(WireSettings, seed, volume, start)

Request requestOf(json::value const& input) {
  auto wire = decode<WireRequest>(input, Kind::invalidInput);
  Request request;
  request.method = std::move(wire.method);
  auto const mark = wire.target.find('?');
  request.path = wire.target.substr(0, mark);
  if (mark != std::string::npos) request.query = wire.target.substr(mark + 1);
  for (auto& header : wire.headers)
    request.headers.push_back({std::move(header.name), std::move(header.value)});
  request.body = std::move(wire.body).value_or("");
  if (wire.body_base64) {
    auto bytes = fromBase64(*wire.body_base64);
    if (!bytes) throw Failure(Kind::invalidInput, "/body_base64: is not base64").withField("/body_base64");
    request.body = std::move(*bytes);
  }
  request.now = wire.now;
  request.origin = std::move(wire.origin).value_or("http://twin.invalid");
  return request;
}

json::array headersOf(std::vector<Header> const& headers) {
  json::array out;
  for (auto const& header : headers)
    out.push_back(json::object{{"name", header.name}, {"value", header.value}});
  return out;
}

void putBody(json::object& out, std::string const& body) {
  if (isUtf8(body))
    out["body"] = body;
  else
    out["body_base64"] = toBase64(body);
}

json::object toJson(Webhook const& webhook) {
  json::object out;
  out["id"] = webhook.id;
  out["url"] = webhook.url;
  auto headers = webhook.headers;
  headers.insert(headers.begin(), Header{"content-type", webhook.content_type});
  out["headers"] = headersOf(headers);
  putBody(out, webhook.body);
  if (!webhook.scheme.empty()) {
    out["scheme"] = webhook.scheme;
    out["secret"] = webhook.secret;
  }
  out["delay_ms"] = webhook.delay.count();
  return out;
}

Response problem(int status, std::string_view why) { return Response(status, json::object{{"error", why}}); }

} // namespace

struct Twin::Kit {
  explicit Kit(Settings const& settings_in)
      : settings(settings_in), now(settings_in.start), random(settings_in.seed),
        ids(Random(settings_in.seed).stream("ids")) {}

  Settings settings;
  TimePoint now;
  Random random;
  Ids ids;
  Ledger ledger;
  Faults faults;
  std::vector<Webhook> webhooks; // of the running request
  std::int64_t requests = 0;     // without those for the kit

  Response ledgerPage(Request const& request) const;
  Response faultOrders(Request const& request);
  Response state(Twin const& twin) const;
  Response control(Twin& twin, Request const& request);
  Response serve(Twin& twin, Request const& request);
};

// {"entries": [...], "last": N}: the entries behind `after`, as many as fit; `last` is the newest of all.
Response Twin::Kit::ledgerPage(Request const& request) const {
  auto const after = std::clamp<std::int64_t>(request.numberOr("after", 0), 0, ledger.last());
  auto const limit = std::clamp<std::int64_t>(request.numberOr("limit", kLedgerPage), 1, kLedgerPage);
  auto const end = std::min(after + limit, ledger.last());
  json::array entries;
  std::size_t bytes = 0;
  for (auto seq = after; seq < end && bytes < kLedgerBytes; ++seq) {
    entries.push_back(encode(ledger.entries()[static_cast<std::size_t>(seq)]));
    bytes += json::serialize(entries.back()).size();
  }
  return Response(200, json::object{{"entries", std::move(entries)}, {"last", ledger.last()}});
}

Response Twin::Kit::faultOrders(Request const& request) {
  if (request.method == "POST") faults.add(request.bodyJson());
  if (request.method == "DELETE") faults.clear();
  return Response(200, json::object{{"faults", faults.list()}});
}

Response Twin::Kit::state(Twin const& twin) const {
  json::object out;
  out["seed"] = settings.seed;
  out["volume"] = settings.volume;
  out["now"] = rfc3339(now);
  out["requests"] = requests;
  out["ledger"] = ledger.last();
  out["faults"] = faults.list();
  out["twin"] = twin.state();
  return Response(200, out);
}

Response Twin::Kit::control(Twin& twin, Request const& request) {
  struct Row {
    std::string_view path;
    std::string_view methods;
  };
  static constexpr Row rows[] = {
      {"ledger", "GET"}, {"state", "GET"}, {"edit", "POST"}, {"fault", "GET POST DELETE"}};
  auto const path = std::string_view(request.path).substr(kReserved.size());
  auto const* const row = std::ranges::find(rows, path, &Row::path);
  if (row == std::end(rows))
    return problem(404,
                   "there is ledger, state, clock, edit and fault under /_twin/, not " + std::string(path));
  if (request.method.empty() || row->methods.find(request.method) == std::string_view::npos)
    return problem(405, request.path + " takes " + std::string(row->methods));
  try {
    if (path == "ledger") return ledgerPage(request);
    if (path == "state") return state(twin);
    if (path == "fault") return faultOrders(request);
    return Response(200, twin.edit(request.bodyObject()));
  } catch (Malformed const& wrong) {
    return problem(400, wrong.why);
  } catch (Failure const& wrong) {
    return problem(wrong.kind == Kind::unsupported ? 501 : 400, wrong.message);
  } catch (Refusal const& refusal) {
    return refusal.response;
  }
}

Response Twin::Kit::serve(Twin& twin, Request const& request) {
  try {
    return twin.serve(request);
  } catch (Malformed const& wrong) {
    return twin.refuse(400, wrong.why);
  } catch (Refusal const& refusal) {
    return refusal.response;
  }
}

Twin::Twin(Settings const& settings) : kit_(std::make_unique<Kit>(settings)) {}
Twin::~Twin() = default;

json::value Twin::edit(json::object const&) {
  throw Failure(Kind::unsupported, "this twin knows no edits by somebody else");
}
json::object Twin::state() const { return {}; }
Response Twin::refuse(int status, std::string_view why) const { return problem(status, why); }

Settings const& Twin::settings() const { return kit_->settings; }
TimePoint Twin::now() const { return kit_->now; }
Random& Twin::random() { return kit_->random; }
Ids& Twin::ids() { return kit_->ids; }
Ledger const& Twin::ledger() const { return kit_->ledger; }
void Twin::deliver(Webhook webhook) { kit_->webhooks.push_back(std::move(webhook)); }
void Twin::note(std::string what, std::string id, json::value data) {
  kit_->ledger.append(kit_->now, std::move(what), std::move(id), std::move(data));
}

json::value Twin::exchange(json::value const& input) {
  auto& kit = *kit_;
  auto request = requestOf(input);
  kit.now = std::max(kit.now, request.now); // a provider's clock does not run backwards
  request.now = kit.now;
  kit.webhooks.clear();

  Answered answered;
  try {
    request.parameters = parseQuery(request.query);
    if (!isUtf8(percentDecode(request.path))) throw Malformed("the path is not UTF-8");
    if (request.path.starts_with(kReserved)) {
      answered.response = kit.control(*this, request);
    } else {
      ++kit.requests;
      answered = kit.faults.answer(request, [&] { return kit.serve(*this, request); });
    }
  } catch (Malformed const& wrong) {
    answered.response = refuse(400, wrong.why);
  }

  json::object out;
  out["status"] = answered.response.status;
  out["headers"] = headersOf(answered.response.headers);
  putBody(out, answered.response.body);
  if (answered.transport) out["transport"] = encode(*answered.transport);
  json::array webhooks;
  for (auto const& webhook : kit.webhooks) webhooks.push_back(toJson(webhook));
  if (!webhooks.empty()) out["webhooks"] = std::move(webhooks);
  return out;
}

json::value detail::Stand::serve(Account& account, json::value const& input) {
  if (!twin_) {
    auto const wire = account.settingsAs<WireSettings>();
    Settings settings;
    settings.seed = static_cast<std::uint64_t>(wire.seed);
    settings.volume = wire.volume.value_or(0);
    if (wire.start) settings.start = *wire.start;
    twin_ = make(settings);
  }
  return twin_->exchange(input);
}

} // namespace garland::sdk::twin
