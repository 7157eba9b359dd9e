// SPDX-License-Identifier: GPL-2.0-only
/*
 * Asks for the route to an address again and again until SIGTERM, then says how
 * often there was none and how often it was another than before.
 *
 * None is none twice in a row.  An IPv4 look-up that comes upon a route while it is
 * replaced, and reads that it is dead only afterwards, goes on without either.
 */
#include "gaps.h"

#include <arpa/inet.h>
#include <errno.h>
#include <linux/rtnetlink.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "sock.h"

static volatile sig_atomic_t stop;

static void on_term(int sig)
{
	(void)sig;
	stop = 1;
}

struct lookup {
	struct nlmsghdr nlh;
	struct rtmsg rtm;
	struct nlattr nla;
	unsigned char dst[16];
};

/* The gateway of a route, or all zeros. */
static void gateway_of(const char *reply, size_t len, unsigned char gateway[16])
{
	const struct rtattr *rta = (const void *)(reply + NLMSG_LENGTH(sizeof(struct rtmsg)));

	memset(gateway, 0, 16);
	len -= NLMSG_LENGTH(sizeof(struct rtmsg));
	for (; RTA_OK(rta, len); rta = RTA_NEXT(rta, len))
		if (rta->rta_type == RTA_GATEWAY && RTA_PAYLOAD(rta) <= 16)
			memcpy(gateway, RTA_DATA(rta), RTA_PAYLOAD(rta));
}

/* 1: there is a route, 0: there is none, -1: could not be asked */
static int look_up(struct sock *sock, struct lookup *msg, size_t len, unsigned char gateway[16])
{
	union {
		struct nlmsghdr nlh;
		char bytes[8192];
	} reply;
	bool found = false;
	ssize_t n;

	if (sock_send(sock, msg, len, RTM_GETROUTE, 0))
		return -1;
	for (;;) {
		n = sock_recv(sock, &reply, sizeof(reply));
		if (n < (ssize_t)NLMSG_HDRLEN)
			return -1;
		if (reply.nlh.nlmsg_type == NLMSG_ERROR)
			return found;
		if (reply.nlh.nlmsg_type == RTM_NEWROUTE) {
			struct rtmsg *rtm = NLMSG_DATA(&reply.nlh);

			found = rtm->rtm_type == RTN_UNICAST;
			gateway_of(reply.bytes, reply.nlh.nlmsg_len, gateway);
		}
	}
}

int gaps_watch(const char *address)
{
	unsigned long lookups = 0, misses = 0, changes = 0;
	unsigned char gateway[16], before[16] = {};
	struct sigaction action = { .sa_handler = on_term };
	struct lookup msg = { .nla = { .nla_type = RTA_DST } };
	int size = 4, rc = 1;
	bool missed = false;
	struct sock sock;

	msg.rtm.rtm_family = AF_INET;
	if (inet_pton(AF_INET, address, msg.dst) != 1) {
		msg.rtm.rtm_family = AF_INET6;
		size = 16;
		if (inet_pton(AF_INET6, address, msg.dst) != 1) {
			fprintf(stderr, "ovlynl: '%s' is not an address\n", address);
			return 2;
		}
	}
	msg.rtm.rtm_dst_len = (unsigned char)(8 * size);
	msg.nla.nla_len = (uint16_t)(sizeof(msg.nla) + (size_t)size);
	sigaction(SIGTERM, &action, NULL);
	if (sock_open(&sock, true)) {
		perror("ovlynl: netlink");
		return 2;
	}
	puts("watching");
	fflush(stdout);
	while (!stop) {
		int found = look_up(&sock, &msg, offsetof(struct lookup, dst) + (size_t)size,
				    gateway);

		if (found < 0) {
			perror("ovlynl: lookup");
			goto out;
		}
		lookups++;
		misses += !found && missed;
		missed = !found;
		if (missed)
			continue;
		changes += lookups > 1 && memcmp(gateway, before, sizeof(before));
		memcpy(before, gateway, sizeof(before));
	}
	printf("lookups=%lu misses=%lu changes=%lu\n", lookups, misses, changes);
	rc = 0;
out:
	sock_close(&sock);
	return rc;
}
