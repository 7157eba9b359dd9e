// SPDX-License-Identifier: GPL-2.0
/*
 * What keeps the overlay's table in use and outer packets out of it: the rule
 * that leads to the table, and for every outer endpoint a throw route, so that
 * ESP and IKE to it never enter a tunnel, whatever BGP teaches.
 */
#include "guard.h"

#include <linux/rhashtable.h>
#include <linux/rtnetlink.h>
#include <linux/slab.h>
#include <net/addrconf.h>
#include <net/fib_notifier.h>
#include <net/ip6_fib.h>
#include <net/ip_fib.h>

#include "device.h"
#include "fib.h"

struct ovly_throw_key {
	struct ovly_ip ip;
	u32 table;
};

/**
 * struct ovly_throw - a throw route
 * @node: in &ovly_guard.throws
 * @list: in &ovly_guard.throw_list
 * @key: endpoint and table
 * @users: peers that need it
 * @displaced: somebody else's route has its place in the table.  The notifier
 *	keeps it, who hears of each change in the order in which they happen.
 * @rcu: for notifiers
 */
struct ovly_throw {
	struct rhash_head node;
	struct list_head list;
	struct ovly_throw_key key;
	unsigned int users;
	bool displaced;
	struct rcu_head rcu;
};

static const struct rhashtable_params ovly_throw_params = {
	.key_len = sizeof(struct ovly_throw_key),
	.key_offset = offsetof(struct ovly_throw, key),
	.head_offset = offsetof(struct ovly_throw, node),
	.automatic_shrinking = true,
};

/**
 * struct ovly_guard_rule - a table and the rules that lead to it
 * @list: in &ovly_guard.rules
 * @table: the table
 * @users: devices that are up and use it
 */
struct ovly_guard_rule {
	struct list_head list;
	u32 table;
	unsigned int users;
};

/* What others have deleted, bits of &ovly_guard.lost. */
enum {
	OVLY_GUARD_RULES,
	OVLY_GUARD_THROWS,
};

static const u8 ovly_guard_families[] = { AF_INET, AF_INET6 };

static void ovly_guard_rule_ensure(struct ovly_guard *guard, u32 table)
{
	int i, err;

	/* Always the module's own rule, beside one of somebody else: theirs may
	 * be removed at any time, and packets must not leak in between.
	 */
	for (i = 0; i < ARRAY_SIZE(ovly_guard_families); i++) {
		err = ovly_fib_rule(guard->fib, OVLY_FIB_ADD, ovly_guard_families[i], table);
		/* Without IPv6 there is nothing to guard there. */
		if (err && err != -EEXIST && err != -EAFNOSUPPORT && err != -EOPNOTSUPP)
			net_err_ratelimited("ovly: no rule to table %u: error %d\n", table, err);
	}
}

static void ovly_guard_lost_all(struct ovly_guard *guard)
{
	set_bit(OVLY_GUARD_RULES, &guard->lost);
	set_bit(OVLY_GUARD_THROWS, &guard->lost);
}

/**
 * ovly_guard_follow() - watch the tables of a namespace from now on
 * @guard: the namespace
 *
 * The core shows all tables first, and refuses while they change meanwhile: then
 * the repair tries again.  Nobody has to wait for that.
 *
 * Context: may sleep, takes RTNL.
 */
void ovly_guard_follow(struct ovly_guard *guard)
{
	bool first;
	int err;

	mutex_lock(&guard->lock);
	first = !guard->watching;
	guard->watching = true;
	mutex_unlock(&guard->lock);
	if (!first)
		return;
	err = register_fib_notifier(guard->fib->net, &guard->nb, NULL, NULL);
	/* What went while nobody looked. */
	ovly_guard_lost_all(guard);
	if (!err) {
		ovly_device_hasten(&guard->repair);
		return;
	}
	mutex_lock(&guard->lock);
	guard->watching = false;
	guard->watch_delay = clamp_t(unsigned long, 2 * guard->watch_delay, HZ, 8 * HZ);
	ovly_device_queue_delayed(&guard->repair, guard->watch_delay);
	mutex_unlock(&guard->lock);
}

