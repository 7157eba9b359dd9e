// SPDX-License-Identifier: GPL-2.0
#include <kunit/test.h>
#include <linux/prandom.h>
#include <linux/rtnetlink.h>
#include <net/netlink.h>

#include "route.h"
#include "tests/fake.h"
#include "tests/suites.h"

#define MAKE		(NLM_F_CREATE)
#define MAKE_OR_MOVE	(NLM_F_CREATE | NLM_F_REPLACE)

static struct ovly_route_key key24(u8 a, u8 b, u8 c)
{
	return (struct ovly_route_key) { .dst = ovly_fake_ip(a, b, c, 0), .len = 24 };
}

/* A request for @n of @owners to own a prefix, all the way.  Returns the route of
 * the first.
 */
static struct ovly_route *want_all(struct ovly_peer **owners, unsigned int n,
				   const struct ovly_route_key *key, u16 flags,
				   struct netlink_ext_ack *extack)
{
	struct ovly_route_want want = {
		.key = *key, .protocol = RTPROT_BIRD, .flags = flags, .n_owners = n,
	};
	struct ovly_dev *ovly = owners[0]->ovly;
	struct ovly_sync_batch batch;
	struct ovly_route *route;

	memcpy(want.owners, owners, n * sizeof(*owners));
	route = ovly_route_want(ovly, &want, extack);
	if (IS_ERR(route))
		return route;
	ovly_sync_begin(&batch, ovly);
	ovly_sync_route(&batch, route);
	ovly_sync_end(&batch);
	return ovly_route_find_of(ovly, key, owners[0]);
}

static struct ovly_route *want(struct ovly_peer *peer, const struct ovly_route_key *key,
			       u16 flags, struct netlink_ext_ack *extack)
{
	return want_all(&peer, 1, key, flags, extack);
}

static void drop(struct ovly_route *route)
{
	struct ovly_sync_batch batch;

	ovly_sync_begin(&batch, route->peer->ovly);
	ovly_sync_remove(&batch, route);
	ovly_sync_end(&batch);
}

static unsigned int owners_of(struct ovly_dev *ovly, const struct ovly_route_key *key)
{
	struct ovly_route *route;
	unsigned int n = 0;

	for (route = ovly_route_find(ovly, key); route; route = ovly_route_next_owner(route))
		n++;
	return n;
}

static void a_prefix_has_one_owner(struct kunit *test)
{
	struct ovly_dev *ovly = ovly_fake_dev(test, OVLY_MODE_MULTIPOINT);
	struct ovly_peer *one = ovly_fake_peer(test, ovly, "one", 1);
	struct ovly_peer *two = ovly_fake_peer(test, ovly, "two", 2);
	struct ovly_route_key key = key24(81, 81, 81);
	struct netlink_ext_ack extack = {};
	struct ovly_route *route;

	route = want(one, &key, MAKE, &extack);
	KUNIT_ASSERT_FALSE(test, IS_ERR(route));
	KUNIT_EXPECT_EQ(test, one->n_routes, 1u);
	KUNIT_EXPECT_EQ(test, PTR_ERR(want(two, &key, MAKE, &extack)),
			(long)-EEXIST);
	KUNIT_EXPECT_PTR_EQ(test, route->peer, one);

	route = want(two, &key, MAKE_OR_MOVE, &extack);
	KUNIT_ASSERT_FALSE(test, IS_ERR(route));
	KUNIT_EXPECT_PTR_EQ(test, ovly_route_find(ovly, &key), route);
	KUNIT_EXPECT_PTR_EQ(test, route->peer, two);
	KUNIT_EXPECT_FALSE(test, ovly_route_is_shared(route));
	KUNIT_EXPECT_EQ(test, one->n_routes, 0u);
	KUNIT_EXPECT_EQ(test, two->n_routes, 1u);
	ovly_fake_dev_free(ovly);
}

