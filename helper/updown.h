/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What strongSwan's up and down mean for the module's objects.
 *
 * Level-triggered: "up" says what is to be there and may be repeated (charon
 * calls once per pair of traffic selectors), "down" takes away the one path
 * that no SA uses any more.  The peer, its routes and the device stay, so that
 * nothing falls through to another route in clear.
 */
#ifndef OVLY_UPDOWN_H
#define OVLY_UPDOWN_H

#include "env.h"
#include "nl.h"

enum {
	UPDOWN_HAS_MODE = 1 << 0,
	UPDOWN_HAS_PRIORITY = 1 << 1,
	UPDOWN_HAS_ON_DOWN = 1 << 2,
	UPDOWN_HAS_LIMIT = 1 << 3,
	UPDOWN_HAS_TABLE = 1 << 4,
	UPDOWN_HAS_MTU = 1 << 5,
	UPDOWN_HAS_SRC_VALID = 1 << 6,
	UPDOWN_HAS_FROM_TS = 1 << 7,
};

enum { PEER_FROM_CONNECTION, PEER_FROM_ID, PEER_FROM_ENDPOINT };

/* The options of the updown line. */
struct updown_conf {
	uint32_t has;
	char dev[IFNAMSIZ];
	uint32_t mode;
	char peer[OVLY_NAME_MAX + 1];
	uint32_t peer_from;
	struct ovly_addrs system_addr;
	uint32_t from_ts;
	struct ovly_addrs local_addr;
	uint32_t priority;
	uint32_t on_down;
	uint32_t limit;
	uint32_t table;
	uint32_t mtu;
	uint32_t src_valid;
	char vrf[IFNAMSIZ];
	bool route_ts;
	bool no_route_ts;
};

/* What is to be there, from options, environment and the device's mode. */
struct updown_want {
	struct ovly_peer peer;
	struct ovly_path path; /* its underlay still 0, any */
	struct ovly_addrs local;
	bool derived; /* the system address comes from the traffic selector */
	bool has_route;
	struct ovly_route route;
};

/* Pure. */
bool updown_plan(const struct updown_conf *conf, const struct pluto *env,
		 uint32_t mode, struct updown_want *want, struct err *e);
/* The peer's system addresses when an address of one traffic selector is to
 * join what earlier calls gave: same_sa says that they were of the same SA.
 * Pure.
 */
bool updown_merge(const struct ovly_addrs *old, bool same_sa,
		  struct ovly_addrs *want);
/* May the path be deleted when this connection goes down?  Pure. */
bool updown_is_last(const struct ovly_path *path, const struct pluto *env);

/* charon runs several calls at once, and each looks before it acts: one at a
 * time in a network namespace.  Best effort: -1 if there is no lock.
 */
int updown_lock(void);
void updown_unlock(int fd);

bool updown_up(struct ovly_nl *nl, const struct updown_conf *conf,
	       const struct pluto *env, struct err *e);
bool updown_down(struct ovly_nl *nl, const struct pluto *env, struct err *e);

#endif /* OVLY_UPDOWN_H */
