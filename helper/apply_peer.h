/* SPDX-License-Identifier: GPL-2.0-only */
/* The peers of apply's devices: whom nobody wants any more, and who is not as
 * the file says.  Peers are made by strongSwan's updown, not here.
 */
#ifndef OVLY_APPLY_PEER_H
#define OVLY_APPLY_PEER_H

#include "apply_dev.h"
#include "rtnl.h"

/* Those of an overlay that is gone from the device. */
bool apply_peer_plan_removal(struct ovly_nl *nl, const struct ovly_link *link,
			     const struct conf_made *made,
			     struct apply_steps *steps, struct err *e);
/* What differs in the peers of the device's overlays: a word that was taken out
 * of the file is not in the updown line any more, and leaves the peer as it is.
 */
bool apply_peer_plan(struct ovly_nl *nl, const struct ovly_link *link,
		     const struct conf *conf, struct apply_steps *steps,
		     struct err *e);
/* What of the peer is not as the overlay says, as it has to be.  Pure. */
bool apply_peer_differs(const struct conf_overlay *o,
			const struct ovly_peer *have, struct ovly_peer *d);
bool apply_peer_run(struct ovly_nl *nl, const struct ovly_link *link,
		    const struct apply_step *s, struct err *e);
/* The settings as words, for the step's text. */
const char *apply_peer_str(const struct ovly_peer *settings, char *buf,
			   size_t size);

#endif /* OVLY_APPLY_PEER_H */