static void a_confirmed_route_is_left_alone(struct kunit *test)
{
	struct ovly_dev *ovly = ovly_fake_dev(test, OVLY_MODE_P2P);
	struct ovly_peer *hub = ovly_fake_peer(test, ovly, "hub", 1);
	struct ovly_route_key key = key24(81, 81, 81);
	struct netlink_ext_ack extack = {};
	struct ovly_route *route;

	route = want(hub, &key, MAKE_OR_MOVE, &extack);
	KUNIT_ASSERT_FALSE(test, IS_ERR(route));
	KUNIT_EXPECT_PTR_EQ(test, want(hub, &key, MAKE_OR_MOVE, &extack),
			    route);
	KUNIT_EXPECT_FALSE(test, route->stale);
	KUNIT_EXPECT_EQ(test, hub->n_routes, 1u);
	ovly_fake_dev_free(ovly);
}

static void metrics_make_routes_differ(struct kunit *test)
{
	struct ovly_dev *ovly = ovly_fake_dev(test, OVLY_MODE_MULTIPOINT);
	struct ovly_peer *one = ovly_fake_peer(test, ovly, "one", 1);
	struct ovly_peer *two = ovly_fake_peer(test, ovly, "two", 2);
	struct ovly_route_key key = key24(81, 81, 81);
	struct netlink_ext_ack extack = {};

	KUNIT_EXPECT_FALSE(test, IS_ERR(want(one, &key, MAKE, &extack)));
	key.metric = 10;
	KUNIT_EXPECT_FALSE(test, IS_ERR(want(two, &key, MAKE, &extack)));
	ovly_fake_dev_free(ovly);
}

static void the_system_address_is_not_for_others(struct kunit *test)
{
	struct ovly_dev *ovly = ovly_fake_dev(test, OVLY_MODE_MULTIPOINT);
	struct ovly_peer *one = ovly_fake_peer(test, ovly, "one", 1);
	struct ovly_peer *two = ovly_fake_peer(test, ovly, "two", 2);
	struct ovly_route_key key = { .dst = ovly_fake_ip(10, 0, 0, 1), .len = 32 };
	struct netlink_ext_ack extack = {};

	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, ovly_route_find(ovly, &key));
	KUNIT_EXPECT_TRUE(test, ovly_route_find(ovly, &key)->system);
	KUNIT_EXPECT_EQ(test, one->n_routes, 0u);
	KUNIT_EXPECT_EQ(test,
			PTR_ERR(want(two, &key, MAKE_OR_MOVE, &extack)),
			(long)-EEXIST);
	ovly_fake_dev_free(ovly);
}

static void the_owner_of_an_address_takes_its_route(struct kunit *test)
{
	struct ovly_dev *ovly = ovly_fake_dev(test, OVLY_MODE_MULTIPOINT);
	struct ovly_peer *one = ovly_fake_peer(test, ovly, "one", 1), *two;
	struct ovly_route_key key = { .dst = ovly_fake_ip(10, 0, 0, 2), .len = 32 };
	struct netlink_ext_ack extack = {};

	KUNIT_EXPECT_FALSE(test, IS_ERR(want(one, &key, MAKE, &extack)));
	two = ovly_fake_peer(test, ovly, "two", 2);
	KUNIT_EXPECT_PTR_EQ(test, ovly_route_find(ovly, &key)->peer, two);
	KUNIT_EXPECT_TRUE(test, ovly_route_find(ovly, &key)->system);
	KUNIT_EXPECT_EQ(test, one->n_routes, 0u);
	ovly_fake_dev_free(ovly);
}

static void the_limit_refuses_one_more(struct kunit *test)
{
	struct ovly_dev *ovly = ovly_fake_dev(test, OVLY_MODE_MULTIPOINT);
	struct ovly_peer *one = ovly_fake_peer(test, ovly, "one", 1);
	struct ovly_peer *two = ovly_fake_peer(test, ovly, "two", 2);
	struct ovly_route_key a = key24(81, 0, 0), b = key24(82, 0, 0), c = key24(83, 0, 0);
	struct netlink_ext_ack extack = {};

	one->route_limit = 2;
	KUNIT_EXPECT_FALSE(test, IS_ERR(want(one, &a, MAKE, &extack)));
	KUNIT_EXPECT_FALSE(test, IS_ERR(want(one, &b, MAKE, &extack)));
	KUNIT_EXPECT_EQ(test, PTR_ERR(want(one, &c, MAKE, &extack)),
			(long)-ENOSPC);
	/* What it owns may be confirmed, and nothing more may be moved to it. */
	KUNIT_EXPECT_FALSE(test, IS_ERR(want(one, &a, MAKE_OR_MOVE, &extack)));
	KUNIT_EXPECT_FALSE(test, IS_ERR(want(two, &c, MAKE, &extack)));
	KUNIT_EXPECT_EQ(test, PTR_ERR(want(one, &c, MAKE_OR_MOVE, &extack)), (long)-ENOSPC);
	drop(ovly_route_find(ovly, &b));
	KUNIT_EXPECT_FALSE(test, IS_ERR(want(one, &c, MAKE_OR_MOVE, &extack)));
	ovly_fake_dev_free(ovly);
}

