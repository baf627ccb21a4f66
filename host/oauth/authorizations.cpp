// Sign-ins at providers' own pages: the rows of those that are under way, and of what came of them.
#include "host/base/ids.h"
#include "host/oauth/authorization_rows.h"
#include "host/oauth/authorize.h"

namespace garland::oauth {
namespace {

using Values = std::vector<store::Value>;

constexpr Milliseconds kGoodFor{std::chrono::minutes(10)};
// So long it can be asked what came of one.
constexpr Milliseconds kKept{std::chrono::hours(24)};

constexpr char const* kColumns =
    "SELECT authorization_id, vendor_id, plugin_id, state, cause, connection_id, "
    "expires, browser, sealed FROM oauth_authorizations";
enum Column : std::size_t {
  atId,
  atVendor,
  atPlugin,
  atState,
  atCause,
  atConnection,
  atExpires,
  atBrowser,
  atSealed
};

std::int64_t millis(TimePoint when) { return when.time_since_epoch().count(); }
std::string hashOf(std::string_view secret) { return vault::sha256Hex(secret); }

Error notUsable() {
  return Error(ErrorKind::notFound, "this sign-in is not known, was used, or has run out; begin it again");
}

Error anotherBrowser() {
  return Error(ErrorKind::forbidden, "this sign-in was begun in another browser; open the address that it "
                                     "began with in this one, and go on from there");
}

Error anotherSession() {
  return Error(ErrorKind::forbidden,
               "this sign-in was begun by somebody who is signed in here, and goes on in "
               "that session only; sign in here as that person, or begin another");
}

class Pages final : public Authorizations {
public:
  Pages(store::Store& store, vault::Vault& vault, Clock& clock, Random& random)
      : store_(store), vault_(vault), clock_(clock), random_(random) {}

  Task<Begun> begin(SendOff send_off) override {
    auto const now = clock_.now();
    Begun begun;
    begun.ticket = newTicket(random_);
    auto& one = begun.authorization;
    one.id = newId("aut", clock_, random_);
    one.vendor_id = send_off.vendor_id;
    one.plugin_id = send_off.plugin_id;
    one.state = "open";
    one.expires = now + kGoodFor;
    CO_TRY(text, seal(one, send_off, begun.ticket));
    auto unit = oauth::begun(one, hashOf(begun.ticket.reveal()), std::move(text), now);
    CO_TRY_VOID(co_await store_.commit(std::move(unit)));
    co_return Result<Begun>(std::move(begun));
  }

  Task<Visit> visit(std::string ticket, std::string browser, std::string session) override {
    CO_TRY(row, co_await open(ticket));
    CO_TRY(kept, opened(row));
    auto const begun_in = textOr(kept, "/session", "");
    Visit out;
    out.authorization = read(row);
    out.address = textOr(kept, "/page", "");
    wipeTexts(kept);
    if (!begun_in.empty() && begun_in != session) co_return anotherSession();
    out.browser = browser.empty() ? newTicket(random_) : Secret(browser);
    store::Unit unit;
    unit.push_back(store::Statement("UPDATE oauth_authorizations SET browser=$1 WHERE ticket=$2 AND "
                                    "state='open'",
                                    Values{hashOf(out.browser.reveal()), hashOf(ticket)})
                       .expecting(1));
    CO_TRY_VOID(co_await store_.commit(std::move(unit)));
    co_return Result<Visit>(std::move(out));
  }

  // The row is taken by the one statement that finds it open, whichever daemon it is that asks.
  Task<Taken> take(std::string ticket, std::string browser) override {
    CO_TRY(row, co_await open(ticket));
    bool const shown_here = vault::equalInConstantTime(row.text(atBrowser), hashOf(browser));
    if (!shown_here) co_return anotherBrowser();
    CO_TRY(kept, opened(row));
    Taken out;
    out.authorization = read(row);
    out.errand = Secret(textOr(kept, "/errand", ""));
    out.code.verifier = Secret(textOr(kept, "/verifier", ""));
    out.code.redirect_uri = textOr(kept, "/redirect_uri", "");
    wipeTexts(kept);
    store::Unit unit;
    unit.emplace_back("UPDATE oauth_authorizations SET state='redeeming', sealed='' WHERE ticket=$1 AND "
                      "state='open'",
                      Values{hashOf(ticket)});
    CO_TRY(done, co_await store_.commit(std::move(unit)));
    if (done[0].affected != 1) co_return notUsable();
    co_return Result<Taken>(std::move(out));
  }

