/* What a connector that has taken over its worker knows of the socket to the host (host/runtime/wire.h). */
#ifndef GARLAND_HOSTILE_IPC_H
#define GARLAND_HOSTILE_IPC_H
#include "act.h"

enum { kIpc = 3, kHello = 65, kEmit = 70, kLog = 72, kDone = 74, kClosed = 76 };

struct message {
  unsigned char bytes[1024];
  size_t size;
};

static inline void put(struct message* message, void const* bytes, size_t size) {
  memcpy(message->bytes + message->size, bytes, size);
  message->size += size;
}

static inline void put_u32(struct message* message, uint32_t value) { put(message, &value, sizeof value); }

static inline void put_text(struct message* message, char const* text) {
  put_u32(message, (uint32_t)strlen(text));
  put(message, text, strlen(text));
}

/* A header that claims `length` bytes of payload. */
static inline void put_header(struct message* message, uint32_t length, uint16_t kind, uint64_t id) {
  uint16_t const flags = 0;
  put_u32(message, length);
  put(message, &kind, sizeof kind);
  put(message, &flags, sizeof flags);
  put(message, &id, sizeof id);
}

/* Frames what was put so far and writes it to the host; 0 or errno. */
static inline int send_as(struct message const* payload, uint16_t kind, uint64_t id) {
  struct message frame = {{0}, 0};
  put_header(&frame, (uint32_t)payload->size, kind, id);
  put(&frame, payload->bytes, payload->size);
  return outcome(write(kIpc, frame.bytes, frame.size));
}

/* What a plugin is given for its running call is the call's id in the place of an address. */
static inline uint64_t own_call_id(void) { return (uint64_t)(uintptr_t)running; }

/* An operation's end with a result that it never gave. */
static inline int forge_answer(uint64_t id) {
  struct message done = {{0}, 0};
  put_text(&done, "{\"forged\":true}");
  put(&done, "", 1); /* no error */
  return send_as(&done, kDone, id);
}

#endif