static void without_create_nothing_is_made(struct kunit *test)
{
	struct ovly_dev *ovly = ovly_fake_dev(test, OVLY_MODE_P2P);
	struct ovly_peer *hub = ovly_fake_peer(test, ovly, "hub", 1);
	struct ovly_route_key key = key24(81, 81, 81);
	struct netlink_ext_ack extack = {};

	KUNIT_EXPECT_EQ(test, PTR_ERR(want(hub, &key, NLM_F_REPLACE, &extack)), (long)-ENOENT);
	KUNIT_EXPECT_NULL(test, ovly_route_find(ovly, &key));
	ovly_fake_dev_free(ovly);
}

static void a_next_hop_is_found_by_the_longest_prefix(struct kunit *test)
{
	struct ovly_dev *ovly = ovly_fake_dev(test, OVLY_MODE_MULTIPOINT);
	struct ovly_peer *one = ovly_fake_peer(test, ovly, "one", 1);
	struct ovly_peer *two = ovly_fake_peer(test, ovly, "two", 2);
	struct ovly_route_key wide = { .dst = ovly_fake_ip(10, 122, 0, 0), .len = 16 };
	struct ovly_route_key narrow = { .dst = ovly_fake_ip(10, 122, 144, 128), .len = 27 };
	struct ovly_ip in = ovly_fake_ip(10, 122, 144, 146), beside = ovly_fake_ip(10, 122, 9, 9);
	struct ovly_ip system = ovly_fake_ip(10, 0, 0, 2), none = ovly_fake_ip(11, 0, 0, 1);
	struct netlink_ext_ack extack = {};

	want(one, &wide, MAKE, &extack);
	want(two, &narrow, MAKE, &extack);
	KUNIT_EXPECT_PTR_EQ(test, ovly_peer_find_via(ovly, &in), two);
	KUNIT_EXPECT_PTR_EQ(test, ovly_peer_find_via(ovly, &beside), one);
	KUNIT_EXPECT_PTR_EQ(test, ovly_peer_find_via(ovly, &system), two);
	KUNIT_EXPECT_NULL(test, ovly_peer_find_via(ovly, &none));
	ovly_fake_dev_free(ovly);
}

static void a_second_peer_with_the_address_is_refused(struct kunit *test)
{
	struct ovly_dev *ovly = ovly_fake_dev(test, OVLY_MODE_MULTIPOINT);
	struct ovly_peer_conf conf = {
		.name = "two",
		.addrs = { ovly_fake_ip(10, 0, 0, 7), ovly_fake_ip(10, 0, 0, 1) },
		.n_addrs = 2,
		.has_addrs = true,
	};
	struct netlink_ext_ack extack = {};

	ovly_fake_peer(test, ovly, "one", 1);
	KUNIT_EXPECT_EQ(test, PTR_ERR(ovly_peer_new(ovly, &conf, &extack)), (long)-EEXIST);
	KUNIT_EXPECT_NULL(test, ovly_peer_find_name(ovly, "two"));
	KUNIT_EXPECT_NULL(test, ovly_peer_find_via(ovly, &conf.addrs[0]));
	ovly_fake_dev_free(ovly);
}

