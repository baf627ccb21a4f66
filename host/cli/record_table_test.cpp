#include "host/cli/record_table.h"

#include <gtest/gtest.h>

#include <sstream>

namespace garland::cli {
namespace {

std::string shown(std::string const& items, std::string const& kind) {
  auto page = *parseJson(R"({"items": )" + items + "}");
  auto const columns = recordColumns(page, kind);
  std::ostringstream out, err;
  Output(out, err, false, false, false).table(page, columns, "none");
  return out.str();
}

TEST(RecordTable, ARowSaysWhatTheRecordIsWhateverItsKind) {
  EXPECT_EQ(shown(R"([
    {"id": "rec_1", "kind": "crm.project", "data": {"name": "Ahorn wedding", "stage": "booked",
      "event_date": "2026-06-13", "revenue": {"amount": 250000, "currency": "USD"}}},
    {"id": "rec_2", "kind": "crm.client", "data": {"kind": "person", "name": "Ada Ahorn"}},
    {"id": "rec_3", "kind": "payments.payment", "data": {"amount": {"amount": 500, "currency": "EUR"},
      "status": "captured", "created": "2026-01-01T00:00:00Z", "reference": "invoice-7"}},
    {"id": "rec_4", "kind": "calendar.event", "data": {"title": "Tasting", "status": "confirmed",
      "start": {"date": "2026-05-02"}}}])",
                  ""),
            "ID     KIND              WHEN                  STATUS     AMOUNT (MINOR UNITS)  WHAT\n"
            "rec_1  crm.project       2026-06-13            booked     250000 USD            Ahorn wedding\n"
            "rec_2  crm.client                              person                           Ada Ahorn\n"
            "rec_3  payments.payment  2026-01-01T00:00:00Z  captured   500 EUR               invoice-7\n"
            "rec_4  calendar.event    2026-05-02            confirmed                        Tasting\n");
}

TEST(RecordTable, ColumnsThatNoRecordFillsAreLeftOut) {
  EXPECT_EQ(shown(R"([{"id": "rec_1", "kind": "crm.note", "data": {"text": "By the lake"}}])", "crm.note"),
            "ID     WHAT\nrec_1  By the lake\n");
}

TEST(RecordTable, EventsShowTheirKindOfTime) {
  EXPECT_EQ(shown(R"([{"id": "rec_1", "kind": "calendar.event", "deleted": true, "data": {"title": "Tasting",
      "status": "confirmed", "start": {"local": "2026-05-02T12:00:00", "zone": "Europe/Berlin"}}}])",
                  "calendar.event"),
            "ID     DELETED  LOCAL                ZONE           STATUS     TITLE\n"
            "rec_1  deleted  2026-05-02T12:00:00  Europe/Berlin  confirmed  Tasting\n");
}

} // namespace
} // namespace garland::cli