static int ovly_throw_change(struct ovly_guard *guard, enum ovly_fib_op op,
			     const struct ovly_throw_key *key)
{
	struct ovly_fib_route route = {
		.dst = key->ip,
		.dst_len = ovly_ip_bits(key->ip.family),
		.table = key->table,
		.type = RTN_THROW,
		.scope = RT_SCOPE_UNIVERSE,
		.protocol = OVLY_RTPROT,
		.metric = ovly_guard_throw_metric(key->ip.family),
	};

	return ovly_fib_route(guard->fib, op, &route);
}

/* Puts back what is to be there, and may be.  Returns 0 if it is. */
static int ovly_throw_ensure(struct ovly_guard *guard, struct ovly_throw *throw)
{
	int err;

	lockdep_assert_held(&guard->lock);
	err = ovly_throw_change(guard, OVLY_FIB_ADD, &throw->key);
	if (!err && !guard->watching)
		WRITE_ONCE(throw->displaced, false);
	return err == -EEXIST && !READ_ONCE(throw->displaced) ? 0 : err;
}

static void ovly_guard_restore_rules(struct ovly_guard *guard)
{
	struct ovly_guard_rule *rule;

	if (!test_and_clear_bit(OVLY_GUARD_RULES, &guard->lost))
		return;
	list_for_each_entry(rule, &guard->rules, list)
		ovly_guard_rule_ensure(guard, rule->table);
}

static void ovly_guard_restore_throws(struct ovly_guard *guard)
{
	struct ovly_throw *throw;
	int err;

	if (!test_and_clear_bit(OVLY_GUARD_THROWS, &guard->lost))
		return;
	list_for_each_entry(throw, &guard->throw_list, list) {
		/* A table that no rule leads to keeps nothing out of the clear. */
		ovly_guard_restore_rules(guard);
		err = ovly_throw_ensure(guard, throw);
		if (err)
			net_err_ratelimited("ovly: a throw route in table %u is missing: error %d\n",
					    throw->key.table, err);
		cond_resched();
	}
}

/* Puts back what is known to have gone. */
static void ovly_guard_repair(struct work_struct *work)
{
	struct ovly_guard *guard = container_of(to_delayed_work(work), struct ovly_guard, repair);

	ovly_guard_follow(guard);
	mutex_lock(&guard->lock);
	ovly_guard_restore_rules(guard);
	ovly_guard_restore_throws(guard);
	mutex_unlock(&guard->lock);
}

/**
 * ovly_guard_restore() - put back what others have deleted, noticed or not
 * @guard: the namespace
 *
 * Context: may sleep, takes RTNL.
 */
void ovly_guard_restore(struct ovly_guard *guard)
{
	ovly_guard_lost_all(guard);
	ovly_guard_repair(&guard->repair.work);
}

/* A route to exactly this address went, or one of @type is the first now: is a throw
 * route to be put back?  It may be one that had its place.  The core reports a
 * deletion as a replacement where a less preferred route is left.
 *
 * Context: RCU or RTNL.
 */
static bool ovly_guard_lost(struct ovly_guard *guard, unsigned long event, u8 type,
			    u32 table, const struct ovly_ip *ip)
{
	struct ovly_throw_key key = { .ip = *ip, .table = table };
	bool displaced = type != RTN_THROW;
	struct ovly_throw *throw;

	rcu_read_lock();
	throw = rhashtable_lookup(&guard->throws, &key, ovly_throw_params);
	if (throw && event == FIB_EVENT_ENTRY_REPLACE)
		WRITE_ONCE(throw->displaced, displaced);
	rcu_read_unlock();
	return throw && (event == FIB_EVENT_ENTRY_DEL || displaced);
}

static bool ovly_guard_lost4(struct ovly_guard *guard, unsigned long event,
			     const struct fib_entry_notifier_info *info)
{
	struct ovly_ip ip = ovly_ip_v4(htonl(info->dst));

	return info->dst_len == 32 &&
	       ovly_guard_lost(guard, event, info->type, info->tb_id, &ip);
}

#if IS_ENABLED(CONFIG_IPV6)
static bool ovly_guard_lost6(struct ovly_guard *guard, unsigned long event,
			     const struct fib6_entry_notifier_info *info)
{
	const struct fib6_info *rt = info->rt;
	struct ovly_ip ip = ovly_ip_v6(&rt->fib6_dst.addr);

	return rt->fib6_dst.plen == 128 &&
	       ovly_guard_lost(guard, event, rt->fib6_type, rt->fib6_table->tb6_id, &ip);
}

