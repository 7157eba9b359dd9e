// SPDX-License-Identifier: GPL-2.0-only
#include <linux/rtnetlink.h>

#include "test.h"

#include "../bridge.h"
#include "../names.h"
#include "../nexthop.h"

#define IPSEC0 10
#define OVLY0 20
#define OVLY1 30
#define ETH0 2

static struct ovly_peer peer(uint32_t id, const char *a, const char *b)
{
	struct ovly_peer p = { .has = HAS(OVLY_A_PEER_ID), .id = id };

	if (a)
		p.addr.a[p.addr.n++] = test_addr(a);
	if (b)
		p.addr.a[p.addr.n++] = test_addr(b);
	return p;
}

/* A p2p device with its peer, and a multipoint one with two. */
static int setup(void **state)
{
	static struct nexthops nh;
	struct ovly_peer p;

	memset(&nh, 0, sizeof(nh));
	nexthops_dev_add(&nh, IPSEC0, "ipsec0", OVLY_MODE_P2P);
	nexthops_dev_add(&nh, OVLY0, "ovly0", OVLY_MODE_MULTIPOINT);
	p = peer(7, "166.34.121.112", NULL);
	nexthops_peer_add(&nh, IPSEC0, &p);
	p = peer(1, "10.122.144.146", "2001:db8::146");
	nexthops_peer_add(&nh, OVLY0, &p);
	p = peer(2, "10.122.144.178", NULL);
	nexthops_peer_add(&nh, OVLY0, &p);
	*state = &nh;
	return 0;
}

static int teardown(void **state)
{
	nexthops_clear(*state);
	return 0;
}

static enum nexthop_result map(const struct nexthops *nh, const char *dst,
			       const char *gateway, uint32_t oif,
			       uint32_t *ifindex, struct ovly_route *route)
{
	struct ovly_staged staged = {
		.dst = test_prefix(dst), .hops = 1,
		.hop = { { .gateway = test_addr(gateway), .oif = oif } },
	};
	struct nexthop_found found;
	enum nexthop_result result;

	memset(route, 0, sizeof(*route));
	result = nexthops_map(nh, &staged, &found, route);
	*ifindex = found.ifindex;
	return result;
}

/* gateways "a b ...", all over device "oif" */
static enum nexthop_result map_hops(const struct nexthops *nh,
				    const char *gateways, uint32_t oif,
				    struct nexthop_found *found,
				    struct ovly_route *route)
{
	struct ovly_staged staged = { .dst = test_prefix("10.50.0.0/16") };
	char buf[256];
	char *word;

	snprintf(buf, sizeof(buf), "%s", gateways);
	for (word = strtok(buf, " "); word; word = strtok(NULL, " ")) {
		staged.hop[staged.hops].gateway = test_addr(word);
		staged.hop[staged.hops++].oif = oif;
	}
	memset(route, 0, sizeof(*route));
	return nexthops_map(nh, &staged, found, route);
}

static void gateway_of_a_p2p_device(void **state)
{
	struct ovly_route r;
	uint32_t dev;

	/* "81.81.81.1 via 166.34.121.112 dev ipsec0 proto bird metric 32" */
	assert_int_equal(map(*state, "81.81.81.1/32", "166.34.121.112", IPSEC0,
			     &dev, &r), NEXTHOP_PEER);
	assert_int_equal(dev, IPSEC0);
	assert_addr(&r.dst, "81.81.81.1");
	assert_int_equal(r.prefixlen, 32);
	assert_true(r.has & HAS(OVLY_A_ROUTE_VIA));
	assert_addr(&r.via, "166.34.121.112");
}

static void p2p_device_without_or_with_any_gateway_means_its_peer(void **state)
{
	struct ovly_route r;
	uint32_t dev;

	assert_int_equal(map(*state, "91.91.91.0/24", "", IPSEC0, &dev, &r),
			 NEXTHOP_PEER);
	assert_true(r.has & HAS(OVLY_A_ROUTE_PEER_ID));
	assert_int_equal(r.peer_id, 7);
	assert_int_equal(map(*state, "91.91.91.0/24", "192.0.2.1", IPSEC0,
			     &dev, &r), NEXTHOP_PEER);
	assert_int_equal(r.peer_id, 7);
	assert_false(r.has & HAS(OVLY_A_ROUTE_VIA));
}

static void p2p_device_without_peer_has_nobody(void **state)
{
	struct nexthops *nh = *state;
	struct ovly_route r;
	uint32_t dev;

	nexthops_dev_add(nh, OVLY1, "ovly1", OVLY_MODE_P2P);
	assert_int_equal(map(nh, "91.91.91.0/24", "", OVLY1, &dev, &r),
			 NEXTHOP_NONE);
	assert_int_equal(dev, OVLY1);
}

