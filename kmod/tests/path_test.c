// SPDX-License-Identifier: GPL-2.0
#include <kunit/test.h>
#include <linux/xfrm.h>
#include <net/net_namespace.h>
#include <net/xfrm.h>

#include "endpoint.h"
#include "net.h"
#include "path.h"
#include "sa_watch.h"
#include "underlay.h"
#include "tests/fake.h"
#include "tests/suites.h"

#define ENDPOINT	ovly_fake_ip(192, 0, 2, 1)

/* An outbound SA of @if_id towards 192.0.2.@host, which XFRM does not know. */
static struct xfrm_state *make_sa(struct kunit *test, u32 if_id, u8 host, u32 spi)
{
	struct xfrm_state *x = xfrm_state_alloc(&init_net);

	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, x);
	x->if_id = if_id;
	x->id.proto = IPPROTO_ESP;
	x->id.spi = htonl(spi);
	x->id.daddr.a4 = ovly_fake_ip(192, 0, 2, host).v4;
	x->props.family = AF_INET;
	x->props.mode = XFRM_MODE_TUNNEL;
	return x;
}

/* Reports what is called @x to the key managers, and frees it. */
static void report(struct xfrm_state *x, int event)
{
	struct km_event c = { .event = event, .net = &init_net };

	if (event == XFRM_MSG_EXPIRE)
		c.data.hard = 1;
	km_state_notify(x, &c);
	x->km.state = XFRM_STATE_DEAD;
	xfrm_state_put(x);
}

static void sa_event(struct kunit *test, u32 if_id, u8 host, u32 spi, int event)
{
	report(make_sa(test, if_id, host, spi), event);
}

static struct ovly_path *new_path(struct kunit *test, struct ovly_peer *peer, u32 if_id,
				  u32 priority)
{
	struct ovly_path_conf conf = {
		.if_id_in = if_id,
		.endpoint = ENDPOINT,
		.has_priority = true,
		.priority = priority,
	};
	struct netlink_ext_ack extack = {};

	KUNIT_ASSERT_EQ_MSG(test, ovly_path_new(peer, &conf, &extack), 0, "%s", extack._msg);
	return list_first_entry(&peer->paths, struct ovly_path, list);
}

static struct ovly_path *active(struct ovly_peer *peer)
{
	return rcu_dereference_raw(peer->active);
}

static void path_without_an_sa_is_not_taken(struct kunit *test)
{
	struct ovly_dev *ovly = ovly_fake_dev(test, OVLY_MODE_P2P);
	struct ovly_peer *peer = ovly_fake_peer(test, ovly, "hub", 1);
	struct ovly_path *path = new_path(test, peer, 0x7001, 100);

	KUNIT_EXPECT_FALSE(test, ovly_peer_is_up(peer));
	sa_event(test, 0x7001, 1, 1, XFRM_MSG_NEWSA);
	KUNIT_EXPECT_PTR_EQ(test, active(peer), path);
	KUNIT_EXPECT_EQ(test, path->state, (u32)OVLY_PATH_ACTIVE);
	KUNIT_EXPECT_EQ(test, peer->transitions, 1u);
	sa_event(test, 0x7001, 1, 1, XFRM_MSG_DELSA);
	KUNIT_EXPECT_FALSE(test, ovly_peer_is_up(peer));
	ovly_fake_dev_free(ovly);
}

static void rekey_keeps_the_path_up(struct kunit *test)
{
	struct ovly_dev *ovly = ovly_fake_dev(test, OVLY_MODE_P2P);
	struct ovly_peer *peer = ovly_fake_peer(test, ovly, "hub", 1);
	struct ovly_path *path = new_path(test, peer, 0x7002, 100);

	sa_event(test, 0x7002, 1, 1, XFRM_MSG_NEWSA);
	sa_event(test, 0x7002, 1, 2, XFRM_MSG_NEWSA);
	KUNIT_EXPECT_EQ(test, path->sa_out, 2u);
	sa_event(test, 0x7002, 1, 1, XFRM_MSG_EXPIRE);
	KUNIT_EXPECT_PTR_EQ(test, active(peer), path);
	KUNIT_EXPECT_EQ(test, path->sa_out, 1u);
	KUNIT_EXPECT_EQ(test, peer->transitions, 1u);
	sa_event(test, 0x7002, 1, 2, XFRM_MSG_DELSA);
	ovly_fake_dev_free(ovly);
}