/* An IPv6 route of a device went: because the device has no IPv6 any more? */
static void ovly_guard_check_ipv6(const struct fib6_info *rt)
{
	const struct inet6_dev *idev;
	struct net_device *dev;

	dev = rt->nh ? NULL : rt->fib6_nh->fib_nh_dev;
	if (!dev || !ovly_device_is(dev))
		return;
	rcu_read_lock();
	idev = __in6_dev_get(dev);
	if (idev && READ_ONCE(idev->cnf.disable_ipv6))
		ovly_sync_ipv6_off(netdev_priv(dev));
	rcu_read_unlock();
}
#endif

/* Context: RTNL or RCU; must not sleep. */
static int ovly_guard_event(struct notifier_block *nb, unsigned long event, void *ptr)
{
	struct ovly_guard *guard = container_of(nb, struct ovly_guard, nb);
	const struct fib_notifier_info *info = ptr;
	bool lost = false;

	/* A namespace that goes takes its tables along, in 7.x before the devices. */
	if (!check_net(guard->fib->net))
		return NOTIFY_DONE;
	/* The core calls from within the request, ours too. */
	if (READ_ONCE(guard->deleting) == current)
		return NOTIFY_DONE;
	if (event == FIB_EVENT_ENTRY_DEL || event == FIB_EVENT_ENTRY_REPLACE) {
		if (info->family == AF_INET)
			lost = ovly_guard_lost4(guard, event,
						container_of(info, struct fib_entry_notifier_info,
							     info));
#if IS_ENABLED(CONFIG_IPV6)
		if (info->family == AF_INET6) {
			const struct fib6_entry_notifier_info *info6 =
				container_of(info, struct fib6_entry_notifier_info, info);

			lost = ovly_guard_lost6(guard, event, info6);
			if (event == FIB_EVENT_ENTRY_DEL)
				ovly_guard_check_ipv6(info6->rt);
		}
#endif
	}
	if (event == FIB_EVENT_RULE_DEL)
		set_bit(OVLY_GUARD_RULES, &guard->lost);
	else if (lost)
		set_bit(OVLY_GUARD_THROWS, &guard->lost);
	else
		return NOTIFY_DONE;
	ovly_device_hasten(&guard->repair);
	return NOTIFY_DONE;
}

/**
 * ovly_guard_throw_get() - keep an endpoint out of a table
 * @guard: the namespace
 * @table: the table
 * @ip: the endpoint
 * @insist: somebody else's route to exactly @ip is no reason to refuse: the throw
 *	route comes when that goes, as the endpoint is used in any case
 *
 * Context: may sleep, takes RTNL.
 * Return: 0, -EEXIST if somebody else's route is there, or another error
 */
int ovly_guard_throw_get(struct ovly_guard *guard, u32 table, const struct ovly_ip *ip,
			 bool insist)
{
	struct ovly_throw_key key = { .ip = *ip, .table = table };
	struct ovly_throw *throw;
	int err = 0;

	mutex_lock(&guard->lock);
	throw = rhashtable_lookup_fast(&guard->throws, &key, ovly_throw_params);
	if (throw) {
		if (READ_ONCE(throw->displaced) && !insist)
			err = ovly_throw_ensure(guard, throw);
		throw->users += !err;
		goto out;
	}
	err = -ENOMEM;
	throw = kzalloc(sizeof(*throw), GFP_KERNEL_ACCOUNT);
	if (!throw)
		goto out;
	throw->key = key;
	throw->users = 1;
	err = rhashtable_insert_fast(&guard->throws, &throw->node, ovly_throw_params);
	if (err)
		goto err_free;
	err = ovly_throw_change(guard, OVLY_FIB_ADD, &key);
	if (err == -EEXIST && insist) {
		net_err_ratelimited("ovly: somebody else's route in table %u is where a throw route has to be\n",
				    table);
		WRITE_ONCE(throw->displaced, true);
		err = 0;
	}
	if (err)
		goto err_remove;
	list_add_tail(&throw->list, &guard->throw_list);
	goto out;

err_remove:
	rhashtable_remove_fast(&guard->throws, &throw->node, ovly_throw_params);
	kfree_rcu(throw, rcu);
	goto out;
err_free:
	kfree(throw);
out:
	mutex_unlock(&guard->lock);
	return err;
}

