/* Sends the host descriptors without end. */
#include "ipc.h"

#include <sys/socket.h>

static int send_descriptors(void) {
  int const some[8] = {0, 1, 2, 0, 1, 2, 0, 1};
  char control[CMSG_SPACE(sizeof some)];
  struct iovec part = {control, 1};
  struct msghdr message;
  memset(&message, 0, sizeof message);
  memset(control, 0, sizeof control);
  message.msg_iov = &part;
  message.msg_iovlen = 1;
  message.msg_control = control;
  message.msg_controllen = sizeof control;
  struct cmsghdr* const header = CMSG_FIRSTHDR(&message);
  header->cmsg_level = SOL_SOCKET;
  header->cmsg_type = SCM_RIGHTS;
  header->cmsg_len = CMSG_LEN(sizeof some);
  memcpy(CMSG_DATA(header), some, sizeof some);
  return outcome(sendmsg(kIpc, &message, 0));
}

static int act(void) {
  for (int i = 0; i < 1000; ++i) {
    int const code = send_descriptors();
    if (code != 0) return code;
  }
  return 0;
}