static void lowest_priority_then_newest_wins(struct kunit *test)
{
	struct ovly_dev *ovly = ovly_fake_dev(test, OVLY_MODE_P2P);
	struct ovly_peer *peer = ovly_fake_peer(test, ovly, "hub", 1);
	struct ovly_path *standby = new_path(test, peer, 0x7003, 200);
	struct ovly_path *old = new_path(test, peer, 0x7004, 100);
	struct ovly_path *new;

	sa_event(test, 0x7003, 1, 3, XFRM_MSG_NEWSA);
	KUNIT_EXPECT_PTR_EQ(test, active(peer), standby);
	sa_event(test, 0x7004, 1, 4, XFRM_MSG_NEWSA);
	KUNIT_EXPECT_PTR_EQ(test, active(peer), old);
	KUNIT_EXPECT_EQ(test, standby->state, (u32)OVLY_PATH_STANDBY);

	/* Reauthentication under a new id, make before break. */
	sa_event(test, 0x7005, 1, 5, XFRM_MSG_NEWSA);
	new = new_path(test, peer, 0x7005, 100);
	KUNIT_EXPECT_PTR_EQ(test, active(peer), new);
	ovly_path_del(old);
	KUNIT_EXPECT_PTR_EQ(test, active(peer), new);
	ovly_path_del(new);
	KUNIT_EXPECT_PTR_EQ(test, active(peer), standby);
	KUNIT_EXPECT_EQ(test, peer->transitions, 1u);

	sa_event(test, 0x7003, 1, 3, XFRM_MSG_DELSA);
	sa_event(test, 0x7004, 1, 4, XFRM_MSG_DELSA);
	sa_event(test, 0x7005, 1, 5, XFRM_MSG_DELSA);
	ovly_fake_dev_free(ovly);
}

static void sa_of_somebody_else_with_the_same_if_id_is_not_taken(struct kunit *test)
{
	struct ovly_dev *ovly = ovly_fake_dev(test, OVLY_MODE_P2P);
	struct ovly_peer *peer = ovly_fake_peer(test, ovly, "hub", 1);

	new_path(test, peer, 0x7006, 100);
	sa_event(test, 0x7006, 99, 6, XFRM_MSG_NEWSA);
	KUNIT_EXPECT_FALSE(test, ovly_peer_is_up(peer));
	sa_event(test, 0x7006, 99, 6, XFRM_MSG_DELSA);
	ovly_fake_dev_free(ovly);
}

static void endpoint_follows_an_sa_that_keeps_its_spi(struct kunit *test)
{
	struct ovly_dev *ovly = ovly_fake_dev(test, OVLY_MODE_P2P);
	struct ovly_peer *peer = ovly_fake_peer(test, ovly, "hub", 1);
	struct ovly_path *path = new_path(test, peer, 0x7007, 100);
	struct ovly_ip moved = ovly_fake_ip(192, 0, 2, 77);

	sa_event(test, 0x7007, 1, 7, XFRM_MSG_NEWSA);
	sa_event(test, 0x7007, 1, 7, XFRM_MSG_DELSA);
	sa_event(test, 0x7007, 77, 7, XFRM_MSG_NEWSA);
	KUNIT_EXPECT_PTR_EQ(test, active(peer), path);
	KUNIT_EXPECT_TRUE(test, ovly_ip_eq(&path->endpoint, &moved));
	sa_event(test, 0x7007, 77, 7, XFRM_MSG_DELSA);
	ovly_fake_dev_free(ovly);
}