static void the_next_hop_of_routes_cannot_be_taken_away(struct kunit *test)
{
	struct ovly_dev *ovly = ovly_fake_dev(test, OVLY_MODE_MULTIPOINT);
	struct ovly_peer *one = ovly_fake_peer(test, ovly, "one", 1);
	struct in6_addr six = { .s6_addr = { 0xfd, [15] = 1 } };
	struct ovly_peer_conf conf = {
		.addrs = { ovly_ip_v6(&six) },
		.n_addrs = 1,
		.has_addrs = true,
	};
	struct ovly_route_key key4 = key24(81, 81, 81), key6 = { .len = 32, .metric = 1024 };
	struct netlink_ext_ack extack = {};

	key6.dst = ovly_ip_prefix(&conf.addrs[0], 32);
	KUNIT_EXPECT_EQ(test, PTR_ERR(want(one, &key6, MAKE, &extack)),
			(long)-EAFNOSUPPORT);
	KUNIT_EXPECT_FALSE(test, IS_ERR(want(one, &key4, MAKE, &extack)));
	/* An IPv6 next hop does for both families (RFC 8950), an IPv4 one does not. */
	KUNIT_EXPECT_EQ(test, ovly_peer_set(one, &conf, &extack), 0);
	KUNIT_EXPECT_FALSE(test, IS_ERR(want(one, &key6, MAKE, &extack)));
	conf.addrs[0] = ovly_fake_ip(10, 0, 0, 9);
	KUNIT_EXPECT_EQ(test, ovly_peer_set(one, &conf, &extack), -EAFNOSUPPORT);
	KUNIT_EXPECT_NOT_ERR_OR_NULL(test, ovly_peer_addr(one, AF_INET6));
	ovly_fake_dev_free(ovly);
}

static void several_owners_make_one_group(struct kunit *test)
{
	struct ovly_dev *ovly = ovly_fake_dev(test, OVLY_MODE_MULTIPOINT);
	struct ovly_peer *peers[3] = {
		ovly_fake_peer(test, ovly, "one", 1),
		ovly_fake_peer(test, ovly, "two", 2),
		ovly_fake_peer(test, ovly, "three", 3),
	};
	struct ovly_route_key key = key24(81, 81, 81);
	struct netlink_ext_ack extack = {};
	struct ovly_route *route;

	KUNIT_EXPECT_FALSE(test, IS_ERR(want_all(peers, 2, &key, MAKE, &extack)));
	KUNIT_EXPECT_EQ(test, owners_of(ovly, &key), 2u);
	KUNIT_EXPECT_TRUE(test, ovly_route_is_shared(ovly_route_find(ovly, &key)));
	/* Others join with append only. */
	KUNIT_EXPECT_EQ(test, PTR_ERR(want(peers[2], &key, MAKE, &extack)), (long)-EEXIST);
	KUNIT_EXPECT_FALSE(test, IS_ERR(want(peers[2], &key, MAKE | NLM_F_APPEND, &extack)));
	KUNIT_EXPECT_EQ(test, owners_of(ovly, &key), 3u);
	KUNIT_EXPECT_EQ(test, PTR_ERR(want(peers[2], &key, MAKE | NLM_F_APPEND, &extack)),
			(long)-EEXIST);
	/* One goes, the others stay. */
	drop(ovly_route_find_of(ovly, &key, peers[1]));
	KUNIT_EXPECT_EQ(test, owners_of(ovly, &key), 2u);
	KUNIT_EXPECT_EQ(test, peers[1]->n_routes, 0u);
	/* Replace means exactly these. */
	route = want_all(peers + 1, 2, &key, MAKE_OR_MOVE, &extack);
	KUNIT_ASSERT_FALSE(test, IS_ERR(route));
	KUNIT_EXPECT_PTR_EQ(test, route->peer, peers[1]);
	KUNIT_EXPECT_EQ(test, owners_of(ovly, &key), 2u);
	KUNIT_EXPECT_NULL(test, ovly_route_find_of(ovly, &key, peers[0]));
	ovly_fake_dev_free(ovly);
}

