/* Asks for a URL of a mebibyte, past the host's table, so that the host would keep it. */
#include "ipc.h"

enum { kHttpAsk = 67, kFrame = 64 << 10, kUrl = 1 << 20 };

/* One message in full frames; every frame but the last says that there is more. */
static int send_all(unsigned char const* payload, size_t size, uint64_t id) {
  static unsigned char frame[16 + kFrame];
  for (size_t at = 0; at < size; at += kFrame) {
    uint32_t const length = size - at < kFrame ? (uint32_t)(size - at) : kFrame;
    uint16_t const header[2] = {kHttpAsk, at + length < size};
    memcpy(frame, &length, 4);
    memcpy(frame + 4, header, 4);
    memcpy(frame + 8, &id, 8);
    memcpy(frame + 16, payload + at, length);
    if (write(kIpc, frame, 16 + length) < 0) return errno;
  }
  return 0;
}

static int act(void) {
  static unsigned char ask[kUrl + 64];
  uint32_t const lengths[3] = {1, 3, kUrl};
  size_t size = 0;
  memcpy(ask, lengths, 8); /* the request's number, and a method of three bytes */
  memcpy(ask + 8, "GET", 3);
  memcpy(ask + 11, lengths + 2, 4);
  memset(ask + 15, 'u', kUrl);
  size = 15 + kUrl + 32; /* no headers, no body, no slot, no key, no limits: zeroes */
  int const code = send_all(ask, size, own_call_id());
  if (code != 0) return code;
  (void)host->sleep_ms(host->ctx, running, 2000);
  return 0;
}