static void flush_takes_all_sas(struct kunit *test)
{
	struct km_event flush = { .event = XFRM_MSG_FLUSHSA, .net = &init_net };
	struct ovly_dev *ovly = ovly_fake_dev(test, OVLY_MODE_P2P);
	struct ovly_peer *peer = ovly_fake_peer(test, ovly, "hub", 1);

	new_path(test, peer, 0x7008, 100);
	sa_event(test, 0x7008, 1, 8, XFRM_MSG_NEWSA);
	KUNIT_EXPECT_TRUE(test, ovly_peer_is_up(peer));
	flush.data.proto = IPPROTO_AH;
	km_state_notify(NULL, &flush);
	KUNIT_EXPECT_TRUE(test, ovly_peer_is_up(peer));
	flush.data.proto = IPPROTO_ESP;
	km_state_notify(NULL, &flush);
	KUNIT_EXPECT_FALSE(test, ovly_peer_is_up(peer));
	ovly_fake_dev_free(ovly);
}

static struct ovly_underlay *only_underlay(void)
{
	struct ovly_net *on = ovly_net(&init_net);

	return list_is_singular(&on->underlays) ?
	       list_first_entry(&on->underlays, struct ovly_underlay, list) : NULL;
}

static struct ovly_endpoint *first_endpoint(struct ovly_peer *peer)
{
	return list_first_entry(&peer->endpoints, struct ovly_endpoint, list);
}

/* Underlay and endpoint live as long as a path, or a request, has a use for them. */
static void a_path_gives_back_what_it_holds(struct kunit *test)
{
	struct ovly_dev *ovly = ovly_fake_dev(test, OVLY_MODE_MULTIPOINT);
	struct ovly_peer *one = ovly_fake_peer(test, ovly, "one", 1);
	struct ovly_peer *two = ovly_fake_peer(test, ovly, "two", 2);
	struct ovly_path_conf conf = {
		.if_id_in = 0x7020, .endpoint = ENDPOINT,
		.has_underlay = true, .underlay = LOOPBACK_IFINDEX,
	};
	struct ovly_net *on = ovly_net(&init_net);
	struct netlink_ext_ack extack = {};
	struct ovly_path *path;

	KUNIT_ASSERT_TRUE(test, list_empty(&on->underlays));
	KUNIT_EXPECT_EQ(test, ovly_path_new(one, &conf, &extack), 0);
	conf.if_id_in = 0x7021;
	KUNIT_EXPECT_EQ(test, ovly_path_new(one, &conf, &extack), 0);
	KUNIT_ASSERT_NOT_NULL(test, only_underlay());
	KUNIT_EXPECT_EQ(test, only_underlay()->users, 2u);
	KUNIT_EXPECT_EQ(test, first_endpoint(one)->paths, 2u);
	/* One that is refused holds nothing. */
	KUNIT_EXPECT_EQ(test, ovly_path_new(two, &conf, &extack), -EEXIST);
	KUNIT_EXPECT_EQ(test, only_underlay()->users, 2u);
	KUNIT_EXPECT_TRUE(test, list_empty(&two->endpoints));
	/* One that moves takes its own along. */
	path = xa_load(&on->paths_in, 0x7021);
	KUNIT_EXPECT_EQ(test, ovly_path_move(path, two, &conf, &extack), 0);
	KUNIT_EXPECT_EQ(test, only_underlay()->users, 2u);
	KUNIT_EXPECT_EQ(test, first_endpoint(one)->paths, 1u);
	KUNIT_EXPECT_EQ(test, first_endpoint(two)->paths, 1u);
	/* Said again, and taken back. */
	path = xa_load(&on->paths_in, 0x7021);
	KUNIT_EXPECT_EQ(test, ovly_path_set(path, &conf, &extack), 0);
	KUNIT_EXPECT_EQ(test, only_underlay()->users, 2u);
	KUNIT_EXPECT_EQ(test, first_endpoint(two)->paths, 1u);
	conf.underlay = 0;
	KUNIT_EXPECT_EQ(test, ovly_path_set(path, &conf, &extack), 0);
	KUNIT_EXPECT_EQ(test, only_underlay()->users, 1u);
	ovly_path_del(xa_load(&on->paths_in, 0x7020));
	KUNIT_EXPECT_TRUE(test, list_empty(&on->underlays));
	/* A peer remembers where it was. */
	KUNIT_EXPECT_EQ(test, first_endpoint(one)->paths, 0u);
	ovly_peer_del(two);
	KUNIT_EXPECT_NULL(test, xa_load(&on->paths_in, 0x7021));
	KUNIT_EXPECT_NULL(test, xa_load(&on->paths_out, 0x7021));
	ovly_fake_dev_free(ovly);
}