static void a_refused_owner_refuses_all(struct kunit *test)
{
	struct ovly_dev *ovly = ovly_fake_dev(test, OVLY_MODE_MULTIPOINT);
	struct ovly_peer *peers[2] = {
		ovly_fake_peer(test, ovly, "one", 1),
		ovly_fake_peer(test, ovly, "two", 2),
	};
	struct ovly_route_key a = key24(81, 0, 0), b = key24(82, 0, 0);
	struct netlink_ext_ack extack = {};

	peers[1]->route_limit = 1;
	KUNIT_EXPECT_FALSE(test, IS_ERR(want(peers[1], &a, MAKE, &extack)));
	KUNIT_EXPECT_EQ(test, PTR_ERR(want_all(peers, 2, &b, MAKE, &extack)), (long)-ENOSPC);
	KUNIT_EXPECT_NULL(test, ovly_route_find(ovly, &b));
	KUNIT_EXPECT_FALSE(test, IS_ERR(want(peers[0], &b, MAKE, &extack)));
	KUNIT_EXPECT_EQ(test, PTR_ERR(want(peers[1], &b, MAKE | NLM_F_APPEND, &extack)),
			(long)-ENOSPC);
	KUNIT_EXPECT_EQ(test, owners_of(ovly, &b), 1u);
	ovly_fake_dev_free(ovly);
}

static void the_limit_can_disable_and_be_set_again(struct kunit *test)
{
	struct ovly_dev *ovly = ovly_fake_dev(test, OVLY_MODE_MULTIPOINT);
	struct ovly_peer *one = ovly_fake_peer(test, ovly, "one", 1);
	struct ovly_route_key a = key24(81, 0, 0), b = key24(82, 0, 0);
	struct ovly_peer_conf conf = {
		.has_route_limit = true, .route_limit = 1,
		.has_limit_action = true, .limit_action = OVLY_LIMIT_DISABLE,
	};
	struct netlink_ext_ack extack = {};

	KUNIT_EXPECT_EQ(test, ovly_peer_set(one, &conf, &extack), 0);
	KUNIT_EXPECT_FALSE(test, IS_ERR(want(one, &a, MAKE, &extack)));
	KUNIT_EXPECT_FALSE(test, one->routes_disabled);
	KUNIT_EXPECT_EQ(test, PTR_ERR(want(one, &b, MAKE, &extack)), (long)-ENOSPC);
	KUNIT_EXPECT_TRUE(test, one->routes_disabled);
	KUNIT_EXPECT_EQ(test, one->n_routes, 1u);
	KUNIT_EXPECT_TRUE(test, ovly_route_is_taught(ovly_route_find(ovly, &a)));
	/* To say the same again, as updown does, is not a decision. */
	KUNIT_EXPECT_EQ(test, ovly_peer_set(one, &conf, &extack), 0);
	KUNIT_EXPECT_TRUE(test, one->routes_disabled);
	conf.route_limit = 2;
	conf.renews_limit = true;
	KUNIT_EXPECT_EQ(test, ovly_peer_set(one, &conf, &extack), 0);
	KUNIT_EXPECT_FALSE(test, one->routes_disabled);
	KUNIT_EXPECT_FALSE(test, IS_ERR(want(one, &b, MAKE, &extack)));
	ovly_fake_dev_free(ovly);
}

static void a_limit_only_refuses_within_a_sweep(struct kunit *test)
{
	struct ovly_dev *ovly = ovly_fake_dev(test, OVLY_MODE_MULTIPOINT);
	struct ovly_peer *one = ovly_fake_peer(test, ovly, "one", 1);
	struct ovly_route_key a = key24(81, 0, 0), b = key24(82, 0, 0);
	struct ovly_route_want more = {
		.key = b, .protocol = RTPROT_BIRD, .flags = MAKE, .n_owners = 1,
		.owners = { one }, .sweeping = true,
	};
	struct netlink_ext_ack extack = {};

	one->route_limit = 1;
	one->limit_action = OVLY_LIMIT_DISABLE;
	KUNIT_EXPECT_FALSE(test, IS_ERR(want(one, &a, MAKE, &extack)));
	KUNIT_EXPECT_EQ(test, PTR_ERR(ovly_route_want(ovly, &more, &extack)), (long)-ENOSPC);
	KUNIT_EXPECT_FALSE(test, one->routes_disabled);
	more.sweeping = false;
	KUNIT_EXPECT_EQ(test, PTR_ERR(ovly_route_want(ovly, &more, &extack)), (long)-ENOSPC);
	KUNIT_EXPECT_TRUE(test, one->routes_disabled);
	ovly_fake_dev_free(ovly);
}

