/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Netlink sockets: open, request and answer, dump, and what the kernel says
 * when it refuses.  Knows no objects.
 */
#ifndef OVLY_NL_H
#define OVLY_NL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "err.h"

struct nl_msg;
struct nl_sock;
struct nlmsghdr;

struct ovly_nl {
	struct nl_sock *genl;
	struct nl_sock *rtnl; /* NULL until ovly_nl_open_rtnl() */
	int family; /* of genl family "ovly", 0 while unresolved */
	int group; /* of its events */
};

/* The kernel's answer to a request that it refused. */
struct ovly_nl_error {
	int error; /* positive errno, 0: none */
	char text[256]; /* extack text, or empty */
	char attr[48]; /* the refused attribute, or empty */
	bool interrupted; /* a change overlapped the dump: ask again if it matters */
};

/* Called for each message of an answer. */
typedef void (*ovly_nl_cb)(struct nlmsghdr *hdr, void *arg);

/* Both families' sockets.  need_module: fail when "ovly" cannot be resolved. */
bool ovly_nl_open(struct ovly_nl *nl, bool need_module, struct err *e);
void ovly_nl_close(struct ovly_nl *nl);
/* Looks the family up (again); false without a message when it is not there. */
bool ovly_nl_resolve(struct ovly_nl *nl);
/* What a message of the controller, of group GENL_ID_CTRL, says about it. */
enum ovly_nl_news { OVLY_NL_NO_NEWS, OVLY_NL_MODULE_GONE, OVLY_NL_MODULE_BACK };
enum ovly_nl_news ovly_nl_news(struct nlmsghdr *hdr);
/* The error for a family that is not there. */
bool ovly_nl_no_module(struct err *e);

/* A request of the family; NULL only without memory. */
struct nl_msg *ovly_nl_msg(const struct ovly_nl *nl, int cmd, int flags);
/* A request of another netlink family, with its fixed header. */
struct nl_msg *ovly_nl_raw(int type, int flags, const void *fixed, size_t len);

/* Sends and consumes the message, waits for the ack (or the end of a dump),
 * hands each answer to cb.  false: refusal->error says why.  A warning of a
 * request that was granted is logged.
 */
bool ovly_nl_request(struct nl_sock *sk, struct nl_msg *msg, ovly_nl_cb cb,
		     void *arg, struct ovly_nl_error *refusal);
/* Turns the refusal into a sentence "<what>: <why>". */
bool ovly_nl_err(struct err *e, const struct ovly_nl_error *refusal,
		 const char *fmt, ...) __attribute__((format(printf, 3, 4)));

/* A socket for requests of another netlink family. */
struct nl_sock *ovly_nl_socket(int protocol, struct err *e);
/* A socket for notifications: non-blocking, with a large receive buffer. */
struct nl_sock *ovly_nl_subscriber(int protocol, struct err *e);
bool ovly_nl_join(struct nl_sock *sk, int group, struct err *e);
/* Reads what is there; without cb it is dropped.  Returns 0 when drained, a
 * negative errno otherwise; -ENOBUFS: notifications were lost.
 */
int ovly_nl_drain(struct nl_sock *sk, ovly_nl_cb cb, void *arg);

#endif /* OVLY_NL_H */
