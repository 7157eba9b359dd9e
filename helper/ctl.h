/* SPDX-License-Identifier: GPL-2.0-only */
/* Operations on the module's objects: one way to ask, one way to list. */
#ifndef OVLY_CTL_H
#define OVLY_CTL_H

#include "model.h"
#include "nl.h"

struct ovly_link;

/* What a request carries; NULL and 0 are left out. */
struct ovly_req {
	uint32_t ifindex;
	const struct ovly_dev *dev;
	const struct ovly_peer *peer;
	const struct ovly_path *path;
	const struct ovly_route *route; /* "routes" of them */
	unsigned int routes; /* 0 counts as 1 where route is set */
	uint64_t cookie;
};

/* "flags": NLM_F_CREATE, NLM_F_REPLACE.  reply may be NULL. */
bool ovly_ctl_do(struct ovly_nl *nl, int cmd, int flags,
		 const struct ovly_req *req, struct ovly_msg *reply,
		 struct ovly_nl_error *refusal);

typedef void (*ovly_ctl_cb)(const struct ovly_msg *msg, void *arg);
bool ovly_ctl_dump(struct ovly_nl *nl, int cmd, const struct ovly_req *req,
		   ovly_ctl_cb cb, void *arg, struct ovly_nl_error *refusal);

/* ROUTE_NEW or ROUTE_DEL of a batch.  A refusal of a batch of one entry is
 * told in the report like that of any other; false: refused as a whole.
 */
bool ovly_ctl_routes(struct ovly_nl *nl, int cmd, int flags,
		     const struct ovly_req *req, struct ovly_report *report,
		     struct ovly_nl_error *refusal);

/* Brings the device up, with all that leads to it in the table when this returns:
 * the module answers no request before that.
 */
bool ovly_ctl_link_up(struct ovly_nl *nl, const struct ovly_link *link,
		      struct err *e);

/* The device "name" must be an ovly one; with an empty name it is the only one
 * there is.  Its ifindex, 0 with an error.
 */
uint32_t ovly_ctl_ifindex(struct ovly_nl *nl, const char *name, struct err *e);

/* The error is about a peer that the device does not have: adds the name of one
 * that it has and that was probably meant.
 */
void ovly_ctl_near_peer(struct ovly_nl *nl, uint32_t ifindex, const char *given,
			struct err *e);

#endif /* OVLY_CTL_H */
