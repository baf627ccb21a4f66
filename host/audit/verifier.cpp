// Reads an export and names what does not fit. No database, no private key.
#include "host/audit/audit.h"
#include "host/audit/seal.h"
#include "host/base/bytes.h"
#include "host/vault/vault.h"

namespace garland::audit {
namespace {

std::string placeOf(std::string const& chain, std::int64_t number) {
  return "row " + chain + "/" + std::to_string(number);
}

std::string placeOf(std::int64_t checkpoint) { return "checkpoint " + std::to_string(checkpoint); }

std::string fromTo(std::int64_t first, std::int64_t last) {
  if (first == last) return "it";
  return "rows " + std::to_string(first) + " to " + std::to_string(last);
}

// The bytes that were hashed: text stands for itself, see lineOf().
std::string bytesOf(json::value const& shown) {
  if (auto const* text = shown.if_string()) return std::string(text->data(), text->size());
  return canonicalJson(shown);
}

bool has(json::value const& line, std::string_view member) {
  auto const* object = line.if_object();
  return object != nullptr && object->contains(member);
}

} // namespace

Verifier::Verifier(std::set<std::string> keys, Mark remembered)
    : keys_(std::move(keys)), remembered_(std::move(remembered)) {}

void Verifier::bad(std::vector<Fault>& list, std::string place, std::string what) {
  ++verdict_.faults_in_all;
  if (list.size() < kMostFaults) list.push_back(Fault{std::move(place), std::move(what)});
}

Result<void> Verifier::take(json::value const& line) {
  Error none(ErrorKind::invalidInput,
             "this is no line of an audit export; make one with `garland audit export`");
  if (!line.is_object()) return none;
  if (has(line, "garland_audit")) return {};
  if (has(line, "checkpoint") && has(line, "signature")) {
    if (verdict_.rows > 0)
      return Error(ErrorKind::invalidInput,
                   "checkpoints must stand before the rows, as `garland audit export` writes them");
    takeCheckpoint(line);
    return {};
  }
  bool const row =
      has(line, "entry") && integerAt(line, "/number") && textAt(line, "/chain") && textAt(line, "/hash");
  if (!row) return none;
  takeRow(line);
  return {};
}

void Verifier::unreadable(std::string place, std::string what) {
  bad(verdict_.faults, std::move(place), std::move(what));
}

void Verifier::takeCheckpoint(json::value const& line) {
  ++verdict_.checkpoints;
  auto const& shown = line.at("checkpoint");
  auto const body = bytesOf(shown);
  Mark const mark{integerOr(shown, "/number", 0), vault::sha256Hex(body)};
  auto const place = placeOf(mark.number > 0 ? mark.number : last_.number + 1);
  auto const key = textOr(shown, "/key", "");
  auto const text = textOr(line, "/signature", "");
  auto const signature = fromHex(text);
  if (!keys_.contains(key))
    bad(of_checkpoints_, place, "is not signed with a key that counts here");
  else if (!signature || hex(*signature) != text || !isSealed(key, body, *signature))
    bad(of_checkpoints_, place, "has a signature that is not right: it was changed after it was signed");
  else
    chains_[textOr(shown, "/chain", "")].signed_rows[integerOr(shown, "/row", -1)] =
        Signed{textOr(shown, "/hash", ""), mark.number};
  if (mark.number != last_.number + 1)
    bad(of_checkpoints_, placeOf(last_.number + 1),
        "is missing: the next one here is " + std::to_string(mark.number));
  else if (textOr(shown, "/previous", "") != last_.hash)
    bad(of_checkpoints_, place, "does not follow from the one before it");
  if (mark.number == remembered_.number) {
    remembered_seen_ = true;
    if (mark.hash != remembered_.hash)
      bad(of_checkpoints_, place, "is not the one that is remembered outside of the database");
  }
  last_ = mark;
}

void Verifier::takeRow(json::value const& line) {
  auto const chain = textOr(line, "/chain", "");
  auto const number = integerOr(line, "/number", -1);
  auto const hash = textOr(line, "/hash", "");
  if (chain != chain_ || verdict_.rows == 0) {
    endChain();
    chain_ = chain;
    if (std::exchange(chains_[chain].seen, true))
      bad(verdict_.faults, placeOf(chain, number), "stands apart from the other rows of its chain");
    previous_.clear();
    next_ = 0;
    signed_to_ = -1;
    ++verdict_.chains;
  }
  ++verdict_.rows;
  auto const& shown = line.at("entry");
  if (number < next_) {
    bad(verdict_.faults, placeOf(chain, number), "is out of its order");
    return;
  }
  bool const gap = number > next_;
  if (gap)
    bad(verdict_.faults, placeOf(chain, next_),
        "is missing" +
            (number - next_ > 1 ? ", with all up to " + std::to_string(number - 1) : std::string()));
  else if (vault::sha256Hex(previous_ + bytesOf(shown)) != hash)
    bad(verdict_.faults, placeOf(chain, number),
        "does not follow from the row before it: one of the two was changed, moved or put there");
  else if (!shown.is_object())
    bad(verdict_.faults, placeOf(chain, number), "is not in the form that Garland writes");
  else if (number == 0 && textOr(shown, "/facts/chain", "") != chain)
    bad(verdict_.faults, placeOf(chain, number), "is the beginning of another chain");
  // What follows is held against what stands here, so that one change is one fault.
  previous_ = fromHex(hash) ? *fromHex(hash) : std::string();
  next_ = number + 1;
  checkSigned(hash);
}

// Of the row that was read last.
void Verifier::checkSigned(std::string const& hash) {
  auto const& rows = chains_[chain_].signed_rows;
  auto const number = next_ - 1;
  auto const found = rows.find(number);
  if (found == rows.end()) return;
  if (found->second.hash != hash)
    bad(verdict_.faults, placeOf(chain_, signed_to_ + 1),
        "is the first that may be wrong: " + fromTo(signed_to_ + 1, number) + " changed after " +
            placeOf(found->second.checkpoint) + " was signed");
  signed_to_ = number;
}

// What was signed has to be there.
void Verifier::endChain() {
  if (verdict_.rows == 0) return;
  auto const& rows = chains_[chain_].signed_rows;
  verdict_.unsigned_rows += next_ - 1 - signed_to_;
  if (rows.empty() || rows.rbegin()->first < next_) return;
  auto const& [number, last] = *rows.rbegin();
  bad(verdict_.faults, placeOf(chain_, next_),
      "is missing, with all up to " + std::to_string(number) + ", which " + placeOf(last.checkpoint) +
          " names: the end was cut off");
}

Verdict Verifier::finish() {
  endChain();
  for (auto const& [chain, rows] : chains_) {
    if (rows.seen || rows.signed_rows.empty()) continue;
    bad(verdict_.faults, placeOf(chain, 0),
        "is missing with its whole chain, which " + placeOf(rows.signed_rows.rbegin()->second.checkpoint) +
            " names");
  }
  if (remembered_.number > 0 && !remembered_seen_)
    bad(of_checkpoints_, placeOf(remembered_.number),
        "is missing, though it is remembered outside of the database: the end was cut off, or an older "
        "backup was restored");
  if (verdict_.rows > 0 && verdict_.checkpoints == 0)
    bad(of_checkpoints_, placeOf(std::int64_t{1}), "is missing: nothing here is signed");
  for (auto& fault : of_checkpoints_)
    if (verdict_.faults.size() < kMostFaults) verdict_.faults.push_back(std::move(fault));
  return std::move(verdict_);
}

} // namespace garland::audit
