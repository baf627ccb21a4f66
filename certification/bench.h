// One case's world: the connector in a worker, its twin in another, a virtual clock, state that lasts from
// call to call, and faults between them. Checks use it as plain code: run() returns when the operation has
// ended.
#pragma once

#include "certification/ending.h"
#include "certification/faults.h"
#include "certification/journal.h"
#include "certification/subject.h"

#include <array>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace garland::certification {

// The same for every case of a run.
struct Machine {
  std::string worker; // garland-worker
  std::string probe;  // garland-probe; "" if it is not there
  bool allow_degraded = false;
  runtime::SandboxTier tier = runtime::SandboxTier::d;
  Milliseconds limit{60'000};     // of one operation, on the machine's clock: then it hangs
  Ending const* ending = nullptr; // of the run; what runs then is cancelled
};

// What a check puts between the connector and the host; each may be null. Called on the bench's thread.
struct Intercepts {
  // An answer instead of the provider's; nothing: the request goes on its way.
  std::function<std::optional<Result<runtime::HttpAnswer>>(runtime::HttpAsk const&)> request;
  // What becomes of the provider's answer.
  std::function<void(runtime::HttpAsk const&, runtime::HttpAnswer&)> answer;
  // Any host call but requests: what it ends with instead of being carried out.
  std::function<std::optional<Error>(HostCall const&)> host_call;
  // Every boundary, records included, counted from 0: true kills the worker there, as a power cut would.
  std::function<bool(std::size_t boundary, bool before)> kill;
};

struct World {
  std::uint64_t seed = 1;
  std::int64_t volume = -1; // below 0: what the brief says
  SignIn sign_in = SignIn::good;
  // Put into every answer of the provider, where a connector has no business: as a header.
  std::string canary;
  // What becomes of every answer's body on its way; null: nothing.
  std::function<std::string(std::string const& body)> spoil;
  Milliseconds exchange{50}; // what a request takes if nothing is wrong, in virtual time
  json::value settings;      // null: the brief's
  // "http://127.0.0.1:8123": a twin that is served there, instead of one of the world's own.
  std::string served_at;
  Intercepts intercepts;
  // Called although the manifest does not name them; kNoOperation is always among them.
  std::vector<std::string> undeclared;
  // In garland-probe instead of garland-worker; then kDeeds can be called, for the account kProbeAccount.
  bool probe = false;
  std::string
      object; // file that is loaded instead of the subject's, which its digest is still that of; "": its own
};

// unsupported with a sentence: no worker, or no sandbox that is allowed.
Result<Machine> machineFor(std::string worker, bool allow_degraded);

// What no connector offers: a call of it loads the connector and runs none of its operations.
inline constexpr std::string_view kNoOperation = "records.archive/1";

// Of the probe's own operations; the connector never hears of it.
inline constexpr char const* kProbeAccount = "probe";
// The probe's own operations (certification/probe/deeds.cpp).
inline constexpr std::array<std::string_view, 10> kDeeds{
    "probe.set/1",   "probe.tell/1", "probe.size/1", "probe.host/1",  "probe.again/1",
    "probe.cycle/1", "probe.walk/1", "probe.end/1",  "probe.state/1", "probe.burst/1"};
// provider_code of a request that was refused because the operation's time is used up.
inline constexpr char const* kOutOfTime = "out_of_time";

struct Ask {
  std::string operation;
  json::value input = json::object();
  json::array before;    // steps (steps.h) that Trial takes first; "{id}" in the input is what they have made
  int taking = 0;        // another number: another thing is made and asked for, under other idempotency keys
  std::string raw_input; // instead of `input`, byte for byte
  bool odd = false; // nobody asks that in earnest, so its answer shows nothing of what the manifest claims
  std::string account = "one"; // instances and their state are by account; the connector is told an id of it
  std::optional<FaultOrder> fault;
  Milliseconds deadline{300'000}; // on the virtual clock
  Milliseconds limit{0};          // on the machine's clock; 0: the machine's
  // At this host call another build of the same version is installed: the subject's bytes and one more.
  std::optional<std::size_t> upgrade_at;
};

// [one thread]
class Bench {
public:
  static Milliseconds constexpr kLongest{86'400'000};

  Bench(Subject const& subject, Machine const& machine, World world);
  ~Bench();
  Bench(Bench const&) = delete;
  Bench& operator=(Bench const&) = delete;

  Journal run(Ask ask);
  // How the last upgrade went, "upgraded"; "" if there was none.
  std::string const& upgrade() const;
  // What the connector is told of an account when its instance is opened, JSON.
  std::string account(std::string const& name) const;
  // What the account keeps with the host now: how many entries, and their bytes.
  std::pair<std::size_t, std::size_t> kept(std::string const& account) const;
  // All of them at once, each of its own account: their requests to the provider interleave.
  std::vector<Journal> runTogether(std::vector<Ask> asks);

  // The other side of the twin.
  Result<json::value> state();                  // what the twin tells of itself: "/twin/…", "/requests"
  Result<json::value> edit(json::value change); // somebody else changes something
  Result<json::array> ledger();                 // everything that happened at the provider
  // Somebody else's own request to the provider: {"method", "path", "headers": {}, "body"}.
  Result<runtime::HttpAnswer> request(json::value const& told);
  // The notices that the provider has sent since they were asked for last, as twin.serve/1 tells them.
  json::array notices();
  Result<json::value> fault(json::value order); // ordered at the twin itself, as sdk-docs/twins.md says
  TimePoint now() const;
  void wait(Milliseconds span); // virtual time
  // The connector's clock jumps, the provider's does not.
  void shiftHost(Milliseconds span);

  // Stops the connector's workers where they are (SIGSTOP), so that they hang. Their process ids.
  std::vector<int> freeze();
  // Whether this worker has ended, or does so within the time, on the machine's clock.
  bool isGone(int pid, Milliseconds within);

  // Ends the workers. One sentence if something of them is left; "" if all of them are gone.
  std::string close();
  std::uint64_t peakKib() const; // the most memory that the connector's worker has held; 0: not known
  // Why nothing that was seen here counts; "" while the harness and the twin are well.
  std::string const& trouble() const;

private:
  struct Parts;
  std::unique_ptr<Parts> parts_;
};

} // namespace garland::certification
