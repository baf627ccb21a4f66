// People and vendors: written out for them, erased, and the receipts of that.
#include "host/base/file_text.h"
#include "host/cli/commands.h"
#include "host/cli/exports.h"
#include "host/cli/public_key.h"
#include "host/privacy/privacy.h"

#include <algorithm>
#include <filesystem>
#include <fstream>

namespace garland::cli {
namespace {

std::string const kPrivacy = "/api/integrations/privacy";

json::object bodyOf(PrivacyWords const& words) {
  json::object body;
  if (!words.vendor.empty()) body["vendor_id"] = words.vendor;
  if (!words.person.empty()) body["person"] = json::array(words.person.begin(), words.person.end());
  return body;
}

Result<void> requireSomebody(PrivacyWords const& words) {
  if (!words.person.empty() || !words.vendor.empty()) return {};
  return Error(ErrorKind::invalidInput, "say who: --person, --vendor, or both for a person at one vendor");
}

bool isLeftOver(json::value const& place) {
  return integerOr(place, "/kept", 0) + integerOr(place, "/busy", 0) > 0;
}

json::array const& placesOf(json::value const& answer) {
  static json::array const none;
  auto const* places = find(answer, "/receipt/places");
  return places != nullptr && places->is_array() ? places->get_array() : none;
}

bool hasEffect(json::value const& place) {
  return isLeftOver(place) || integerOr(place, "/removed", 0) + integerOr(place, "/rewritten", 0) > 0;
}

bool isScrubbed(json::value const& answer) { return boolOr(answer, "/receipt/database/scrubbed", false); }

Exit verdictOf(json::value const& answer) {
  bool const left_over = std::ranges::any_of(placesOf(answer), isLeftOver);
  return left_over || !isScrubbed(answer) ? Exit::findings : Exit::ok;
}

} // namespace

Exit tellReceipt(Output& output, json::value const& answer) {
  if (std::ranges::none_of(placesOf(answer), hasEffect))
    output.line("nothing here named them: nothing was erased; see that the name is right");
  for (auto const& place : placesOf(answer)) {
    auto const count = [&place](char const* member) { return std::to_string(integerOr(place, member, 0)); };
    if (!hasEffect(place)) continue;
    output.line(textOr(place, "/place", "") + ": " + count("/removed") + " removed, " + count("/rewritten") +
                " under a pseudonym");
    if (isLeftOver(place))
      output.line("  " + output.bad(count("/kept") + " kept, " + count("/busy") + " under way") + ": " +
                  textOr(place, "/why", ""));
  }
  if (auto const* providers = find(answer, "/receipt/at_providers");
      providers != nullptr && providers->is_object())
    for (auto const& connection : providers->get_object())
      output.line("still at the provider of " + std::string(connection.key()) + ": " +
                  plain(&connection.value()) +
                  (connection.value() == 1 ? " record; it is not brought in again"
                                           : " records; they are not brought in again"));
  if (!isScrubbed(answer))
    output.line(output.bad("the database's files may still hold what was deleted") + ": " +
                textOr(answer, "/receipt/database/problem", ""));
  return verdictOf(answer);
}

Exit exportPrivacy(Context with, Place const& place, PrivacyWords const& words) {
  if (auto const said = requireSomebody(words); !said) return with.output.error(said.error());
  auto const folder = exportsFolder(place);
  if (!folder) return with.output.error(folder.error());
  std::error_code ignored;
  if (std::filesystem::exists(words.out, ignored))
    return with.output.error(
        Error(ErrorKind::conflict, words.out + " is there already, and is not overwritten"));
  auto const answer = with.client.post(kPrivacy + "/export", bodyOf(words));
  if (!answer) return with.output.error(answer.error());
  if (auto const out = moveOut(*folder + "/" + textOr(*answer, "/file", ""), words.out); !out)
    return with.output.error(out.error());
  if (with.output.json())
    with.output.value(json::object{{"file", words.out}});
  else if (std::error_code failed; std::filesystem::file_size(words.out, failed) == 0 && !failed)
    with.output.line("nothing here names them: " + words.out + " is empty; see that the name is right");
  else
    with.output.line("exported to " + words.out + ", a row of the database on each line");
  return Exit::ok;
}

Exit erasePrivacy(Context with, PrivacyWords const& words) {
  if (auto const said = requireSomebody(words); !said) return with.output.error(said.error());
  if (!words.sure)
    return with.output.error(
        Error(ErrorKind::invalidInput,
              "nothing brings back what is erased; look at `garland privacy export` first, then "
              "add --yes",
              "--yes"));
  // Before anything goes: a receipt that cannot be written is lost. An empty one is that of an attempt.
  std::error_code none;
  bool const is_new = !std::filesystem::exists(words.receipt, none);
  if (auto const bytes = std::filesystem::file_size(words.receipt, none); !none && bytes > 0)
    return with.output.error(
        Error(ErrorKind::conflict, words.receipt + " is there already, and is not overwritten"));
  std::ofstream file;
  if (!words.receipt.empty()) file.open(words.receipt, std::ios::app);
  if (!words.receipt.empty() && !file)
    return with.output.error(Error(ErrorKind::hostLimit, "cannot write " + words.receipt));
  auto const answer = with.client.post(kPrivacy + "/erase", bodyOf(words));
  if (!answer && file.is_open() && is_new) std::filesystem::remove(words.receipt, none);
  if (!answer) return with.output.error(answer.error());
  if (file.is_open()) file << json::serialize(*answer) << '\n' << std::flush;
  if (file.is_open() && !file)
    with.output.remark("the receipt could not be written to " + words.receipt + "; here it is");
  if (with.output.json() || words.receipt.empty() || !file) with.output.value(*answer);
  if (with.output.json()) return verdictOf(*answer);
  return tellReceipt(with.output, *answer);
}

Exit verifyReceipt(Output& output, PrivacyWords const& words) {
  auto const key = publicKeyNamed(words.key);
  if (!key) return output.error(key.error());
  auto const text = readFileText(words.receipt);
  if (!text) return output.error(text.error());
  auto const receipt = parseJson(*text);
  if (!receipt) return output.error(receipt.error());
  bool const genuine = privacy::isGenuine(*receipt, *key);
  if (output.json())
    output.value(json::object{{"genuine", genuine}});
  else
    output.line(genuine ? output.good("genuine") + ": signed with this key, and not changed since"
                        : output.bad("not genuine") + ": it was changed, or signed with another key");
  return genuine ? Exit::ok : Exit::findings;
}

} // namespace garland::cli
