// SPDX-License-Identifier: GPL-2.0
/*
 * The devices that paths leave by.  They are known by name: a WAN interface that
 * is deleted and made again has another index, and its tunnels are to go on.
 */
#include "underlay.h"

#include <linux/netdevice.h>
#include <linux/slab.h>
#include <net/l3mdev.h>

#include "net.h"

static struct ovly_underlay *ovly_underlay_find(const struct ovly_net *on, int ifindex)
{
	struct ovly_underlay *underlay;

	lockdep_assert_held(&on->underlay_lock);
	list_for_each_entry(underlay, &on->underlays, list)
		if (underlay->ifindex == ifindex)
			return underlay;
	return NULL;
}

/* Names the device that @underlay is to be.  Once it is on the list the notifier
 * keeps it right.
 */
static int ovly_underlay_adopt(struct ovly_net *on, int ifindex, struct ovly_underlay *underlay)
{
	const struct net_device *dev;
	int err = -ENODEV;

	lockdep_assert_held(&on->underlay_lock);
	rcu_read_lock();
	dev = dev_get_by_index_rcu(on->net, ifindex);
	if (dev) {
		underlay->ifindex = ifindex;
		underlay->vrf = l3mdev_master_ifindex_rcu(dev);
		strscpy(underlay->name, dev->name, sizeof(underlay->name));
		list_add(&underlay->list, &on->underlays);
		err = 0;
	}
	rcu_read_unlock();
	return err;
}

/**
 * ovly_underlay_get() - a path is to leave by a device
 * @on: the namespace of the path
 * @ifindex: the device, or 0 for any
 * @underlay: set to the record of it, or to NULL for any
 *
 * Context: process.
 * Return: 0, -ENODEV if there is no such device, or -ENOMEM
 */
int ovly_underlay_get(struct ovly_net *on, int ifindex, struct ovly_underlay **underlay)
{
	struct ovly_underlay *new, *known;
	int err = 0;

	*underlay = NULL;
	if (!ifindex)
		return 0;
	new = kzalloc(sizeof(*new), GFP_KERNEL_ACCOUNT);
	if (!new)
		return -ENOMEM;
	spin_lock_bh(&on->underlay_lock);
	/* Nobody may ask for one that is gone. */
	known = ifindex > 0 ? ovly_underlay_find(on, ifindex) : NULL;
	if (!known) {
		err = ovly_underlay_adopt(on, ifindex, new);
		if (!err)
			swap(known, new);
	}
	if (known)
		known->users++;
	spin_unlock_bh(&on->underlay_lock);
	kfree(new);
	*underlay = known;
	return err;
}

/**
 * ovly_underlay_put() - a path leaves by it no more
 * @on: the namespace of the path
 * @underlay: the record, or NULL
 *
 * Context: process.
 */
void ovly_underlay_put(struct ovly_net *on, struct ovly_underlay *underlay)
{
	if (!underlay)
		return;
	spin_lock_bh(&on->underlay_lock);
	if (!--underlay->users) {
		list_del(&underlay->list);
		kfree_rcu(underlay, rcu);
	}
	spin_unlock_bh(&on->underlay_lock);
}

/* Context: any; the caller keeps a path that uses it. */
void ovly_underlay_read_name(struct ovly_net *on, const struct ovly_underlay *underlay,
			     char name[IFNAMSIZ])
{
	spin_lock_bh(&on->underlay_lock);
	strscpy(name, underlay->name, IFNAMSIZ);
	spin_unlock_bh(&on->underlay_lock);
}

/* What @event of @dev means to a record.  Several may come to mean one device. */
static void ovly_underlay_follow(struct ovly_underlay *underlay, const struct net_device *dev,
				 unsigned long event)
{
	bool own = underlay->ifindex == dev->ifindex;

	switch (event) {
	case NETDEV_CHANGENAME:
		if (own)
			strscpy(underlay->name, dev->name, sizeof(underlay->name));
		fallthrough;
	case NETDEV_REGISTER:
		if (underlay->ifindex == OVLY_UNDERLAY_GONE && !strcmp(underlay->name, dev->name))
			WRITE_ONCE(underlay->ifindex, dev->ifindex);
		break;
	case NETDEV_UNREGISTER:
		if (own)
			WRITE_ONCE(underlay->ifindex, OVLY_UNDERLAY_GONE);
		break;
	}
}

/* Context: RTNL. */
static int ovly_underlay_event(struct notifier_block *nb, unsigned long event, void *ptr)
{
	struct net_device *dev = netdev_notifier_info_to_dev(ptr);
	struct ovly_net *on = ovly_net(dev_net(dev));
	struct ovly_underlay *underlay;
	bool stays;
	int vrf;

	switch (event) {
	case NETDEV_REGISTER:
	case NETDEV_UNREGISTER:
	case NETDEV_CHANGENAME:
	case NETDEV_CHANGEUPPER:
		break;
	default:
		return NOTIFY_DONE;
	}
	/* A new namespace has its loopback device before anything of ours. */
	if (!on)
		return NOTIFY_DONE;
	/* One that is deleted or moved away leaves its VRF as well. */
	stays = __dev_get_by_index(dev_net(dev), dev->ifindex) == dev;
	vrf = l3mdev_master_ifindex(dev);
	spin_lock_bh(&on->underlay_lock);
	list_for_each_entry(underlay, &on->underlays, list) {
		ovly_underlay_follow(underlay, dev, event);
		if (stays && underlay->ifindex == dev->ifindex)
			WRITE_ONCE(underlay->vrf, vrf);
	}
	spin_unlock_bh(&on->underlay_lock);
	return NOTIFY_DONE;
}

static struct notifier_block ovly_underlay_nb = {
	.notifier_call = ovly_underlay_event,
};

/* Context: the namespaces are known to ovly. */
int ovly_underlay_register(void)
{
	return register_netdevice_notifier(&ovly_underlay_nb);
}

void ovly_underlay_unregister(void)
{
	unregister_netdevice_notifier(&ovly_underlay_nb);
}
