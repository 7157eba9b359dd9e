/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The peers of apply's devices: whom nobody wants any more, who is not there yet,
 * and who is not as the file says.
 *
 * A peer whose address the file says is made before its tunnel is up: its routes
 * keep what is meant for it from leaving in clear.  Others are made by strongSwan's
 * updown, which finds the first ones and has nothing to change.
 */
#ifndef OVLY_APPLY_PEER_H
#define OVLY_APPLY_PEER_H

#include "apply_dev.h"
#include "rtnl.h"

/* Those of an overlay that is gone from the device. */
bool apply_peer_plan_removal(struct ovly_nl *nl, const struct ovly_link *link,
			     const struct conf_made *made,
			     struct apply_steps *steps, struct err *e);
/* What is missing and what differs in the peers of the device's overlays: a word that
 * was taken out of the file is not in the updown line any more, and leaves the
 * peer as it is.  link->ifindex is 0 where the device is yet to be made.
 */
bool apply_peer_plan(struct ovly_nl *nl, const struct ovly_link *link,
		     const char *dev, const struct conf *conf,
		     struct apply_steps *steps, struct err *e);
/* The peer that the overlay is to have, without its backup, which may not be there
 * yet.  Pure.
 */
void apply_peer_new(const struct conf_overlay *o, struct ovly_peer *p);
/* What of the peer is not as the overlay says, as it has to be.  Pure. */
bool apply_peer_differs(const struct conf_overlay *o,
			const struct ovly_peer *have, struct ovly_peer *d);
bool apply_peer_run(struct ovly_nl *nl, const struct ovly_link *link,
		    const struct apply_step *s, struct err *e);
/* Addresses and settings as words, for the step's text. */
const char *apply_peer_str(const struct ovly_peer *settings, char *buf,
			   size_t size);

#endif /* OVLY_APPLY_PEER_H */