#define N_KEYS	64
#define N_PEERS	3
#define N_STEPS	4000

/* What is to be after a request, by bits of owners; 0 refuses it. */
static u8 model_want(u8 there, u8 wanted, u16 flags)
{
	if (flags & NLM_F_APPEND)
		return flags & NLM_F_REPLACE || !(there & wanted) ? there | wanted : 0;
	return flags & NLM_F_REPLACE || !there ? wanted : 0;
}

static u8 owner_bits(struct ovly_dev *ovly, const struct ovly_route_key *key,
		     struct ovly_peer **peers)
{
	u8 bits = 0;
	int i;

	for (i = 0; i < N_PEERS; i++)
		if (ovly_route_find_of(ovly, key, peers[i]))
			bits |= BIT(i);
	return bits;
}

/* Random adds, moves, joins and deletions against an array of owners. */
static void random_operations_agree_with_a_naive_model(struct kunit *test)
{
	static const u16 flags[] = {
		MAKE, MAKE_OR_MOVE, MAKE | NLM_F_APPEND, MAKE_OR_MOVE | NLM_F_APPEND,
	};
	struct ovly_dev *ovly = ovly_fake_dev(test, OVLY_MODE_MULTIPOINT);
	struct ovly_peer *peers[N_PEERS], *owners[N_PEERS];
	struct netlink_ext_ack extack = {};
	struct ovly_route *route;
	u8 model[N_KEYS] = {};
	struct rnd_state rnd;
	int i, n, step;

	prandom_seed_state(&rnd, 220);
	peers[0] = ovly_fake_peer(test, ovly, "a", 1);
	peers[1] = ovly_fake_peer(test, ovly, "b", 2);
	peers[2] = ovly_fake_peer(test, ovly, "c", 3);

	for (step = 0; step < N_STEPS; step++) {
		u32 r = prandom_u32_state(&rnd);
		u32 k = r % N_KEYS;
		struct ovly_route_key key = key24(100, 0, k);
		u8 wanted = (r >> 8) % 7 + 1, after;

		if (r & BIT(21)) {
			i = (r >> 12) % N_PEERS;
			route = ovly_route_find_of(ovly, &key, peers[i]);
			KUNIT_ASSERT_EQ(test, !!route, !!(model[k] & BIT(i)));
			if (route)
				drop(route);
			model[k] &= ~BIT(i);
			continue;
		}
		for (i = 0, n = 0; i < N_PEERS; i++)
			if (wanted & BIT(i))
				owners[n++] = peers[i];
		after = model_want(model[k], wanted, flags[r >> 30]);
		route = want_all(owners, n, &key, flags[r >> 30], &extack);
		KUNIT_ASSERT_EQ(test, !IS_ERR(route), !!after);
		model[k] = after ?: model[k];
		KUNIT_ASSERT_EQ(test, owner_bits(ovly, &key, peers), model[k]);
	}

	for (i = 0, n = 0; i < N_KEYS; i++)
		n += hweight8(model[i]);
	KUNIT_EXPECT_EQ(test, peers[0]->n_routes + peers[1]->n_routes + peers[2]->n_routes,
			(u32)n);
	KUNIT_EXPECT_EQ(test, ovly->n_routes, (u32)n + N_PEERS);
	ovly_fake_dev_free(ovly);
}

static u32 sweep(struct ovly_dev *ovly, const struct ovly_route_filter *filter)
{
	struct ovly_sync_batch batch;
	u32 removed;

	ovly_sync_begin(&batch, ovly);
	removed = ovly_sync_sweep(&batch, filter);
	ovly_sync_end(&batch);
	return removed;
}