static void multipoint_leaves_the_gateway_to_the_module(void **state)
{
	struct ovly_route r;
	uint32_t dev;

	assert_int_equal(map(*state, "10.1.0.0/16", "10.122.144.178", OVLY0,
			     &dev, &r), NEXTHOP_PEER);
	assert_addr(&r.via, "10.122.144.178");
	/* no peer has it, but a peer may own a prefix that covers it */
	assert_int_equal(map(*state, "10.1.0.0/16", "10.122.144.130", OVLY0,
			     &dev, &r), NEXTHOP_PEER);
	assert_addr(&r.via, "10.122.144.130");
	assert_int_equal(map(*state, "10.1.0.0/16", "", OVLY0, &dev, &r),
			 NEXTHOP_NONE);
}

static void other_families_gateway_is_passed_on(void **state)
{
	struct ovly_route r;
	uint32_t dev;

	assert_int_equal(map(*state, "10.1.0.0/16", "2001:db8::146", OVLY0,
			     &dev, &r), NEXTHOP_PEER);
	assert_int_equal(r.via.family, AF_INET6);
}

static void foreign_device_is_found_by_the_gateway(void **state)
{
	struct ovly_route r;
	uint32_t dev;

	assert_int_equal(map(*state, "10.1.0.0/16", "10.122.144.146", ETH0,
			     &dev, &r), NEXTHOP_PEER);
	assert_int_equal(dev, OVLY0);
	assert_int_equal(map(*state, "10.1.0.0/16", "166.34.121.112", 0, &dev,
			     &r), NEXTHOP_PEER);
	assert_int_equal(dev, IPSEC0);
	assert_int_equal(map(*state, "10.1.0.0/16", "192.0.2.1", ETH0, &dev,
			     &r), NEXTHOP_NONE);
	assert_int_equal(dev, 0);
}

static void own_system_address_of_a_peer_is_skipped(void **state)
{
	struct ovly_route r;
	uint32_t dev;

	assert_int_equal(map(*state, "166.34.121.112/32", "166.34.121.112",
			     IPSEC0, &dev, &r), NEXTHOP_SYSTEM);
	assert_int_equal(map(*state, "2001:db8::146/128", "2001:db8::146",
			     OVLY0, &dev, &r), NEXTHOP_SYSTEM);
	/* on the other device it is a route like any */
	assert_int_equal(map(*state, "10.122.144.146/32", "", IPSEC0, &dev,
			     &r), NEXTHOP_PEER);
	assert_int_equal(map(*state, "166.34.121.0/24", "166.34.121.112",
			     IPSEC0, &dev, &r), NEXTHOP_PEER);
}

static void same_address_on_two_devices(void **state)
{
	struct nexthops *nh = *state;
	struct ovly_peer p = peer(9, "166.34.121.112", NULL);
	struct ovly_route r;
	uint32_t dev;

	nexthops_dev_add(nh, OVLY1, "ovly1", OVLY_MODE_MULTIPOINT);
	nexthops_peer_add(nh, OVLY1, &p);
	assert_int_equal(map(nh, "10.1.0.0/16", "166.34.121.112", OVLY1, &dev,
			     &r), NEXTHOP_PEER);
	assert_int_equal(dev, OVLY1);
	assert_int_equal(map(nh, "10.1.0.0/16", "166.34.121.112", ETH0, &dev,
			     &r), NEXTHOP_PEER);
	assert_int_equal(dev, IPSEC0);
}

static void each_next_hop_of_a_multipoint_route_is_an_owner(void **state)
{
	struct nexthop_found found;
	struct ovly_route r;

	assert_int_equal(map_hops(*state, "10.122.144.146 10.122.144.178",
				  OVLY0, &found, &r), NEXTHOP_PEER);
	assert_int_equal(found.ifindex, OVLY0);
	assert_int_equal(found.known, 2);
	assert_int_equal(found.left_out, 0);
	assert_addr(&r.via, "10.122.144.146");
	assert_int_equal(r.more.n, 1);
	assert_addr(&r.more.o[0].via, "10.122.144.178");
	/* two addresses of one peer are one owner */
	assert_int_equal(map_hops(*state, "10.122.144.146 2001:db8::146", OVLY0,
				  &found, &r), NEXTHOP_PEER);
	assert_int_equal(found.known, 1);
	assert_int_equal(r.more.n, 0);
}

static void next_hops_that_peers_have_come_first(void **state)
{
	struct nexthop_found found;
	struct ovly_route r;

	assert_int_equal(map_hops(*state,
				  "10.9.9.9 10.122.144.178 10.9.9.8 10.9.9.9",
				  OVLY0, &found, &r), NEXTHOP_PEER);
	assert_int_equal(found.known, 1);
	assert_addr(&r.via, "10.122.144.178");
	assert_int_equal(r.more.n, 2);
	assert_addr(&r.more.o[0].via, "10.9.9.9");
	assert_addr(&r.more.o[1].via, "10.9.9.8");
}

