// SPDX-License-Identifier: GPL-2.0-only
#include "test.h"

#include "../bird.h"

#include "bird_replies.h"

static void lines_have_codes_and_ends(void **state)
{
	const char *pos = "1000-first\n more\n0013 last\n";
	struct bird_line line = { 0 };

	(void)state;
	assert_true(bird_next(&pos, &line));
	assert_int_equal(line.code, 1000);
	assert_true(line.first);
	assert_false(line.last);
	assert_string_equal(line.text, "first");
	assert_true(bird_next(&pos, &line));
	assert_int_equal(line.code, 1000);
	assert_false(line.first);
	assert_string_equal(line.text, "more");
	assert_true(bird_next(&pos, &line));
	assert_int_equal(line.code, 13);
	assert_true(line.last);
	assert_false(bird_next(&pos, &line));
}

static void replies_end_with_a_code_and_a_blank(void **state)
{
	static const struct { const char *text; bool complete; } cases[] = {
		{ "0001 BIRD 2.0.12 ready.\n", true },
		{ "1000-BIRD\n", false },
		{ "1000-BIRD\n0013 Daemon is up", false },
		{ "1000-BIRD\n0013 Daemon is up\n", true },
		{ "0000 \n", true },
		{ "1007-x\n 0000 inside\n", false },
		{ "", false },
		{ "\n", false },
		{ "00\n", false },
	};
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		assert_int_equal(bird_complete(cases[i].text,
					       strlen(cases[i].text)),
				 cases[i].complete);
}

static void status_has_version_and_router_id(void **state)
{
	struct bird_status status;

	(void)state;
	assert_true(bird_parse_status(reply_status, &status));
	assert_string_equal(status.version, "2.0.12");
	assert_string_equal(status.router_id, "10.122.144.146");
	assert_false(bird_parse_status(reply_error, &status));
	assert_false(bird_parse_status("", &status));
}

static struct bird_bgp seen[8];
static unsigned int n_seen;

static void on_bgp(const struct bird_bgp *bgp, void *arg)
{
	(void)arg;
	assert_true(n_seen < 8);
	seen[n_seen++] = *bgp;
}

static void sessions_of_the_reference_branch(void **state)
{
	(void)state;
	n_seen = 0;
	bird_parse_protocols(reply_protocols, on_bgp, NULL);
	/* device, static and kernel protocols are none */
	assert_int_equal(n_seen, 1);
	assert_string_equal(seen[0].name, "hub");
	assert_string_equal(seen[0].state, "Established");
	assert_string_equal(seen[0].neighbor, "166.34.121.112");
	assert_string_equal(seen[0].neighbor_id, "166.34.121.112");
	assert_string_equal(seen[0].source, "10.122.144.146");
	assert_int_equal(seen[0].neighbor_as, 65000);
	assert_int_equal(seen[0].local_as, 200);
	assert_int_equal(seen[0].hold, 240);
	assert_int_equal(seen[0].keepalive, 80);
	assert_int_equal(seen[0].channels, 1);
	assert_string_equal(seen[0].channel[0].name, "ipv4");
	assert_string_equal(seen[0].channel[0].state, "UP");
	assert_string_equal(seen[0].channel[0].table,
			    "bgp_table_166_34_121_112");
	assert_int_equal(seen[0].channel[0].imported, 5);
	assert_int_equal(seen[0].channel[0].import_limit, 15);
	assert_string_equal(seen[0].channel[0].limit_action, "disable");
}

static void a_session_that_is_down_has_an_error(void **state)
{
	static const char reply[] =
		"2002-Name       Proto      Table      State  Since         Info\n"
		"1002-hub        BGP        ---        start  12:32:40.192  Active        Socket: Connection refused\n"
		"1006-  BGP state:          Active\n"
		"     Neighbor address: 166.34.121.112\n"
		"     Neighbor AS:      65000\n"
		"     Local AS:         200\n"
		"     Last error:       Socket: Connection refused\n"
		"   Channel ipv4\n"
		"     State:          DOWN\n"
		" \n"
		"1002-other      BGP        ---        down   12:32:40.192  \n"
		"1006-  BGP state:          Down\n"
		"0000 \n";

	(void)state;
	n_seen = 0;
	bird_parse_protocols(reply, on_bgp, NULL);
	assert_int_equal(n_seen, 2);
	assert_string_equal(seen[0].state, "Active");
	assert_string_equal(seen[0].info, "Socket: Connection refused");
	assert_int_equal(seen[0].hold, 0);
	assert_string_equal(seen[1].name, "other");
	assert_string_equal(seen[1].state, "Down");
	assert_int_equal(seen[1].channels, 0);
}