  Task<void> end(Authorization one, std::string connection_id, std::string why) override {
    std::string const came_to = connection_id.empty() ? "failed" : "connected";
    store::Unit unit;
    unit.emplace_back(
        "UPDATE oauth_authorizations SET state=$1, cause=$2, connection_id=$3 WHERE vendor_id=$4 "
        "AND authorization_id=$5 AND state='redeeming'",
        Values{came_to, std::move(why), std::move(connection_id), one.vendor_id, one.id});
    CO_TRY_VOID(co_await store_.commit(std::move(unit)));
    co_return Result<void>();
  }

  Task<Authorization> one(std::string wanted) override {
    store::Statement query(std::string(kColumns) + " WHERE authorization_id=$1", Values{wanted});
    CO_TRY(rows, co_await store_.read(std::move(query)));
    if (rows.rows.empty()) co_return Error(ErrorKind::notFound, "there is no sign-in \"" + wanted + "\"");
    co_return read(rows.rows[0]);
  }

private:
  Task<store::Row> open(std::string ticket) {
    store::Statement query(std::string(kColumns) + " WHERE ticket=$1", Values{hashOf(ticket)});
    CO_TRY(rows, co_await store_.read(std::move(query)));
    if (rows.rows.empty() || read(rows.rows[0]).state != "open") co_return notUsable();
    co_return std::move(rows.rows[0]);
  }

  // A daemon that ended in the middle of a redemption tells nothing more of it: whoever looks does, once no
  // redemption can be under way any more.
  Authorization read(store::Row const& row) const {
    Authorization out;
    out.id = row.text(atId);
    out.vendor_id = row.text(atVendor);
    out.plugin_id = row.text(atPlugin);
    out.state = row.text(atState);
    out.cause = row.text(atCause);
    out.connection_id = row.text(atConnection);
    out.expires = TimePoint(Milliseconds(row.integer(atExpires)));
    if (out.state == "open" && clock_.now() >= out.expires) out.state = "expired";
    if (out.state == "redeeming" && clock_.now() >= out.expires + kConnecting) {
      out.state = "failed";
      out.cause = kLeftBehind;
    }
    return out;
  }

  Result<std::string> seal(Authorization const& one, SendOff const& send_off, Secret const& ticket) const {
    auto const verifier = send_off.provider.pkce ? newTicket(random_) : Secret();
    json::value kept = json::object{{"redirect_uri", send_off.redirect_uri}};
    auto& members = kept.as_object();
    members["page"] = pageOf(send_off, ticket, verifier);
    members["verifier"] = verifier.reveal();
    members["errand"] = send_off.errand.reveal();
    members["session"] = send_off.session;
    Secret const text(json::serialize(kept));
    wipeTexts(kept);
    return vault_.seal(text, contextOf(one));
  }

  Result<json::value> opened(store::Row const& row) const {
    TRY(text, vault_.open(row.text(atSealed), contextOf(read(row))));
    return parseJson(text.reveal());
  }

  store::Store& store_;
  vault::Vault& vault_;
  Clock& clock_;
  Random& random_;
};

} // namespace

store::Unit begun(Authorization const& one, std::string ticket, std::string sealed, TimePoint now) {
  store::Unit unit;
  unit.emplace_back("DELETE FROM oauth_authorizations WHERE expires<$1", Values{millis(now - kKept)});
  unit.emplace_back(
      "INSERT INTO oauth_authorizations (vendor_id,authorization_id,plugin_id,ticket,browser,sealed,"
      "state,cause,connection_id,expires) VALUES ($1,$2,$3,$4,'',$5,'open','','',$6)",
      Values{one.vendor_id, one.id, one.plugin_id, std::move(ticket), std::move(sealed),
             millis(one.expires)});
  return unit;
}

std::unique_ptr<Authorizations> Authorizations::create(store::Store& store, vault::Vault& vault, Clock& clock,
                                                       Random& random) {
  return std::make_unique<Pages>(store, vault, clock, random);
}

} // namespace garland::oauth