static void if_id_belongs_to_one_path(struct kunit *test)
{
	struct ovly_dev *ovly = ovly_fake_dev(test, OVLY_MODE_MULTIPOINT);
	struct ovly_peer *one = ovly_fake_peer(test, ovly, "one", 1);
	struct ovly_peer *two = ovly_fake_peer(test, ovly, "two", 2);
	struct ovly_path_conf conf = { .if_id_in = 0x7009 };
	struct netlink_ext_ack extack = {};

	KUNIT_EXPECT_EQ(test, ovly_path_new(one, &conf, &extack), 0);
	KUNIT_EXPECT_EQ(test, ovly_path_new(two, &conf, &extack), -EEXIST);
	KUNIT_EXPECT_EQ(test, two->n_paths, 0u);
	/* An outbound id of its own does not help if the inbound one is taken. */
	conf.if_id_out = 0x700a;
	KUNIT_EXPECT_EQ(test, ovly_path_new(two, &conf, &extack), -EEXIST);
	conf.if_id_in = 0x700a;
	KUNIT_EXPECT_EQ(test, ovly_path_new(two, &conf, &extack), 0);
	ovly_fake_dev_free(ovly);
}

static void the_backup_is_what_a_peer_names(struct kunit *test)
{
	struct ovly_dev *ovly = ovly_fake_dev(test, OVLY_MODE_MULTIPOINT);
	struct ovly_peer *one = ovly_fake_peer(test, ovly, "one", 1);
	struct ovly_peer *two = ovly_fake_peer(test, ovly, "two", 2);
	struct ovly_peer_conf conf = { .has_backup = true, .backup = two };
	struct netlink_ext_ack extack = {};

	KUNIT_EXPECT_EQ(test, ovly_peer_set(one, &conf, &extack), 0);
	KUNIT_EXPECT_PTR_EQ(test, rcu_dereference_raw(one->backup), two);
	KUNIT_EXPECT_FALSE(test, ovly_peer_is_reachable(one));
	new_path(test, two, 0x700b, 100);
	sa_event(test, 0x700b, 1, 11, XFRM_MSG_NEWSA);
	KUNIT_EXPECT_FALSE(test, ovly_peer_is_up(one));
	KUNIT_EXPECT_TRUE(test, ovly_peer_is_reachable(one));
	/* Not the other way round, and nobody backs himself. */
	sa_event(test, 0x700b, 1, 11, XFRM_MSG_DELSA);
	new_path(test, one, 0x700c, 100);
	sa_event(test, 0x700c, 1, 12, XFRM_MSG_NEWSA);
	KUNIT_EXPECT_FALSE(test, ovly_peer_is_reachable(two));
	conf.backup = one;
	KUNIT_EXPECT_EQ(test, ovly_peer_set(one, &conf, &extack), -EINVAL);
	KUNIT_EXPECT_PTR_EQ(test, rcu_dereference_raw(one->backup), two);
	/* Two may back each other. */
	KUNIT_EXPECT_EQ(test, ovly_peer_set(two, &conf, &extack), 0);
	KUNIT_EXPECT_TRUE(test, ovly_peer_is_reachable(two));
	sa_event(test, 0x700c, 1, 12, XFRM_MSG_DELSA);
	/* A backup that is deleted backs nobody. */
	ovly_peer_del(two);
	KUNIT_EXPECT_NULL(test, rcu_dereference_raw(one->backup));
	KUNIT_EXPECT_TRUE(test, list_empty(&one->backs));
	ovly_fake_dev_free(ovly);
}