static void all_next_hops_of_a_p2p_device_are_its_peer(void **state)
{
	struct nexthop_found found;
	struct ovly_route r;

	assert_int_equal(map_hops(*state, "192.0.2.1 192.0.2.2", IPSEC0, &found,
				  &r), NEXTHOP_PEER);
	assert_int_equal(r.peer_id, 7);
	assert_int_equal(r.more.n, 0);
	assert_int_equal(found.left_out, 0);
	assert_int_equal(map_hops(*state, "192.0.2.1 166.34.121.112", IPSEC0,
				  &found, &r), NEXTHOP_PEER);
	assert_addr(&r.via, "166.34.121.112");
	assert_false(r.has & HAS(OVLY_A_ROUTE_PEER_ID));
}

static void next_hops_of_other_devices_are_left_out(void **state)
{
	struct nexthop_found found;
	struct ovly_route r;

	assert_int_equal(map_hops(*state,
				  "192.0.2.1 10.122.144.146 166.34.121.112",
				  ETH0, &found, &r), NEXTHOP_PEER);
	assert_int_equal(found.ifindex, OVLY0);
	assert_addr(&r.via, "10.122.144.146");
	assert_int_equal(r.more.n, 0);
	assert_int_equal(found.left_out, 2);
	assert_int_equal(map_hops(*state, "192.0.2.1 192.0.2.2", ETH0, &found,
				  &r), NEXTHOP_NONE);
}

static void filters_choose_routes(void **state)
{
	static struct bridge_conf conf = { .table = 2220 };
	struct ovly_staged s = { .table = 2220, .protocol = RTPROT_BIRD,
				 .dst = test_prefix("81.81.81.1/32") };

	(void)state;
	conf.protocols.set[RTPROT_BIRD] = 1;
	assert_true(bridge_wants(&conf, &s));
	s.protocol = RTPROT_STATIC;
	assert_false(bridge_wants(&conf, &s));
	s.protocol = RTPROT_BIRD;
	s.table = 254;
	assert_false(bridge_wants(&conf, &s));
	s.table = 2220;
	conf.accept.n = 1;
	conf.accept.p[0] = test_prefix("81.0.0.0/8");
	assert_true(bridge_wants(&conf, &s));
	conf.reject.n = 1;
	conf.reject.p[0] = test_prefix("81.81.0.0/16");
	assert_false(bridge_wants(&conf, &s));
	s.dst = test_prefix("81.0.0.0/8");
	assert_true(bridge_wants(&conf, &s));
	s.dst = test_prefix("0.0.0.0/0");
	assert_false(bridge_wants(&conf, &s));
}

/* Those of FRR, new and old, would be zebra's in any table. */
static void frrs_protocols_become_the_bridges(void **state)
{
	struct bridge_conf conf = { .table = 2220 };

	(void)state;
	assert_int_equal(bridge_protocol(&conf, RTPROT_BIRD), RTPROT_BIRD);
	assert_int_equal(bridge_protocol(&conf, RTPROT_STATIC), RTPROT_STATIC);
	assert_int_equal(bridge_protocol(&conf, RTPROT_ZEBRA), RTPROT_OVLY_BRIDGE);
	assert_int_equal(bridge_protocol(&conf, RTPROT_BABEL), RTPROT_OVLY_BRIDGE);
	assert_int_equal(bridge_protocol(&conf, RTPROT_BGP), RTPROT_OVLY_BRIDGE);
	assert_int_equal(bridge_protocol(&conf, RTPROT_EIGRP), RTPROT_OVLY_BRIDGE);
	conf.as_protocol = RTPROT_OSPF;
	assert_int_equal(bridge_protocol(&conf, RTPROT_BGP), RTPROT_OSPF);
}

int main(void)
{
#define CASE(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
	const struct CMUnitTest tests[] = {
		CASE(frrs_protocols_become_the_bridges),
		CASE(gateway_of_a_p2p_device),
		CASE(p2p_device_without_or_with_any_gateway_means_its_peer),
		CASE(p2p_device_without_peer_has_nobody),
		CASE(multipoint_leaves_the_gateway_to_the_module),
		CASE(other_families_gateway_is_passed_on),
		CASE(foreign_device_is_found_by_the_gateway),
		CASE(own_system_address_of_a_peer_is_skipped),
		CASE(same_address_on_two_devices),
		CASE(each_next_hop_of_a_multipoint_route_is_an_owner),
		CASE(next_hops_that_peers_have_come_first),
		CASE(all_next_hops_of_a_p2p_device_are_its_peer),
		CASE(next_hops_of_other_devices_are_left_out),
		cmocka_unit_test(filters_choose_routes),
	};

	return SUITE(tests);
}
