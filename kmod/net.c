// SPDX-License-Identifier: GPL-2.0
#include "net.h"

#include <linux/rtnetlink.h>
#include <linux/wait_bit.h>
#include <net/netns/generic.h>

#include "device.h"
#include "sa.h"
#include "sa_watch.h"

static unsigned int ovly_net_id __read_mostly;

/**
 * ovly_net() - what ovly keeps for a network namespace
 * @net: the namespace
 *
 * Return: NULL only while the namespace is being made
 */
struct ovly_net *ovly_net(const struct net *net)
{
	return net_generic(net, ovly_net_id);
}

static int __net_init ovly_net_init(struct net *net)
{
	struct ovly_net *on = ovly_net(net);
	int err;

	on->net = net;
	INIT_LIST_HEAD(&on->devs);
	spin_lock_init(&on->path_lock);
	spin_lock_init(&on->underlay_lock);
	INIT_LIST_HEAD(&on->underlays);
	atomic_set(&on->users, 0);
	/* 0 means to a dump that it need not compare. */
	atomic_set(&on->seq, 1);
	/* One class of locks, as lockdep sees it. */
	xa_init_flags(&on->paths_in, XA_FLAGS_LOCK_BH);
	xa_init_flags(&on->paths_out, XA_FLAGS_LOCK_BH);
	xa_init_flags(&on->xfrm_interfaces, XA_FLAGS_LOCK_BH);
	ovly_park_init(&on->park);
	ovly_fib_init(&on->fib, net);
	ovly_sa_watch_init(on);
	err = ovly_sa_init(on);
	if (err)
		return err;
	err = ovly_guard_init(&on->guard, &on->fib);
	if (err)
		ovly_sa_exit(on);
	return err;
}

/* @on may be gone afterwards.  Context: process. */
void ovly_net_release(struct ovly_net *on)
{
	if (atomic_dec_and_test(&on->users))
		wake_up_var(&on->users);
}

/* No key manager event and no packet changes anything here from now on. */
static void ovly_net_close(struct ovly_net *on)
{
	spin_lock_bh(&on->path_lock);
	WRITE_ONCE(on->closing, true);
	spin_unlock_bh(&on->path_lock);
}

static void __net_exit ovly_net_exit_batch(struct list_head *nets)
{
	LIST_HEAD(devs);
	struct net *net;

	/* Devices go before what they use here: those whose SAs live in the
	 * namespace, wherever they are, and those that are in it.
	 */
	rtnl_lock();
	list_for_each_entry(net, nets, exit_list)
		ovly_device_unregister_all(net, &devs);
	unregister_netdevice_many(&devs);
	rtnl_unlock();

	list_for_each_entry(net, nets, exit_list) {
		struct ovly_net *on = ovly_net(net);

		wait_var_event(&on->users, !atomic_read(&on->users));
		ovly_net_close(on);
	}
	/* Packets and events that saw it open. */
	synchronize_net();

	list_for_each_entry(net, nets, exit_list) {
		struct ovly_net *on = ovly_net(net);

		ovly_park_exit(&on->park);
		ovly_guard_exit(&on->guard);
		ovly_fib_exit(&on->fib);
		ovly_sa_watch_exit(on);
		ovly_sa_exit(on);
		WARN_ON(!list_empty(&on->underlays));
		xa_destroy(&on->paths_in);
		xa_destroy(&on->paths_out);
		xa_destroy(&on->xfrm_interfaces);
	}
}

/* A pernet device, not a subsystem: these exit before the core's own devices
 * and rtnetlink do, so that everything above still works, if in vain for tables that
 * 7.x has flushed by then.
 */
static struct pernet_operations ovly_net_ops = {
	.init = ovly_net_init,
	.exit_batch = ovly_net_exit_batch,
	.id = &ovly_net_id,
	.size = sizeof(struct ovly_net),
};

int ovly_net_register(void)
{
	return register_pernet_device(&ovly_net_ops);
}

void ovly_net_unregister(void)
{
	unregister_pernet_device(&ovly_net_ops);
}
