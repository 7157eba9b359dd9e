/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The socket on which a running bridge is asked: /run/ovly-bridge/NETNS-PID.
 * Whoever connects gets one answer, and the connection ends.
 */
#ifndef OVLY_BRIDGE_SOCK_H
#define OVLY_BRIDGE_SOCK_H

#include <stdbool.h>
#include <stddef.h>

#include "err.h"

/* the unit's RuntimeDirectory */
#define BRIDGE_RUN_DIR "/run/ovly-bridge"
#define BRIDGE_ASKERS 8

struct bridge_sock {
	int fd; /* -1: closed */
	char path[108];
	unsigned int askers;
	int asker[BRIDGE_ASKERS]; /* that wait for the answer */
};

/* Puts a socket into "dir", and takes away what bridges left that are gone. */
bool bridge_sock_open(struct bridge_sock *s, const char *dir, struct err *e);
void bridge_sock_close(struct bridge_sock *s);
void bridge_sock_accept(struct bridge_sock *s);
/* To all that wait.  Never blocks: who does not read loses the rest. */
void bridge_sock_answer(struct bridge_sock *s, const char *text, size_t len);

typedef void (*bridge_sock_cb)(const char *text, size_t len, void *arg);
/* Asks each bridge of this network namespace.  One that is gone is none, one that
 * does not answer is an error.
 */
bool bridge_sock_ask(const char *dir, bridge_sock_cb cb, void *arg,
		     struct err *e);

#endif /* OVLY_BRIDGE_SOCK_H */