static void a_moved_path_is_never_missing(struct kunit *test)
{
	struct ovly_dev *ovly = ovly_fake_dev(test, OVLY_MODE_MULTIPOINT);
	struct ovly_peer *one = ovly_fake_peer(test, ovly, "one", 1);
	struct ovly_peer *two = ovly_fake_peer(test, ovly, "two", 2);
	struct ovly_path *other = new_path(test, two, 0x700e, 100);
	struct ovly_path *path = new_path(test, one, 0x700d, 100);
	struct ovly_path_conf conf = { .if_id_in = 0x700d, .if_id_out = 0x700e };
	struct ovly_net *on = ovly_net(&init_net);
	struct netlink_ext_ack extack = {};

	/* Refused, and as it was: the outbound id is another path's. */
	KUNIT_EXPECT_EQ(test, ovly_path_move(path, two, &conf, &extack), -EEXIST);
	KUNIT_EXPECT_PTR_EQ(test, xa_load(&on->paths_in, 0x700d), (void *)path);
	KUNIT_EXPECT_PTR_EQ(test, xa_load(&on->paths_out, 0x700d), (void *)path);
	KUNIT_EXPECT_PTR_EQ(test, xa_load(&on->paths_out, 0x700e), (void *)other);

	conf.if_id_out = 0x700f;
	KUNIT_EXPECT_EQ(test, ovly_path_move(path, two, &conf, &extack), 0);
	path = xa_load(&on->paths_in, 0x700d);
	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, path);
	KUNIT_EXPECT_PTR_EQ(test, path->peer, two);
	KUNIT_EXPECT_PTR_EQ(test, xa_load(&on->paths_out, 0x700f), (void *)path);
	KUNIT_EXPECT_NULL(test, xa_load(&on->paths_out, 0x700d));
	KUNIT_EXPECT_EQ(test, one->n_paths, 0u);
	KUNIT_EXPECT_EQ(test, two->n_paths, 2u);
	ovly_fake_dev_free(ovly);
}

static void an_sa_that_changes_its_if_id_changes_its_path(struct kunit *test)
{
	struct ovly_dev *ovly = ovly_fake_dev(test, OVLY_MODE_P2P);
	struct ovly_peer *peer = ovly_fake_peer(test, ovly, "hub", 1);
	struct ovly_path *from = new_path(test, peer, 0x7010, 100);
	struct ovly_path *to = new_path(test, peer, 0x7011, 100);

	sa_event(test, 0x7010, 1, 16, XFRM_MSG_NEWSA);
	KUNIT_EXPECT_PTR_EQ(test, active(peer), from);
	sa_event(test, 0x7011, 1, 16, XFRM_MSG_UPDSA);
	KUNIT_EXPECT_PTR_EQ(test, active(peer), to);
	KUNIT_EXPECT_EQ(test, from->sa_out, 0u);
	/* XFRM takes none for "as it is". */
	sa_event(test, 0, 1, 16, XFRM_MSG_UPDSA);
	KUNIT_EXPECT_PTR_EQ(test, active(peer), to);
	sa_event(test, 0x7011, 1, 16, XFRM_MSG_DELSA);
	KUNIT_EXPECT_FALSE(test, ovly_peer_is_up(peer));
	ovly_fake_dev_free(ovly);
}

