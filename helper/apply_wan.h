/* SPDX-License-Identifier: GPL-2.0-only */
/* The outer addresses, which the system has and the file only points to. */
#ifndef OVLY_APPLY_WAN_H
#define OVLY_APPLY_WAN_H

#include "conf_model.h"
#include "nl.h"

/* Fills in the addresses of the bridges.  A path whose bridge has none is left
 * out with a warning; an overlay without any path is an error.
 */
bool apply_resolve(struct ovly_nl *nl, struct conf *conf,
		   struct conf_diags *diags, struct err *e);

#endif /* OVLY_APPLY_WAN_H */