/**
 * ovly_guard_throw_put() - an endpoint needs no throw route any more
 * @guard: the namespace
 * @table: the table
 * @ip: the endpoint
 *
 * Context: may sleep, takes RTNL.
 */
void ovly_guard_throw_put(struct ovly_guard *guard, u32 table, const struct ovly_ip *ip)
{
	struct ovly_throw_key key = { .ip = *ip, .table = table };
	struct ovly_throw *throw;

	mutex_lock(&guard->lock);
	throw = rhashtable_lookup_fast(&guard->throws, &key, ovly_throw_params);
	if (!WARN_ON_ONCE(!throw) && !--throw->users) {
		list_del(&throw->list);
		WRITE_ONCE(guard->deleting, current);
		/* Gone already if somebody flushed the table. */
		ovly_throw_change(guard, OVLY_FIB_DEL, &key);
		WRITE_ONCE(guard->deleting, NULL);
		rhashtable_remove_fast(&guard->throws, &throw->node, ovly_throw_params);
		kfree_rcu(throw, rcu);
	}
	mutex_unlock(&guard->lock);
}

static struct ovly_guard_rule *ovly_guard_rule_find(struct ovly_guard *guard, u32 table)
{
	struct ovly_guard_rule *rule;

	list_for_each_entry(rule, &guard->rules, list)
		if (rule->table == table)
			return rule;
	return NULL;
}

/**
 * ovly_guard_rule_get() - lead all traffic to a table first
 * @guard: the namespace
 * @table: the table
 *
 * Failures are logged: the device works, its routes are not looked at.
 *
 * Context: may sleep, takes RTNL.
 */
void ovly_guard_rule_get(struct ovly_guard *guard, u32 table)
{
	struct ovly_guard_rule *rule;

	mutex_lock(&guard->lock);
	rule = ovly_guard_rule_find(guard, table);
	if (!rule) {
		rule = kzalloc(sizeof(*rule), GFP_KERNEL | __GFP_NOFAIL);
		rule->table = table;
		list_add(&rule->list, &guard->rules);
	}
	if (!rule->users++)
		ovly_guard_rule_ensure(guard, table);
	mutex_unlock(&guard->lock);
}

/**
 * ovly_guard_rule_put() - a device uses the table no more
 * @guard: the namespace
 * @table: the table
 *
 * Context: may sleep, takes RTNL.
 */
void ovly_guard_rule_put(struct ovly_guard *guard, u32 table)
{
	struct ovly_guard_rule *rule;
	int i;

	mutex_lock(&guard->lock);
	rule = ovly_guard_rule_find(guard, table);
	if (!WARN_ON_ONCE(!rule) && !--rule->users) {
		list_del(&rule->list);
		kfree(rule);
		WRITE_ONCE(guard->deleting, current);
		for (i = 0; i < ARRAY_SIZE(ovly_guard_families); i++)
			ovly_fib_rule(guard->fib, OVLY_FIB_DEL, ovly_guard_families[i], table);
		WRITE_ONCE(guard->deleting, NULL);
	}
	mutex_unlock(&guard->lock);
}

int ovly_guard_init(struct ovly_guard *guard, struct ovly_fib *fib)
{
	guard->fib = fib;
	mutex_init(&guard->lock);
	INIT_LIST_HEAD(&guard->rules);
	INIT_LIST_HEAD(&guard->throw_list);
	INIT_DELAYED_WORK(&guard->repair, ovly_guard_repair);
	guard->watching = false;
	guard->watch_delay = 0;
	guard->lost = 0;
	guard->nb.notifier_call = ovly_guard_event;
	return rhashtable_init(&guard->throws, &ovly_throw_params);
}

/* Context: all devices that used it are gone. */
void ovly_guard_exit(struct ovly_guard *guard)
{
	/* Which may be about to register the notifier, that may queue it again. */
	cancel_delayed_work_sync(&guard->repair);
	if (guard->watching)
		unregister_fib_notifier(guard->fib->net, &guard->nb);
	cancel_delayed_work_sync(&guard->repair);
	WARN_ON(!list_empty(&guard->rules));
	WARN_ON(atomic_read(&guard->throws.nelems));
	rhashtable_destroy(&guard->throws);
}
