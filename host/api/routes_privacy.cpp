// People and vendors in all that is kept: exported, and erased. Who is meant stands in bodies, which go into
// no log.
#include "host/api/routes.h"

namespace garland::api {

namespace {

Result<privacy::Person> personIn(json::value const& body) {
  privacy::Person person;
  person.vendor_id = textOr(body, "/vendor_id", "");
  if (auto const* texts = find(body, "/person"); texts != nullptr && texts->is_array())
    for (auto const& text : texts->get_array())
      if (text.is_string()) person.known_as.emplace_back(text.get_string());
  if (person.known_as.empty() && person.vendor_id.empty())
    return Error(ErrorKind::invalidInput, "say who: a person, a vendor, or a person at a vendor", "/person");
  return person;
}

} // namespace

void Routes::addPrivacyRoutes(std::vector<Route>& table) {
  auto const add = adder(table);
  add(Route{"POST",
            "/api/integrations/privacy/export",
            "exportPersonalData",
            "Writes everything that names a person, or is a vendor's, to a file in the data folder, as JSON "
            "lines.",
            200,
            "PrivacyFile",
            {},
            "PrivacyInput"},
      &Routes::exportPersonalData);
  add(Route{"POST",
            "/api/integrations/privacy/erase",
            "erasePersonalData",
            "Erases a person, or a vendor, everywhere, and answers with a signed receipt. Nothing is asked "
            "of a "
            "provider.",
            200,
            "ErasureReceipt",
            {},
            "PrivacyInput"},
      &Routes::erasePersonalData);
}

Result<privacy::Office*> Routes::privacyOffice() const {
  if (with_.privacy != nullptr) return with_.privacy;
  return Error(ErrorKind::unsupported, "this daemon neither exports nor erases people");
}

Task<Response> Routes::exportPersonalData(Request request) {
  CO_TRY(office, privacyOffice());
  CO_TRY(person, personIn(request.json));
  auto vendor = person.vendor_id;
  bool const of_person = !person.known_as.empty();
  auto exporting =
      of_person ? office->exportPerson(std::move(person)) : office->exportVendor(std::move(vendor));
  CO_TRY(name, co_await std::move(exporting));
  json::object body;
  body["file"] = name;
  co_return Response(200, std::move(body));
}

// A vendor's endpoints end first: the notifier knows them by heart.
Task<Response> Routes::erasePersonalData(Request request) {
  CO_TRY(office, privacyOffice());
  CO_TRY(person, personIn(request.json));
  auto vendor = person.vendor_id;
  bool const of_person = !person.known_as.empty();
  if (!of_person && with_.notifier != nullptr) {
    CO_TRY(endpoints, co_await with_.notifier->list(vendor));
    for (auto const& endpoint : endpoints) {
      CO_TRY_VOID(co_await with_.notifier->remove(endpoint.id));
    }
  }
  auto erasing = of_person ? office->erasePerson(std::move(person)) : office->eraseVendor(std::move(vendor));
  CO_TRY(receipt, co_await std::move(erasing));
  co_return Response(200, std::move(receipt));
}

} // namespace garland::api
