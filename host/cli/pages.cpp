#include "host/cli/pages.h"

namespace garland::cli {

Exit showPage(Context with, std::string const& list, Page const& page, std::vector<Column> const& columns,
              std::string const& when_empty) {
  auto path = "/api/integrations" + list + "?limit=" + std::to_string(page.limit);
  if (!page.vendor.empty()) path += "&" + parameter("vendor_id", page.vendor);
  if (!page.connection.empty()) path += "&" + parameter("connection_id", page.connection);
  if (!page.state.empty()) path += "&" + parameter("state", page.state);
  if (!page.after.empty()) path += "&" + parameter("after", page.after);
  auto const answer = with.client.get(path);
  if (!answer) return with.output.error(answer.error());
  with.output.table(*answer, columns, when_empty);
  tellNext(with.output, *answer);
  return Exit::ok;
}

void tellNext(Output& output, json::value const& page) {
  auto const next = plain(find(page, "/next_after"));
  if (!output.json() && !next.empty()) output.line("more with: --after " + next);
}

} // namespace garland::cli
