// SPDX-License-Identifier: GPL-2.0
#include <kunit/test.h>
#include <linux/rtnetlink.h>

#include "route.h"
#include "tests/fake.h"
#include "tests/suites.h"

static struct ovly_peer *named(struct kunit *test, struct ovly_dev *ovly, const char *name)
{
	struct ovly_peer_conf conf = { .name = name };
	struct netlink_ext_ack extack = {};
	struct ovly_peer *peer = ovly_peer_new(ovly, &conf, &extack);

	KUNIT_ASSERT_FALSE_MSG(test, IS_ERR(peer), "error %ld: %s", PTR_ERR(peer), extack._msg);
	return peer;
}

static int set_addrs(struct ovly_peer *peer, unsigned int n, const u8 hosts[])
{
	struct ovly_peer_conf conf = { .has_addrs = true };
	struct netlink_ext_ack extack = {};

	while (conf.n_addrs < n) {
		conf.addrs[conf.n_addrs] = ovly_fake_ip(10, 0, 0, hosts[conf.n_addrs]);
		conf.n_addrs++;
	}
	return ovly_peer_set(peer, &conf, &extack);
}

static void a_peer_without_a_name_gets_one(struct kunit *test)
{
	struct ovly_dev *ovly = ovly_fake_dev(test, OVLY_MODE_MULTIPOINT);
	struct ovly_peer *peer = named(test, ovly, NULL);
	char name[OVLY_NAME_MAX + 1];

	snprintf(name, sizeof(name), "peer%u", peer->id);
	KUNIT_EXPECT_STREQ(test, peer->name, name);
	KUNIT_EXPECT_PTR_EQ(test, ovly_peer_find_name(ovly, name), peer);
	KUNIT_EXPECT_PTR_EQ(test, ovly_peer_find(ovly, peer->id), peer);
	ovly_fake_dev_free(ovly);
}

static void a_made_up_name_may_be_taken(struct kunit *test)
{
	struct ovly_dev *ovly = ovly_fake_dev(test, OVLY_MODE_MULTIPOINT);
	struct ovly_peer *first = named(test, ovly, "first");
	struct ovly_peer_conf conf = {};
	struct netlink_ext_ack extack = {};
	char name[OVLY_NAME_MAX + 1];

	snprintf(name, sizeof(name), "peer%u", first->id + 2);
	named(test, ovly, name);
	KUNIT_EXPECT_EQ(test, PTR_ERR(ovly_peer_new(ovly, &conf, &extack)), (long)-EEXIST);
	KUNIT_EXPECT_EQ(test, ovly->n_peers, 2u);
	/* The id that was taken in vain is not looked at again at once. */
	named(test, ovly, NULL);
	ovly_fake_dev_free(ovly);
}

static void p2p_has_one_peer(struct kunit *test)
{
	struct ovly_dev *ovly = ovly_fake_dev(test, OVLY_MODE_P2P);
	struct ovly_peer *hub = named(test, ovly, "hub");
	struct ovly_peer_conf conf = { .name = "second" };
	struct netlink_ext_ack extack = {};

	KUNIT_EXPECT_EQ(test, PTR_ERR(ovly_peer_new(ovly, &conf, &extack)), (long)-EEXIST);
	KUNIT_EXPECT_PTR_EQ(test, rcu_dereference_raw(ovly->sole), hub);
	ovly_peer_del(hub);
	KUNIT_EXPECT_NULL(test, rcu_dereference_raw(ovly->sole));
	named(test, ovly, "second");
	ovly_fake_dev_free(ovly);
}

static void addresses_are_replaced_as_a_set(struct kunit *test)
{
	struct ovly_dev *ovly = ovly_fake_dev(test, OVLY_MODE_MULTIPOINT);
	struct ovly_peer *one = ovly_fake_peer(test, ovly, "one", 1);
	struct ovly_ip gone = ovly_fake_ip(10, 0, 0, 1), stays = ovly_fake_ip(10, 0, 0, 2);
	const u8 both[] = { 1, 2 }, other[] = { 3, 2 };

	KUNIT_EXPECT_EQ(test, set_addrs(one, 2, both), 0);
	KUNIT_EXPECT_EQ(test, ovly->n_routes, 2u);
	KUNIT_EXPECT_EQ(test, set_addrs(one, 2, other), 0);
	KUNIT_EXPECT_NULL(test, ovly_peer_find_addr(ovly, &gone));
	KUNIT_EXPECT_PTR_EQ(test, ovly_peer_find_addr(ovly, &stays), one);
	KUNIT_EXPECT_EQ(test, ovly->n_routes, 2u);
	KUNIT_EXPECT_EQ(test, one->n_routes, 0u);
	ovly_fake_dev_free(ovly);
}

