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
	UPDOWN_HAS_TABLE = 1 << 2,
	UPDOWN_HAS_MTU = 1 << 3,
	UPDOWN_HAS_SRC_VALID = 1 << 4,
	UPDOWN_HAS_FROM_TS = 1 << 5,
};

enum { PEER_FROM_CONNECTION, PEER_FROM_ID, PEER_FROM_ENDPOINT };

/* Label of a path whose connection has gone while others have it, too. */
#define UPDOWN_NO_LABEL "-"

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
	struct ovly_peer settings; /* what else is said of the peer */
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
	bool is_virtual; /* the local addresses come from charon */
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
/* What becomes of the path when this CHILD_SA goes down. */
enum updown_end {
	UPDOWN_KEEP, /* it is not this one's, or this one has a successor */
	UPDOWN_DELETE, /* it goes with its last SA */
	UPDOWN_LEAVE, /* other CHILD_SAs have it, too */
};
/* "same" and "other": outbound SAs of the path with this CHILD_SA's reqid, and
 * with others.  Pure.
 */
enum updown_end updown_end(const struct ovly_path *path,
			   const struct pluto *env, unsigned int same,
			   unsigned int other);

/* charon runs several calls at once, and each looks before it acts: one at a
 * time in a network namespace.  Best effort: -1 if there is no lock.
 */
int updown_lock(void);
void updown_unlock(int fd);

bool updown_up(struct ovly_nl *nl, const struct updown_conf *conf,
	       const struct pluto *env, struct err *e);
/* Where the path has to be looked at again once charon has removed the SAs, a
 * child process does that and lets go of all descriptors.
 */
bool updown_down(struct ovly_nl *nl, const struct pluto *env, struct err *e);

#endif /* OVLY_UPDOWN_H */
