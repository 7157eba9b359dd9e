/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _OVLY_UNDERLAY_H
#define _OVLY_UNDERLAY_H

#include <linux/compiler.h>
#include <linux/if.h>
#include <linux/list.h>
#include <linux/rcupdate.h>

struct ovly_net;

/* The ifindex of an underlay that does not exist now; no device has it. */
#define OVLY_UNDERLAY_GONE	(-1)

/**
 * struct ovly_underlay - a device that outer packets leave by
 * @list: in &ovly_net.underlays
 * @ifindex: of the device, or %OVLY_UNDERLAY_GONE; packets read it under RCU
 * @vrf: ifindex of the VRF that it is, or was, in, or 0; likewise
 * @users: paths that use it
 * @name: of the device, by which it is known again
 * @rcu: for packets
 *
 * Guarded by &ovly_net.underlay_lock.  There is one for each device that paths
 * name, so what happens to the device costs the same for any number of paths.
 */
struct ovly_underlay {
	struct list_head list;
	int ifindex;
	int vrf;
	unsigned int users;
	char name[IFNAMSIZ];
	struct rcu_head rcu;
};

int ovly_underlay_get(struct ovly_net *on, int ifindex, struct ovly_underlay **underlay);
void ovly_underlay_put(struct ovly_net *on, struct ovly_underlay *underlay);

void ovly_underlay_read_name(struct ovly_net *on, const struct ovly_underlay *underlay,
			     char name[IFNAMSIZ]);

int ovly_underlay_register(void);
void ovly_underlay_unregister(void);

/* The underlay as such; 0 is any device. */
static inline int ovly_underlay_ifindex(const struct ovly_underlay *underlay)
{
	return underlay ? READ_ONCE(underlay->ifindex) : 0;
}

/* What a flow to the underlay asks for: XFRM looks the outer packet up in the VRF
 * of that device, which is where it belongs without the device, too.
 */
static inline int ovly_underlay_flow_oif(const struct ovly_underlay *underlay)
{
	int ifindex = ovly_underlay_ifindex(underlay);

	return ifindex == OVLY_UNDERLAY_GONE ? READ_ONCE(underlay->vrf) ?: ifindex : ifindex;
}

#endif /* _OVLY_UNDERLAY_H */