static void a_sweep_takes_what_was_not_confirmed_since_its_begin(struct kunit *test)
{
	struct ovly_dev *ovly = ovly_fake_dev(test, OVLY_MODE_MULTIPOINT);
	struct ovly_peer *one = ovly_fake_peer(test, ovly, "one", 1);
	struct ovly_peer *two = ovly_fake_peer(test, ovly, "two", 2);
	struct ovly_route_key a = key24(81, 0, 0), b = key24(82, 0, 0), c = key24(83, 0, 0);
	struct ovly_route_filter filter = { .protocol = RTPROT_BIRD };
	struct netlink_ext_ack extack = {};
	struct ovly_route *other;

	want(one, &a, MAKE, &extack);
	want(one, &b, MAKE, &extack);
	other = want(two, &c, MAKE, &extack);
	KUNIT_ASSERT_FALSE(test, IS_ERR(other));
	filter.before = ++ovly->sweep_clock;
	/* A request that is refused confirms nothing. */
	KUNIT_EXPECT_EQ(test, PTR_ERR(want(one, &b, MAKE, &extack)), (long)-EEXIST);
	want(one, &a, MAKE_OR_MOVE, &extack);
	filter.peer = one;
	KUNIT_EXPECT_EQ(test, sweep(ovly, &filter), 1u);
	KUNIT_EXPECT_NOT_NULL(test, ovly_route_find(ovly, &a));
	KUNIT_EXPECT_NULL(test, ovly_route_find(ovly, &b));
	/* Of another peer, then of another protocol. */
	KUNIT_EXPECT_PTR_EQ(test, ovly_route_find(ovly, &c), other);
	filter.peer = NULL;
	other->protocol = RTPROT_BGP;
	KUNIT_EXPECT_EQ(test, sweep(ovly, &filter), 0u);
	other->protocol = RTPROT_BIRD;
	KUNIT_EXPECT_EQ(test, sweep(ovly, &filter), 1u);
	/* Without a begin all is meant, but for system addresses. */
	filter = (struct ovly_route_filter) {};
	KUNIT_EXPECT_EQ(test, sweep(ovly, &filter), 1u);
	KUNIT_EXPECT_EQ(test, ovly->n_routes, 2u);
	ovly_fake_dev_free(ovly);
}

/* Begins, confirmations and ends of two daemons, each with a protocol of its own. */
static void random_sweeps_agree_with_a_naive_model(struct kunit *test)
{
	static const u8 protocols[] = { RTPROT_BIRD, RTPROT_BGP };
	struct ovly_dev *ovly = ovly_fake_dev(test, OVLY_MODE_MULTIPOINT);
	struct ovly_peer *peer = ovly_fake_peer(test, ovly, "a", 1);
	struct netlink_ext_ack extack = {};
	u64 begin[2] = {}, stamp[2][N_KEYS] = {};
	struct rnd_state rnd;
	int step, d, k;

	prandom_seed_state(&rnd, 221);
	for (step = 0; step < N_STEPS; step++) {
		u32 r = prandom_u32_state(&rnd), gone = 0;
		struct ovly_route_filter filter = {};
		struct ovly_route_key key;
		struct ovly_route *route;

		d = r & 1;
		k = (r >> 8) % N_KEYS;
		if (r % 64 < 2) {
			begin[d] = ++ovly->sweep_clock;
		} else if (r % 64 < 4 && begin[d]) {
			filter.protocol = protocols[d];
			filter.before = begin[d];
			for (k = 0; k < N_KEYS; k++) {
				if (!stamp[d][k] || stamp[d][k] > begin[d])
					continue;
				stamp[d][k] = 0;
				gone++;
			}
			KUNIT_ASSERT_EQ(test, sweep(ovly, &filter), gone);
		} else {
			key = key24(100, d, k);
			route = want(peer, &key, MAKE_OR_MOVE, &extack);
			KUNIT_ASSERT_FALSE(test, IS_ERR(route));
			route->protocol = protocols[d];
			/* 0 is none: one more than the clock says. */
			stamp[d][k] = ovly->sweep_clock + 1;
		}
	}
	for (d = 0; d < 2; d++) {
		for (k = 0; k < N_KEYS; k++) {
			struct ovly_route_key key = key24(100, d, k);

			KUNIT_EXPECT_EQ(test, !!ovly_route_find(ovly, &key), !!stamp[d][k]);
		}
	}
	ovly_fake_dev_free(ovly);
}

