// SPDX-License-Identifier: GPL-2.0
#include <kunit/test.h>

#include "tests/fake.h"
#include "tests/suites.h"

static void prefix_keeps_the_first_bits(struct kunit *test)
{
	struct ovly_ip ip = ovly_fake_ip(10, 122, 144, 146);
	struct ovly_ip p27 = ovly_ip_prefix(&ip, 27), p0 = ovly_ip_prefix(&ip, 0);
	struct ovly_ip p32 = ovly_ip_prefix(&ip, 32);

	KUNIT_EXPECT_EQ(test, ntohl(p27.v4), 0x0a7a9080u);
	KUNIT_EXPECT_EQ(test, ntohl(p0.v4), 0u);
	KUNIT_EXPECT_TRUE(test, ovly_ip_eq(&p32, &ip));
}

static void prefix_of_ipv6_cuts_inside_a_byte(struct kunit *test)
{
	struct in6_addr a = { .s6_addr = { 0x20, 0x01, 0x0d, 0xb8, 0xff } };
	struct ovly_ip ip = ovly_ip_v6(&a), p35 = ovly_ip_prefix(&ip, 35);

	KUNIT_EXPECT_EQ(test, p35.v6.s6_addr[3], 0xb8);
	KUNIT_EXPECT_EQ(test, p35.v6.s6_addr[4], 0xe0);
}

static void families_never_equal(struct kunit *test)
{
	struct in6_addr any = {};
	struct ovly_ip four = ovly_ip_v4(0), six = ovly_ip_v6(&any);

	KUNIT_EXPECT_FALSE(test, ovly_ip_eq(&four, &six));
}

struct unicast_case {
	const char *name;
	u8 ip[4];
	bool unicast;
};

static const struct unicast_case unicast_cases[] = {
	{ "a private address", { 10, 0, 0, 1 }, true },
	{ "a public address", { 166, 34, 121, 112 }, true },
	{ "zero", { 0, 0, 0, 0 }, false },
	{ "loopback", { 127, 0, 0, 1 }, false },
	{ "multicast", { 224, 0, 0, 5 }, false },
	{ "broadcast", { 255, 255, 255, 255 }, false },
};

static void unicast_case_name(const struct unicast_case *c, char *name)
{
	strscpy(name, c->name, KUNIT_PARAM_DESC_SIZE);
}

KUNIT_ARRAY_PARAM(unicast, unicast_cases, unicast_case_name);

static void only_unicast_is_a_system_address(struct kunit *test)
{
	const struct unicast_case *c = test->param_value;
	struct ovly_ip ip = ovly_fake_ip(c->ip[0], c->ip[1], c->ip[2], c->ip[3]);

	KUNIT_EXPECT_EQ(test, ovly_ip_is_unicast(&ip), c->unicast);
}

static struct kunit_case ovly_addr_cases[] = {
	KUNIT_CASE(prefix_keeps_the_first_bits),
	KUNIT_CASE(prefix_of_ipv6_cuts_inside_a_byte),
	KUNIT_CASE(families_never_equal),
	KUNIT_CASE_PARAM(only_unicast_is_a_system_address, unicast_gen_params),
	{}
};

struct kunit_suite ovly_addr_suite = {
	.name = "ovly_addr",
	.test_cases = ovly_addr_cases,
};