static struct bird_route route[16];
static unsigned int routes;

static void on_route(const struct bird_route *r, void *arg)
{
	(void)arg;
	assert_true(routes < 16);
	route[routes++] = *r;
}

static void routes_of_the_reference_branch(void **state)
{
	(void)state;
	routes = 0;
	bird_parse_routes(reply_routes, on_route, NULL);
	assert_int_equal(routes, 5);
	assert_string_equal(route[1].network, "81.81.81.1/32");
	assert_string_equal(route[1].table, "bgp_table_166_34_121_112");
	assert_string_equal(route[1].protocol, "hub");
	assert_string_equal(route[1].next_hop, "166.34.121.112");
	assert_int_equal(route[1].local_pref, 100);
	assert_false(route[1].has_med);
	assert_string_equal(route[1].as_path, "65000");
	assert_int_equal(route[1].origin, '?');
	assert_true(route[1].best);
	assert_string_equal(route[3].network, "10.9.0.0/16");
	assert_string_equal(route[3].as_path, "65000 65010");
	assert_int_equal(route[3].origin, 'i');
}

static void further_routes_of_a_network_have_no_name(void **state)
{
	static const char reply[] =
		"1007-Table t:\n"
		" 10.0.0.0/8           unicast [one 12:00:00.000] * (100) [AS1i]\n"
		" \tvia 192.0.2.1 on eth0\n"
		"1012-\tBGP.origin: EGP\n"
		" \tBGP.med: 5\n"
		"1007-                     unicast [two 12:00:01.000] (100) [AS2i]\n"
		" \tvia 192.0.2.2 on eth0\n"
		"1012-\tBGP.as_path: 2\n"
		"0000 \n";

	(void)state;
	routes = 0;
	bird_parse_routes(reply, on_route, NULL);
	assert_int_equal(routes, 2);
	assert_true(route[0].has_med);
	assert_int_equal(route[0].med, 5);
	assert_int_equal(route[0].origin, 'e');
	assert_string_equal(route[1].network, "10.0.0.0/8");
	assert_string_equal(route[1].protocol, "two");
	assert_false(route[1].best);
	/* nothing of the first one stays */
	assert_false(route[1].has_med);
}

static void spelling_of_bird_3(void **state)
{
	static const char reply[] =
		"1007-10.0.0.0/8           unicast [one 12:00:00.000] * (100) [AS1i]\n"
		"1012-\tbgp_origin: IGP\n"
		" \tbgp_path: 1 2\n"
		" \tbgp_next_hop: 192.0.2.1\n"
		" \tbgp_local_pref: 200\n"
		"0000 \n";

	(void)state;
	routes = 0;
	bird_parse_routes(reply, on_route, NULL);
	assert_int_equal(routes, 1);
	assert_string_equal(route[0].as_path, "1 2");
	assert_string_equal(route[0].next_hop, "192.0.2.1");
	assert_int_equal(route[0].local_pref, 200);
	assert_int_equal(route[0].origin, 'i');
}

