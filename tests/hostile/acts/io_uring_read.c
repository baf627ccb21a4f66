/* Has the kernel open and read a file by io_uring, where no filter of system calls looks. */
#include "act.h"

#include <linux/io_uring.h>
#include <stdint.h>
#include <sys/mman.h>

struct ring {
  int fd;
  struct io_uring_params params;
  char* submissions;
  char* completions;
  struct io_uring_sqe* entries;
};

static int open_ring(struct ring* ring) {
  memset(ring, 0, sizeof *ring);
  ring->fd = (int)syscall(SYS_io_uring_setup, 4, &ring->params);
  if (ring->fd < 0) return errno;
  struct io_sqring_offsets const* const sq = &ring->params.sq_off;
  struct io_cqring_offsets const* const cq = &ring->params.cq_off;
  size_t const submissions = sq->array + ring->params.sq_entries * sizeof(uint32_t);
  size_t const completions = cq->cqes + ring->params.cq_entries * sizeof(struct io_uring_cqe);
  int const access = PROT_READ | PROT_WRITE;
  ring->submissions = (char*)mmap(NULL, submissions, access, MAP_SHARED, ring->fd, IORING_OFF_SQ_RING);
  ring->completions = (char*)mmap(NULL, completions, access, MAP_SHARED, ring->fd, IORING_OFF_CQ_RING);
  ring->entries = (struct io_uring_sqe*)mmap(NULL, ring->params.sq_entries * sizeof(struct io_uring_sqe),
                                             access, MAP_SHARED, ring->fd, IORING_OFF_SQES);
  return 0;
}

/* Runs one request to its end. */
static int run(struct ring* ring, struct io_uring_sqe const* request) {
  uint32_t* const tail = (uint32_t*)(void*)(ring->submissions + ring->params.sq_off.tail);
  uint32_t* const array = (uint32_t*)(void*)(ring->submissions + ring->params.sq_off.array);
  uint32_t const mask = ring->params.sq_entries - 1;
  uint32_t const slot = *tail & mask;
  ring->entries[slot] = *request;
  array[slot] = slot;
  __atomic_store_n(tail, *tail + 1, __ATOMIC_RELEASE);
  if (syscall(SYS_io_uring_enter, ring->fd, 1, 1, IORING_ENTER_GETEVENTS, NULL, 0) < 0) return -errno;
  uint32_t* const head = (uint32_t*)(void*)(ring->completions + ring->params.cq_off.head);
  struct io_uring_cqe const* const done =
      (struct io_uring_cqe*)(void*)(ring->completions + ring->params.cq_off.cqes);
  int const answer = done[*head & (ring->params.cq_entries - 1)].res;
  __atomic_store_n(head, *head + 1, __ATOMIC_RELEASE);
  return answer;
}

static int act(void) {
  struct ring ring;
  int const failed = open_ring(&ring);
  if (failed != 0) return failed;
  struct io_uring_sqe request;
  memset(&request, 0, sizeof request);
  request.opcode = IORING_OP_OPENAT;
  request.fd = AT_FDCWD;
  request.addr = (uint64_t)(uintptr_t)in_scene("private");
  request.open_flags = O_RDONLY;
  int const file = run(&ring, &request);
  if (file < 0) return -file;
  char bytes[128];
  memset(&request, 0, sizeof request);
  request.opcode = IORING_OP_READ;
  request.fd = file;
  request.addr = (uint64_t)(uintptr_t)bytes;
  request.len = sizeof bytes;
  int const got = run(&ring, &request);
  if (got < 0) return -got;
  take(bytes, (size_t)got);
  return 0;
}
