/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef OVLYNL_SOCK_H
#define OVLYNL_SOCK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

struct nlmsghdr;

/* The kernel makes the messages of a dump as large as the largest buffer that was
 * ever received into; this makes them as small as it can.
 */
#define SMALL_BUFFER 4096

struct sock {
	int fd;
	uint32_t seq;
	uint16_t family;	/* number of the genl family, 0 for rtnetlink */
	uint32_t group;		/* number of its group of events */
};

int sock_open(struct sock *sock, bool rtnl);
/* Takes a netlink socket that somebody else opened. */
int sock_adopt(struct sock *sock, int fd, bool rtnl);
void sock_close(struct sock *sock);
int sock_receive_buffer(struct sock *sock, int bytes);
int sock_join(struct sock *sock);
int sock_send(struct sock *sock, void *msg, size_t len, uint16_t type, uint16_t flags);
ssize_t sock_recv(struct sock *sock, void *buf, size_t size);

#endif