/* As recorded, of a session of each family: no channel, no local AS. */
static void sessions_of_bird_1_6(void **state)
{
	static const char reply[] =
		"2002-name     proto    table    state  since       info\n"
		"1002-staging4 Kernel   learned4 up     22:44:45    \n"
		"1006-  Preference:     10\n"
		"   Routes:         0 imported, 3 exported, 0 preferred\n"
		" \n"
		"1002-a4       BGP      learned4 up     22:44:47    Established   \n"
		"1006-  Preference:     100\n"
		"   Input filter:   ACCEPT\n"
		"   Output filter:  REJECT\n"
		"   Import limit:   15\n"
		"     Action:       disable\n"
		"   Routes:         3 imported, 1 exported, 2 preferred\n"
		"   Route change stats:     received   rejected   filtered    ignored   accepted\n"
		"     Import updates:              3          0          0          0          3\n"
		"   BGP state:          Established\n"
		"     Neighbor address: 192.0.2.2\n"
		"     Neighbor AS:      65000\n"
		"     Neighbor ID:      192.0.2.2\n"
		"     Source address:   192.0.2.1\n"
		"     Hold timer:       183/240\n"
		"     Keepalive timer:  65/80\n"
		" \n"
		"1002-a6       BGP      learned6 start  22:44:47    Active   \n"
		"1006-  Preference:     100\n"
		"   Routes:         0 imported, 0 exported, 0 preferred\n"
		"   BGP state:          Active\n"
		"     Neighbor address: 2001:db8:ff::2\n"
		"     Neighbor AS:      65000\n"
		" \n"
		"0000 \n";

	(void)state;
	n_seen = 0;
	bird_parse_protocols(reply, on_bgp, NULL);
	assert_int_equal(n_seen, 2);
	assert_int_equal(seen[0].channels, 1);
	assert_string_equal(seen[0].channel[0].name, "ipv4");
	assert_string_equal(seen[0].channel[0].state, "UP");
	assert_string_equal(seen[0].channel[0].table, "learned4");
	assert_int_equal(seen[0].channel[0].imported, 3);
	assert_int_equal(seen[0].channel[0].preferred, 2);
	assert_int_equal(seen[0].channel[0].import_limit, 15);
	assert_string_equal(seen[0].channel[0].limit_action, "disable");
	assert_int_equal(seen[0].neighbor_as, 65000);
	assert_int_equal(seen[0].local_as, 0);
	assert_int_equal(seen[0].hold, 240);
	assert_string_equal(seen[1].channel[0].name, "ipv6");
	assert_string_equal(seen[1].channel[0].state, "DOWN");
	assert_int_equal(seen[1].channel[0].imported, 0);
}

static void on_any_bgp(const struct bird_bgp *bgp, void *arg)
{
	(void)bgp;
	(void)arg;
}

static void on_any_route(const struct bird_route *r, void *arg)
{
	(void)r;
	(void)arg;
}

/* Every prefix of a reply, and every one with a byte broken: the sanitizers
 * watch.
 */
static void cut_and_broken_replies_do_no_harm(void **state)
{
	static const char *const all[] = { reply_status, reply_protocols,
					   reply_routes };
	struct bird_status status;
	char buf[8192];
	size_t i, n;

	(void)state;
	for (i = 0; i < 3; i++) {
		size_t len = strlen(all[i]);

		assert_true(len < sizeof(buf));
		for (n = 0; n < len; n++) {
			char *heap = strndup(all[i], n);

			bird_complete(heap, n);
			bird_parse_status(heap, &status);
			bird_parse_protocols(heap, on_any_bgp, NULL);
			bird_parse_routes(heap, on_any_route, NULL);
			free(heap);
			strcpy(buf, all[i]);
			buf[n] = "\n\t: []-/"[n % 8];
			bird_parse_protocols(buf, on_any_bgp, NULL);
			bird_parse_routes(buf, on_any_route, NULL);
		}
	}
}

static void long_lines_are_cut(void **state)
{
	static char reply[20000];
	const char *pos = reply;
	struct bird_line line = { 0 };

	(void)state;
	memset(reply, 'a', sizeof(reply) - 2);
	memcpy(reply, "1007-", 5);
	reply[sizeof(reply) - 2] = '\n';
	assert_true(bird_next(&pos, &line));
	assert_int_equal(strlen(line.text), sizeof(line.text) - 1);
	assert_false(bird_next(&pos, &line));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(lines_have_codes_and_ends),
		cmocka_unit_test(replies_end_with_a_code_and_a_blank),
		cmocka_unit_test(status_has_version_and_router_id),
		cmocka_unit_test(sessions_of_the_reference_branch),
		cmocka_unit_test(a_session_that_is_down_has_an_error),
		cmocka_unit_test(routes_of_the_reference_branch),
		cmocka_unit_test(further_routes_of_a_network_have_no_name),
		cmocka_unit_test(spelling_of_bird_3),
		cmocka_unit_test(sessions_of_bird_1_6),
		cmocka_unit_test(cut_and_broken_replies_do_no_harm),
		cmocka_unit_test(long_lines_are_cut),
	};

	return SUITE(tests);
}