static void an_update_that_names_no_mode_changes_nothing(struct kunit *test)
{
	struct ovly_dev *ovly = ovly_fake_dev(test, OVLY_MODE_P2P);
	struct ovly_peer *peer = ovly_fake_peer(test, ovly, "hub", 1);
	struct ovly_path *path = new_path(test, peer, 0x7012, 100);
	struct xfrm_state *x;

	sa_event(test, 0x7012, 1, 18, XFRM_MSG_NEWSA);
	/* Which is that of transport mode, and XFRM does not look at it. */
	x = make_sa(test, 0x7012, 1, 18);
	x->props.mode = XFRM_MODE_TRANSPORT;
	report(x, XFRM_MSG_UPDSA);
	KUNIT_EXPECT_PTR_EQ(test, active(peer), path);
	/* A new one is what it says. */
	x = make_sa(test, 0x7012, 1, 18);
	x->props.mode = XFRM_MODE_TRANSPORT;
	report(x, XFRM_MSG_NEWSA);
	KUNIT_EXPECT_FALSE(test, ovly_peer_is_up(peer));
	ovly_fake_dev_free(ovly);
}

/* As a packet would have it that meets no SA. */
static void look_at_all_sas(void)
{
	struct ovly_net *on = ovly_net(&init_net);

	on->sa_doubt_next = jiffies;
	ovly_sa_doubt(on);
	flush_delayed_work(&on->sa_rescan);
}

static void sas_that_come_and_go_without_a_word_are_found(struct kunit *test)
{
	struct ovly_dev *ovly = ovly_fake_dev(test, OVLY_MODE_P2P);
	struct ovly_peer *peer = ovly_fake_peer(test, ovly, "hub", 1);
	struct ovly_path *path = new_path(test, peer, 0x7013, 100);
	struct xfrm_state *x = make_sa(test, 0x7013, 1, 19);

	x->km.state = XFRM_STATE_VALID;
	KUNIT_ASSERT_EQ(test, xfrm_state_add(x), 0);
	KUNIT_EXPECT_FALSE(test, ovly_peer_is_up(peer));
	look_at_all_sas();
	KUNIT_EXPECT_PTR_EQ(test, active(peer), path);
	xfrm_state_hold(x);
	KUNIT_EXPECT_EQ(test, xfrm_state_delete(x), 0);
	xfrm_state_put(x);
	KUNIT_EXPECT_TRUE(test, ovly_peer_is_up(peer));
	look_at_all_sas();
	KUNIT_EXPECT_FALSE(test, ovly_peer_is_up(peer));
	KUNIT_EXPECT_EQ(test, path->sa_out, 0u);
	ovly_fake_dev_free(ovly);
}

static struct kunit_case ovly_path_cases[] = {
	KUNIT_CASE(path_without_an_sa_is_not_taken),
	KUNIT_CASE(rekey_keeps_the_path_up),
	KUNIT_CASE(lowest_priority_then_newest_wins),
	KUNIT_CASE(sa_of_somebody_else_with_the_same_if_id_is_not_taken),
	KUNIT_CASE(endpoint_follows_an_sa_that_keeps_its_spi),
	KUNIT_CASE(flush_takes_all_sas),
	KUNIT_CASE(a_path_gives_back_what_it_holds),
	KUNIT_CASE(if_id_belongs_to_one_path),
	KUNIT_CASE(the_backup_is_what_a_peer_names),
	KUNIT_CASE(a_moved_path_is_never_missing),
	KUNIT_CASE(an_sa_that_changes_its_if_id_changes_its_path),
	KUNIT_CASE(an_update_that_names_no_mode_changes_nothing),
	KUNIT_CASE(sas_that_come_and_go_without_a_word_are_found),
	{}
};

struct kunit_suite ovly_path_suite = {
	.name = "ovly_path",
	.test_cases = ovly_path_cases,
};
