// SPDX-License-Identifier: GPL-2.0-only
#include "test.h"

static void numbers_decimal_and_hex(void **state)
{
	struct err e;
	uint32_t v;

	(void)state;
	assert_true(parse_u32("42", 1, UINT32_MAX, &v, &e));
	assert_int_equal(v, 42);
	assert_true(parse_u32("0x2A", 1, UINT32_MAX, &v, &e));
	assert_int_equal(v, 42);
	assert_true(parse_u32("4294967295", 1, UINT32_MAX, &v, &e));
	assert_int_equal(v, UINT32_MAX);
	assert_true(parse_u32("007", 0, 10, &v, &e));
	assert_int_equal(v, 7);
}

static void numbers_garbage_is_refused_and_named(void **state)
{
	static const char *const bad[] = {
		"",    "-1",   "+1",  " 1",  "1 ",	     "0x",
		"0xg", "12ab", "1.5", "abc", "4294967296",   "99999999999999999999",
		"0x1ffffffff", "%unique",
	};
	uint32_t v = 77;
	struct err e;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		assert_false(parse_u32(bad[i], 0, UINT32_MAX, &v, &e));
		assert_names(&e, bad[i]);
		assert_int_equal(e.code, EXIT_USAGE);
	}
	assert_false(parse_u32("0", 1, 5, &v, &e));
	assert_false(parse_u32("6", 1, 5, &v, &e));
	assert_int_equal(v, 77);
}

static void addresses_of_both_families(void **state)
{
	struct ovly_addr a;
	struct err e;

	(void)state;
	assert_true(parse_addr("10.122.144.146", &a, &e));
	assert_int_equal(a.family, AF_INET);
	assert_addr(&a, "10.122.144.146");
	assert_true(parse_addr("2001:db8::1", &a, &e));
	assert_int_equal(a.family, AF_INET6);
	assert_addr(&a, "2001:db8::1");
}

static void addresses_garbage_is_refused_and_named(void **state)
{
	static const char *const bad[] = { "", "10.1", "10.1.1.256", "1.2.3.4/32",
					   "::g", "host", "1.2.3.4 ", "%any" };
	struct ovly_addr a;
	struct err e;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		assert_false(parse_addr(bad[i], &a, &e));
		assert_names(&e, bad[i]);
	}
}

static void garbage_in_messages_is_short_and_printable(void **state)
{
	struct ovly_addr a;
	char long_one[4096];
	struct err e;

	(void)state;
	memset(long_one, 'x', sizeof(long_one) - 1);
	long_one[sizeof(long_one) - 1] = '\0';
	assert_false(parse_addr(long_one, &a, &e));
	assert_true(strlen(e.text) < 200);
	assert_false(parse_addr("\033[2J\n", &a, &e));
	assert_null(strchr(e.text, '\033'));
	assert_null(strchr(e.text, '\n'));
}

static void prefixes(void **state)
{
	struct ovly_prefix p;
	char buf[PREFIX_STRLEN];
	struct err e;

	(void)state;
	assert_true(parse_prefix("10.122.144.128/27", &p, &e));
	assert_string_equal(prefix_str(&p, buf), "10.122.144.128/27");
	assert_true(parse_prefix("0.0.0.0/0", &p, &e));
	assert_int_equal(p.len, 0);
	assert_true(parse_prefix("81.81.81.1", &p, &e));
	assert_int_equal(p.len, 32);
	assert_true(parse_prefix("2001:db8::/33", &p, &e));
	assert_true(parse_prefix("::/0", &p, &e));
	assert_true(parse_prefix("2001:db8::1/128", &p, &e));
	assert_true(prefix_is_host(&p));
}

static void prefixes_with_host_bits_are_refused_with_a_hint(void **state)
{
	struct ovly_prefix p;
	struct err e;

	(void)state;
	assert_false(parse_prefix("10.122.144.146/27", &p, &e));
	assert_names(&e, "10.122.144.146/27");
	assert_names(&e, "10.122.144.128/27");
	assert_false(parse_prefix("2001:db8::1/64", &p, &e));
	assert_names(&e, "2001:db8::/64");
	assert_true(parse_net("10.122.144.146/27", &p, &e));
}

static void prefixes_garbage_is_refused_and_named(void **state)
{
	static const char *const bad[] = { "10.0.0.0/33", "::/129", "10.0.0.0/",
					   "10.0.0.0/-1", "/24", "10.0.0/8",
					   "10.0.0.0/8/8", "300.1.1.0/24" };
	struct ovly_prefix p;
	struct err e;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		assert_false(parse_prefix(bad[i], &p, &e));
		assert_names(&e, bad[i]);
	}
}