static void what_the_table_refuses_is_as_it_was(struct kunit *test)
{
	struct ovly_dev *ovly = ovly_fake_dev(test, OVLY_MODE_MULTIPOINT);
	struct ovly_peer *one = ovly_fake_peer(test, ovly, "one", 1);
	struct ovly_peer *two = ovly_fake_peer(test, ovly, "two", 2);
	struct ovly_route_want wants = {
		.key = key24(93, 93, 93), .protocol = RTPROT_STATIC, .flags = MAKE_OR_MOVE,
		.n_owners = 2, .owners = { one, two },
	};
	struct netlink_ext_ack extack = {};
	struct ovly_sync_batch batch;
	struct ovly_route *route;
	u64 stamp = ++ovly->sweep_clock;

	route = want(one, &wants.key, MAKE, &extack);
	KUNIT_ASSERT_FALSE(test, IS_ERR(route));
	KUNIT_EXPECT_EQ(test, route->stamp, stamp);
	/* It is in the table, which from now on refuses: there is no such device. */
	ovly->sync.synced = atomic_read(&ovly->sync.epoch);
	ovly_sync_note(route, ovly->sync.synced);
	set_bit(__LINK_STATE_START, &ovly->dev->state);

	ovly->sweep_clock++;
	KUNIT_ASSERT_FALSE(test, IS_ERR(ovly_route_want(ovly, &wants, &extack)));
	ovly_sync_begin(&batch, ovly);
	ovly_sync_route(&batch, route);
	ovly_sync_end(&batch);
	KUNIT_EXPECT_EQ(test, owners_of(ovly, &wants.key), 1u);
	KUNIT_EXPECT_EQ(test, two->n_routes, 0u);
	KUNIT_EXPECT_TRUE(test, ovly_sync_installed(route));
	KUNIT_EXPECT_EQ(test, route->protocol, (u8)RTPROT_BIRD);
	KUNIT_EXPECT_EQ(test, route->stamp, stamp);
	KUNIT_EXPECT_EQ(test, route->err, 0);

	/* One that moves stays with its owner. */
	wants.owners[0] = two;
	wants.n_owners = 1;
	KUNIT_ASSERT_FALSE(test, IS_ERR(ovly_route_want(ovly, &wants, &extack)));
	ovly_sync_begin(&batch, ovly);
	ovly_sync_route(&batch, route);
	ovly_sync_end(&batch);
	KUNIT_EXPECT_EQ(test, owners_of(ovly, &wants.key), 1u);
	KUNIT_EXPECT_PTR_EQ(test, ovly_route_find(ovly, &wants.key), route);
	KUNIT_EXPECT_FALSE(test, route->doomed);

	clear_bit(__LINK_STATE_START, &ovly->dev->state);
	ovly_fake_dev_free(ovly);
}

static struct kunit_case ovly_route_cases[] = {
	KUNIT_CASE(a_prefix_has_one_owner),
	KUNIT_CASE(a_confirmed_route_is_left_alone),
	KUNIT_CASE(metrics_make_routes_differ),
	KUNIT_CASE(the_system_address_is_not_for_others),
	KUNIT_CASE(the_owner_of_an_address_takes_its_route),
	KUNIT_CASE(the_limit_refuses_one_more),
	KUNIT_CASE(without_create_nothing_is_made),
	KUNIT_CASE(a_next_hop_is_found_by_the_longest_prefix),
	KUNIT_CASE(a_second_peer_with_the_address_is_refused),
	KUNIT_CASE(the_next_hop_of_routes_cannot_be_taken_away),
	KUNIT_CASE(several_owners_make_one_group),
	KUNIT_CASE(a_refused_owner_refuses_all),
	KUNIT_CASE(the_limit_can_disable_and_be_set_again),
	KUNIT_CASE(a_limit_only_refuses_within_a_sweep),
	KUNIT_CASE(what_the_table_refuses_is_as_it_was),
	KUNIT_CASE(random_operations_agree_with_a_naive_model),
	KUNIT_CASE(a_sweep_takes_what_was_not_confirmed_since_its_begin),
	KUNIT_CASE(random_sweeps_agree_with_a_naive_model),
	{}
};

struct kunit_suite ovly_route_suite = {
	.name = "ovly_route",
	.test_cases = ovly_route_cases,
};
