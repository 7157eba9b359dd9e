/* SPDX-License-Identifier: GPL-2.0-only */
/* What the parts of an updown call share. */
#ifndef OVLY_UPDOWN_RUN_H
#define OVLY_UPDOWN_RUN_H

#include "rtnl.h"
#include "sa.h"
#include "updown.h"

#define UPDOWN_ADDRS_MAX 64
#define UPDOWN_ORPHANS_MAX 64

/* SAs that a charon left behind which is not there any more. */
struct updown_orphans {
	unsigned int n;
	unsigned int out; /* of them, those that the path counts in sa_out */
	struct host_sa sa[UPDOWN_ORPHANS_MAX];
};

/* What is there, and what this call has changed so far. */
struct updown_run {
	struct ovly_nl *nl;
	const struct updown_conf *conf;
	const struct pluto *env;
	struct updown_want want;

	struct ovly_link link;
	uint32_t vrf;
	struct ovly_ifaddr addr[UPDOWN_ADDRS_MAX];
	unsigned int addrs;
	bool has_peer;
	bool has_path; /* on our device */
	struct ovly_peer peer;
	struct ovly_path path; /* with our if-id-in, on whatever device */
	uint32_t path_ifindex; /* which has it, 0: there is none */
	struct updown_orphans orphans;

	bool made_dev, made_master, made_peer, made_path, changed_peer;
	bool made_backup;
	bool made_addr[OVLY_PEER_ADDRS_MAX];
};

bool updown_is_absent(const struct ovly_nl_error *refusal);
/* *ifindex is that of the device that has it, 0 if there is none. */
bool updown_path_get(struct ovly_nl *nl, uint32_t if_id_in,
		     struct ovly_path *path, uint32_t *ifindex, struct err *e);
/* One that is gone already is no error. */
bool updown_path_del(struct ovly_nl *nl, uint32_t if_id_in, struct err *e);

/* Puts the own addresses on the device. */
bool updown_addrs_apply(struct updown_run *r, struct err *e);
/* After an up: virtual addresses that this connection had before go. */
void updown_addrs_settle(struct updown_run *r);
/* After a down: virtual addresses go whose path is gone. */
void updown_addrs_sweep(struct ovly_nl *nl, uint32_t ifindex);

/* Deletes the peers that have gone and hold an address which charon has lent to this
 * one; false where there is none, or one who holds another of its addresses has not.
 */
bool updown_lease_take(struct updown_run *r, const struct ovly_peer *peer);

/* Looks for SAs with the path's if-ids that are older than the charon that
 * called.  Where it cannot be told there are none.
 */
bool updown_orphans_find(struct updown_orphans *orphans,
			 const struct ovly_path *path, struct err *e);
bool updown_orphans_remove(const struct updown_orphans *orphans,
			   struct err *e);

#endif /* OVLY_UPDOWN_RUN_H */