static void masks_clear_host_bits(void **state)
{
	static const struct { const char *in, *out; } cases[] = {
		{ "255.255.255.255/0", "0.0.0.0/0" },
		{ "255.255.255.255/1", "128.0.0.0/1" },
		{ "255.255.255.255/8", "255.0.0.0/8" },
		{ "255.255.255.255/27", "255.255.255.224/27" },
		{ "255.255.255.255/31", "255.255.255.254/31" },
		{ "255.255.255.255/32", "255.255.255.255/32" },
		{ "2001:db8:ffff::1/33", "2001:db8:8000::/33" },
		{ "2001:db8::ff/128", "2001:db8::ff/128" },
	};
	char buf[PREFIX_STRLEN];
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct ovly_prefix p = test_prefix(cases[i].in);

		assert_string_equal(prefix_str(&p, buf), cases[i].out);
	}
}

static void hosts_of_a_prefix(void **state)
{
	struct ovly_prefix p = test_prefix("10.122.144.128/27");
	struct ovly_addr a;

	(void)state;
	assert_true(prefix_host(&p, 18, &a));
	assert_addr(&a, "10.122.144.146");
	assert_true(prefix_host(&p, 31, &a));
	assert_false(prefix_host(&p, 32, &a));
	p = test_prefix("255.255.255.0/24");
	assert_false(prefix_host(&p, UINT32_MAX, &a));
	p = test_prefix("2001:db8::/64");
	assert_true(prefix_host(&p, 65536, &a));
	assert_addr(&a, "2001:db8::1:0");
}

static void covering(void **state)
{
	struct ovly_prefix p = test_prefix("10.0.0.0/8");
	struct ovly_prefix q = test_prefix("10.1.0.0/16");
	struct ovly_prefix six = test_prefix("::/0");
	struct ovly_addr a = test_addr("10.255.0.1");

	(void)state;
	assert_true(prefix_covers(&p, &a));
	assert_false(prefix_covers(&q, &a));
	assert_false(prefix_covers(&six, &a));
	assert_true(prefix_contains(&p, &q));
	assert_true(prefix_contains(&p, &p));
	assert_false(prefix_contains(&q, &p));
}

static void unicast(void **state)
{
	static const char *const good[] = { "10.0.0.1", "223.1.1.1", "fe80::1",
					    "2001:db8::" };
	static const char *const bad[] = { "0.0.0.0", "127.0.0.1", "224.0.0.5",
					   "255.255.255.255", "::", "::1",
					   "ff02::1" };
	struct ovly_addr a;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
		a = test_addr(good[i]);
		assert_true(addr_is_unicast(&a));
	}
	for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		a = test_addr(bad[i]);
		assert_false(addr_is_unicast(&a));
	}
}

static void names(void **state)
{
	char dev[IFNAMSIZ], name[OVLY_NAME_MAX + 1], long_name[70];
	struct err e;

	(void)state;
	assert_true(parse_ifname("ipsec0", dev, &e));
	assert_true(parse_ifname("a23456789012345", dev, &e));
	assert_false(parse_ifname("a234567890123456", dev, &e));
	assert_names(&e, "a234567890123456");
	assert_false(parse_ifname("", dev, &e));
	assert_false(parse_ifname("a/b", dev, &e));
	assert_false(parse_ifname("..", dev, &e));
	assert_true(parse_name("myconn", name, &e));
	assert_false(parse_name("", name, &e));
	assert_false(parse_name("my conn", name, &e));
	assert_false(parse_name("my\nconn", name, &e));
	memset(long_name, 'n', sizeof(long_name));
	long_name[63] = '\0';
	assert_true(parse_name(long_name, name, &e));
	long_name[63] = 'n';
	long_name[64] = '\0';
	assert_false(parse_name(long_name, name, &e));
}

static void words_are_listed_when_refused(void **state)
{
	static const char *const words[] = { "p2p", "multipoint", NULL };
	struct err e;
	uint32_t v;

	(void)state;
	assert_true(parse_word("multipoint", words, &v, &e));
	assert_int_equal(v, 1);
	assert_false(parse_word("sideways", words, &v, &e));
	assert_names(&e, "sideways");
	assert_names(&e, "p2p or multipoint");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(numbers_decimal_and_hex),
		cmocka_unit_test(numbers_garbage_is_refused_and_named),
		cmocka_unit_test(addresses_of_both_families),
		cmocka_unit_test(addresses_garbage_is_refused_and_named),
		cmocka_unit_test(garbage_in_messages_is_short_and_printable),
		cmocka_unit_test(prefixes),
		cmocka_unit_test(prefixes_with_host_bits_are_refused_with_a_hint),
		cmocka_unit_test(prefixes_garbage_is_refused_and_named),
		cmocka_unit_test(masks_clear_host_bits),
		cmocka_unit_test(hosts_of_a_prefix),
		cmocka_unit_test(covering),
		cmocka_unit_test(unicast),
		cmocka_unit_test(names),
		cmocka_unit_test(words_are_listed_when_refused),
	};

	return SUITE(tests);
}
