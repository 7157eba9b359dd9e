/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _OVLY_SA_H
#define _OVLY_SA_H

#include <linux/types.h>

struct ovly_net;
struct ovly_path;
struct xfrm_state;

/* SAs, or their if_ids, that are looked at in one go: XFRM's lock is held, or its
 * events wait.
 */
#define OVLY_SA_BATCH	64

/**
 * enum ovly_sa_dir - which way an SA goes
 * @OVLY_SA_ANY: not known, as neither address is of this host or both are; counts
 *	as outbound
 * @OVLY_SA_IN: towards an address of this host
 * @OVLY_SA_OUT: from an address of this host
 */
enum ovly_sa_dir {
	OVLY_SA_ANY,
	OVLY_SA_IN,
	OVLY_SA_OUT,
};

bool ovly_sa_count(struct ovly_net *on, struct ovly_path *path);

bool ovly_sa_concerns(const struct xfrm_state *x);
void ovly_sa_note(struct ovly_net *on, struct xfrm_state *x);
void ovly_sa_update(struct ovly_net *on, struct xfrm_state *x);
void ovly_sa_del(struct ovly_net *on, const struct xfrm_state *x);
u64 ovly_sa_new_epoch(struct ovly_net *on);
bool ovly_sa_sweep(struct ovly_net *on, u64 epoch, unsigned long *if_id);

int ovly_sa_init(struct ovly_net *on);
void ovly_sa_exit(struct ovly_net *on);

#endif /* _OVLY_SA_H */