static void a_refused_change_of_addresses_changes_none(struct kunit *test)
{
	struct ovly_dev *ovly = ovly_fake_dev(test, OVLY_MODE_MULTIPOINT);
	struct ovly_peer *one = ovly_fake_peer(test, ovly, "one", 1);
	struct ovly_peer *two = ovly_fake_peer(test, ovly, "two", 2);
	struct ovly_ip free = ovly_fake_ip(10, 0, 0, 9), ones = ovly_fake_ip(10, 0, 0, 1);
	const u8 taken[] = { 9, 2 };

	KUNIT_EXPECT_EQ(test, set_addrs(one, 2, taken), -EEXIST);
	KUNIT_EXPECT_NULL(test, ovly_peer_find_addr(ovly, &free));
	KUNIT_EXPECT_PTR_EQ(test, ovly_peer_find_addr(ovly, &ones), one);
	KUNIT_EXPECT_NOT_ERR_OR_NULL(test, ovly_peer_addr(two, AF_INET));
	KUNIT_EXPECT_EQ(test, ovly->n_routes, 2u);
	ovly_fake_dev_free(ovly);
}

#define N_PEERS	1000

static void many_peers_come_and_go(struct kunit *test)
{
	struct ovly_dev *ovly = ovly_fake_dev(test, OVLY_MODE_MULTIPOINT);
	struct netlink_ext_ack extack = {};
	struct ovly_peer *peer;
	char name[16];
	int i;

	for (i = 0; i < N_PEERS; i++) {
		struct ovly_peer_conf conf = {
			.name = name,
			.addrs = { ovly_fake_ip(10, 1, i >> 8, i) },
			.n_addrs = 1,
			.has_addrs = true,
		};

		snprintf(name, sizeof(name), "branch%d", i);
		peer = ovly_peer_new(ovly, &conf, &extack);
		KUNIT_ASSERT_FALSE(test, IS_ERR(peer));
	}
	KUNIT_EXPECT_EQ(test, ovly->n_peers, (u32)N_PEERS);
	KUNIT_EXPECT_EQ(test, ovly->n_routes, (u32)N_PEERS);
	for (i = 0; i < N_PEERS; i += 2) {
		snprintf(name, sizeof(name), "branch%d", i);
		peer = ovly_peer_find_name(ovly, name);
		KUNIT_ASSERT_NOT_NULL(test, peer);
		ovly_peer_del(peer);
	}
	KUNIT_EXPECT_EQ(test, ovly->n_peers, (u32)N_PEERS / 2);
	ovly_peer_del_all(ovly);
	KUNIT_EXPECT_EQ(test, ovly->n_peers, 0u);
	KUNIT_EXPECT_EQ(test, ovly->n_routes, 0u);
	KUNIT_EXPECT_TRUE(test, xa_empty(&ovly->peers));
	KUNIT_EXPECT_TRUE(test, RB_EMPTY_ROOT(&ovly->routes));
	ovly_fake_dev_free(ovly);
}

/* The kernel searches all next hops of one scope for each IPv4 route. */
static void many_peers_are_dealt_out_over_scopes(struct kunit *test)
{
	struct ovly_dev *ovly = ovly_fake_dev(test, OVLY_MODE_MULTIPOINT);
	u16 of_scope[RT_SCOPE_NOWHERE + 1] = {};
	struct ovly_peer *peer;
	int i;

	for (i = 0; i < N_PEERS; i++) {
		peer = named(test, ovly, NULL);
		KUNIT_EXPECT_EQ(test, peer->scope == RT_SCOPE_UNIVERSE, i < 128);
		of_scope[peer->scope]++;
	}
	for (i = RT_SCOPE_UNIVERSE + 1; i < RT_SCOPE_SITE; i++) {
		KUNIT_EXPECT_GE(test, of_scope[i], 4);
		KUNIT_EXPECT_LE(test, of_scope[i], 5);
	}
	for (; i <= RT_SCOPE_NOWHERE; i++)
		KUNIT_EXPECT_EQ(test, of_scope[i], 0);
	/* Who comes when there are few again is like the first ones. */
	ovly_peer_del_all(ovly);
	KUNIT_EXPECT_EQ(test, named(test, ovly, NULL)->scope, (u8)RT_SCOPE_UNIVERSE);
	ovly_fake_dev_free(ovly);
}

static struct kunit_case ovly_peer_cases[] = {
	KUNIT_CASE(a_peer_without_a_name_gets_one),
	KUNIT_CASE(a_made_up_name_may_be_taken),
	KUNIT_CASE(p2p_has_one_peer),
	KUNIT_CASE(addresses_are_replaced_as_a_set),
	KUNIT_CASE(a_refused_change_of_addresses_changes_none),
	KUNIT_CASE(many_peers_come_and_go),
	KUNIT_CASE(many_peers_are_dealt_out_over_scopes),
	{}
};

struct kunit_suite ovly_peer_suite = {
	.name = "ovly_peer",
	.test_cases = ovly_peer_cases,
};
