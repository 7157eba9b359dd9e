/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Connecting a branch's overlays that are asleep.  strongSwan gives up for good on a
 * head-end that answers with a refusal, as one does that is just starting.
 */
#ifndef OVLY_APPLY_WAKE_H
#define OVLY_APPLY_WAKE_H

#include "apply_exec.h"
#include "apply_run.h"
#include "conf_model.h"

/* How many of the overlay's connections were asleep and are told to connect. */
unsigned int apply_wake(struct exec *x, const struct conf_overlay *o);
/* All of a file, unless another apply is at work; says which. */
bool apply_wake_run(struct apply *a, struct err *e);

#endif /* OVLY_APPLY_WAKE_H */
