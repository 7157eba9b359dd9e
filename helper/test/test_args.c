// SPDX-License-Identifier: GPL-2.0-only
#include <linux/rtnetlink.h>

#include "test.h"

#include "../args.h"

static struct {
	char dev[IFNAMSIZ];
	uint32_t mtu;
	uint32_t has;
	bool json;
	struct ovly_addrs addr;
	struct arg_protos protos;
	const char *text;
	struct ovly_peer peer;
	struct ovly_route route;
} v;

static const struct arg args[] = {
	ARG("dev", ARG_IFNAME, v.dev),
	ARG("mtu", ARG_U32, &v.mtu, .min = 68, .max = 65535, .has = &v.has,
	    .bit = 4),
	ARG("json", ARG_FLAG, &v.json),
	ARG("addr", ARG_ADDRS, &v.addr),
	ARG("protocol", ARG_PROTOS, &v.protos),
	ARG("text", ARG_TEXT, &v.text),
	ARG("backup", ARG_BACKUP, &v.peer),
	ARG("peer", ARG_OWNER_PEER, &v.route),
	ARG("via", ARG_OWNER_VIA, &v.route),
	ARG_END,
};

static const char *positional[1];

static bool parse(const char *line, unsigned int max, struct err *e)
{
	static char buf[256];
	char *argv[48];
	int argc = 0;
	char *word;

	memset(&v, 0, sizeof(v));
	snprintf(buf, sizeof(buf), "%s", line);
	for (word = strtok(buf, " "); word && argc < 48;
	     word = strtok(NULL, " "))
		argv[argc++] = word;
	return args_parse(argc, argv, args, positional, max, e);
}

static void three_spellings(void **state)
{
	static const char *const lines[] = {
		"x --dev ipsec0 --mtu 1400 --json",
		"x --dev=ipsec0 --mtu=1400 --json",
		"x dev ipsec0 mtu 1400 json",
		"--dev ipsec0 x mtu 1400 --json",
	};
	struct err e;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(lines) / sizeof(lines[0]); i++) {
		if (!parse(lines[i], 1, &e))
			fail_msg("%s: %s", lines[i], e.text);
		assert_string_equal(positional[0], "x");
		assert_string_equal(v.dev, "ipsec0");
		assert_int_equal(v.mtu, 1400);
		assert_int_equal(v.has, 4);
		assert_true(v.json);
	}
}

static void lists_repeat_and_keep_each_once(void **state)
{
	struct err e;

	(void)state;
	assert_true(parse("--addr 10.0.0.1 --addr ::2 --addr 10.0.0.1", 0, &e));
	assert_int_equal(v.addr.n, 2);
	assert_true(parse("protocol bird protocol 186", 0, &e));
	assert_int_equal(v.protos.n, 2);
	assert_true(v.protos.set[RTPROT_BIRD]);
	assert_true(v.protos.set[RTPROT_BGP]);
}

static void backup_is_a_peer_or_none(void **state)
{
	struct err e;

	(void)state;
	assert_true(parse("--backup hub2", 0, &e));
	assert_int_equal(v.peer.has, HAS(OVLY_A_PEER_BACKUP_NAME));
	assert_string_equal(v.peer.backup_name, "hub2");
	assert_true(parse("--backup hub2 --backup none", 0, &e));
	assert_int_equal(v.peer.has, HAS(OVLY_A_PEER_BACKUP_ID));
	assert_int_equal(v.peer.backup_id, 0);
}

static void owners_keep_their_order(void **state)
{
	char line[256] = "x";
	struct err e;
	int i;

	(void)state;
	assert_true(parse("peer one", 0, &e));
	assert_string_equal(v.route.peer_name, "one");
	assert_int_equal(v.route.more.n, 0);
	assert_true(parse("x via 10.0.0.1 peer two via 2001:db8::3", 1, &e));
	assert_int_equal(v.route.has, HAS(OVLY_A_ROUTE_VIA));
	assert_addr(&v.route.via, "10.0.0.1");
	assert_int_equal(v.route.more.n, 2);
	assert_string_equal(v.route.more.o[0].name, "two");
	assert_null(v.route.more.o[1].name);
	assert_addr(&v.route.more.o[1].via, "2001:db8::3");
	for (i = 0; i < OVLY_OWNERS_MAX; i++)
		sprintf(line + strlen(line), " peer p%d", i);
	assert_true(parse(line, 1, &e));
	assert_int_equal(v.route.more.n, OVLY_OWNERS_MAX - 1);
	strcat(line, " peer more");
	assert_false(parse(line, 1, &e));
	assert_names(&e, "at most 16");
}

static void refusals_name_the_argument(void **state)
{
	static const struct { const char *line, *item; } cases[] = {
		{ "--bogus 1", "--bogus" },
		{ "stray", "stray" },
		{ "--mtuu=3", "did you mean '--mtu'?" },
		{ "-json", "did you mean '--json'?" },
		{ "backupp hub2", "did you mean 'backup'?" },
		{ "--mtu", "mtu" },
		{ "--mtu 67", "mtu" },
		{ "--mtu 9x", "9x" },
		{ "--json=yes", "json" },
		{ "--dev a/b", "dev" },
		{ "--addr 224.0.0.1", "224.0.0.1" },
		{ "--protocol 220", "220" },
		{ "--protocol 0", "protocol" },
		{ "--protocol no-such", "no-such" },
		{ "--addr 10.0.0.1 --addr 10.0.0.2 --addr 10.0.0.3 --addr 10.0.0.4 "
		  "--addr 10.0.0.5 --addr 10.0.0.6 --addr 10.0.0.7 --addr 10.0.0.8 "
		  "--addr 10.0.0.9", "at most 8" },
	};
	struct err e;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		assert_false(parse(cases[i].line, 0, &e));
		assert_names(&e, cases[i].item);
		assert_int_equal(e.code, EXIT_USAGE);
	}
}

static void missing_positional_is_null(void **state)
{
	struct err e;

	(void)state;
	assert_true(parse("--json", 1, &e));
	assert_null(positional[0]);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(three_spellings),
		cmocka_unit_test(lists_repeat_and_keep_each_once),
		cmocka_unit_test(backup_is_a_peer_or_none),
		cmocka_unit_test(owners_keep_their_order),
		cmocka_unit_test(refusals_name_the_argument),
		cmocka_unit_test(missing_positional_is_null),
	};

	return SUITE(tests);
}
