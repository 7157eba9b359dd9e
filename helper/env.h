/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What strongSwan's updown plugin says in PLUTO_* variables.  Pure: it reads
 * through a lookup function, which is getenv() outside of tests.
 *
 * Variables that are used:
 *   PLUTO_VERB		up-host, up-client, down-host, down-client, and -v6
 *   PLUTO_CONNECTION	name of the CHILD_SA's configuration
 *   PLUTO_INTERFACE	device towards the peer, "unknown" where none is known
 *   PLUTO_ME, PLUTO_PEER  outer addresses
 *   PLUTO_PEER_ID	IKE identity of the peer
 *   PLUTO_PEER_CLIENT	remote traffic selector as a subnet
 *   PLUTO_MY_SOURCEIP[46_<n>]	 virtual addresses received
 *   PLUTO_PEER_SOURCEIP[46_<n>] virtual addresses given to the peer
 *   PLUTO_IF_ID_IN, PLUTO_IF_ID_OUT  XFRM interface ids, absent if none is set
 *   PLUTO_REQID	tells this CHILD_SA's SAs from others with the same if_id
 * PLUTO_UNIQUEID is never used, and neither is PLUTO_REQID as an identity: both
 * change over the life of a connection without a call.
 */
#ifndef OVLY_ENV_H
#define OVLY_ENV_H

#include "err.h"
#include "model.h"

struct pluto {
	bool up; /* else down */
	char connection[OVLY_NAME_MAX + 1];
	char interface[IFNAMSIZ]; /* empty if unknown */
	struct ovly_addr me;
	struct ovly_addr peer;
	char peer_id[OVLY_REMOTE_ID_MAX + 1]; /* a changed one is marked */
	struct ovly_prefix peer_client;
	struct ovly_addrs my_sourceip;
	struct ovly_addrs peer_sourceip;
	uint32_t if_id_in;
	uint32_t if_id_out;
	uint32_t reqid; /* 0: not said */
};

typedef const char *(*env_lookup)(const char *name);

bool env_read(env_lookup lookup, struct pluto *out, struct err *e);

#endif /* OVLY_ENV_H */
