/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _OVLY_PARK_H
#define _OVLY_PARK_H

#include <linux/skbuff.h>
#include <linux/workqueue.h>

struct ovly_net;
struct ovly_path;
struct xfrm_state;

/**
 * struct ovly_park - packets whose SA is too young to have a path
 * @queue: them, oldest first; its lock guards it and @closed
 * @closed: the namespace ends, nothing is taken any more
 * @expire: drops those that waited too long
 */
struct ovly_park {
	struct sk_buff_head queue;
	bool closed;
	struct delayed_work expire;
};

void ovly_park_init(struct ovly_park *park);
void ovly_park_exit(struct ovly_park *park);

bool ovly_park_packet(struct ovly_net *on, struct sk_buff *skb, const struct xfrm_state *x);
void ovly_park_release(struct ovly_park *park, struct ovly_path *path);

#endif /* _OVLY_PARK_H */
