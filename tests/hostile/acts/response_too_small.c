/* Says that there is more room for an answer than there is. */
#include "act.h"

static int act(void) {
  struct {
    garland_http_response response;
    char behind[64];
  } storage;
  garland_http_request request;
  memset(&request, 0, sizeof request);
  memset(&storage, 0, sizeof storage);
  memset(storage.behind, 'x', sizeof storage.behind);
  request.size = sizeof request;
  request.method = text_of("GET");
  request.url = text_of("https://example.test/");
  storage.response.size = 0xFFFFFFFFU;
  host->http(host->ctx, running, &request, &storage.response);
  for (size_t i = 0; i < sizeof storage.behind; ++i)
    if (storage.behind[i] != 'x') return 0;
  return REFUSED_BY_HOST;
}
