// SPDX-License-Identifier: GPL-2.0-only
/* What the bridge remembers and says of next hops that nobody has. */
#include <linux/rtnetlink.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "test.h"

#include "../bridge_sock.h"
#include "../bridge_state.h"

#define OVLY0 20
#define LAN0 3

static struct bridge_conf conf = { .table = 2220 };

/* A multipoint device with one peer. */
static int setup(void **state)
{
	static struct bridge br;
	struct ovly_peer p = { .has = HAS(OVLY_A_PEER_ID), .id = 1 };

	conf.protocols.set[RTPROT_BIRD] = 1;
	bridge_init(&br, &conf);
	nexthops_dev_add(&br.nexthops, OVLY0, "ovly0", OVLY_MODE_MULTIPOINT);
	nexthops_dev_add(&br.nexthops, 30, "ovly1", OVLY_MODE_MULTIPOINT);
	p.addr.a[p.addr.n++] = test_addr("10.3.0.1");
	nexthops_peer_add(&br.nexthops, OVLY0, &p);
	*state = &br;
	return 0;
}

static int teardown(void **state)
{
	struct bridge *br = *state;

	nexthops_clear(&br->nexthops);
	return 0;
}

static struct ovly_staged staged(const char *dst, const char *gateway,
				 uint32_t oif)
{
	return (struct ovly_staged){
		.dst = test_prefix(dst), .table = 2220, .leads = true,
		.protocol = RTPROT_BIRD, .hops = 1,
		.hop = { { .oif = oif, .gateway = test_addr(gateway) } },
	};
}

static void route(struct bridge *br, const char *dst, const char *gateway,
		  uint32_t oif)
{
	struct ovly_staged s = staged(dst, gateway, oif);

	bridge_route(br, &s);
}

static void refuse_for(struct bridge *br, enum batch_outcome outcome)
{
	struct batch_op op = br->batch.op[--br->batch.n];

	br->batch.ops->refused(br, &op, outcome, "refused");
}

/* The module refuses the last of the batch, what comes of it is the last then; and
 * once more, where nothing that came with it helps.
 */
static void refuse(struct bridge *br)
{
	unsigned int n = br->batch.n;

	refuse_for(br, BATCH_UNRESOLVED);
	if (br->batch.n == n && br->batch.op[n - 1].again)
		refuse_for(br, BATCH_UNRESOLVED);
}

static uint64_t wanted(struct bridge *br, const char *gateway, uint32_t oif)
{
	struct stage_hop hop = { .oif = oif, .gateway = test_addr(gateway) };
	struct unresolved_hop *u = unresolved_find(&br->lost_hops, &hop);

	assert_non_null(u);
	return u->prefixes;
}

static bool is_noted(struct bridge *br, const char *gateway, uint32_t oif)
{
	struct stage_hop hop = { .oif = oif, .gateway = test_addr(gateway) };

	return unresolved_find(&br->lost_hops, &hop);
}

static void next_hops_that_are_nobodys_are_noted(void **state)
{
	struct bridge *br = *state;

	/* known; covered, as far as the module says nothing else; no device's */
	route(br, "10.50.0.0/16", "10.3.0.1", OVLY0);
	route(br, "10.51.0.0/16", "10.3.0.9", OVLY0);
	route(br, "10.52.0.0/16", "192.168.1.254", LAN0);
	route(br, "10.53.0.0/16", "", LAN0);
	assert_int_equal(br->lost_hops.n, 2);
	assert_true(is_noted(br, "192.168.1.254", LAN0));
	assert_true(is_noted(br, "", LAN0));
	assert_int_equal(br->batch.n, 2);
	refuse(br);
	assert_int_equal(br->lost_hops.n, 3);
	assert_true(is_noted(br, "10.3.0.9", OVLY0));
	assert_false(is_noted(br, "10.3.0.1", OVLY0));
}

static void left_out_next_hops_of_a_multipath_route_are_noted(void **state)
{
	struct ovly_staged s = staged("10.50.0.0/16", "10.3.0.8", OVLY0);
	struct bridge *br = *state;

	s.hops = 3;
	s.hop[1] = (struct stage_hop){ OVLY0, test_addr("10.3.0.1") };
	s.hop[2] = (struct stage_hop){ OVLY0, test_addr("10.3.0.9") };
	bridge_route(br, &s);
	/* the module takes none of the three, then the one that is known */
	refuse(br);
	assert_int_equal(br->lost_hops.n, 2);
	assert_true(is_noted(br, "10.3.0.8", OVLY0));
	assert_true(is_noted(br, "10.3.0.9", OVLY0));
	br->batch.n = 0;

	/* nobody known: one after the other, and those that are refused */
	br->lost_hops.n = 0;
	s.hops = 2;
	s.hop[1] = (struct stage_hop){ OVLY0, test_addr("10.3.0.7") };
	bridge_route(br, &s);
	refuse(br);
	assert_int_equal(br->lost_hops.n, 0);
	refuse(br);
	assert_true(is_noted(br, "10.3.0.8", OVLY0));
	assert_int_equal(br->lost_hops.n, 1);
	refuse(br);
	assert_true(is_noted(br, "10.3.0.7", OVLY0));
}

static void deletions_note_nothing(void **state)
{
	struct ovly_staged s = staged("10.50.0.0/16", "192.168.1.254", LAN0);
	struct bridge *br = *state;
	struct batch_op op = { .del = true, .ifindex = OVLY0 };

	s.del = true;
	bridge_route(br, &s);
	br->batch.n = 0;
	br->batch.ops->refused(br, &op, BATCH_UNRESOLVED, "nobody");
	assert_int_equal(br->lost_hops.n, 0);
}

static void a_pass_forgets_what_it_does_not_see(void **state)
{
	struct stage_hop a = { OVLY0, test_addr("10.3.0.8") };
	struct stage_hop b = { OVLY0, test_addr("10.3.0.9") };
	static struct unresolved u;

	(void)state;
	unresolved_note(&u, &b, 100);
	unresolved_note(&u, &a, 200);
	unresolved_begin(&u);
	unresolved_note(&u, &b, 300);
	unresolved_end(&u);
	assert_null(unresolved_find(&u, &a));
	/* since it was nobody's first */
	assert_int_equal(unresolved_find(&u, &b)->since, 100);
	unresolved_begin(&u);
	unresolved_end(&u);
	assert_int_equal(u.n, 0);
}

enum again { NOT, LATE, NOW };

static enum again settles(struct bridge *br, uint64_t applied, uint64_t removed)
{
	enum again again;

	br->batch.applied = applied;
	br->batch.removed = removed;
	bridge_settle(br);
	again = br->resync ? NOW : br->late ? LATE : NOT;
	br->resync = false;
	br->late = false;
	return again;
}

static void a_change_is_worth_a_reconcile_now_or_some_time(void **state)
{
	struct bridge *br = *state;

	assert_int_equal(settles(br, 3, 1), NOT);

	/* a next hop that is nobody's, and a way to it */
	route(br, "10.52.0.0/16", "192.168.1.254", LAN0);
	assert_int_equal(br->unresolved, 1);
	route(br, "10.50.0.0/16", "10.3.0.1", OVLY0);
	assert_int_equal(settles(br, 1, 0), LATE);
	assert_int_equal(settles(br, 0, 1), LATE);
	assert_int_equal(settles(br, 0, 0), NOT);
	route(br, "192.168.0.0/16", "10.3.0.1", OVLY0);
	assert_int_equal(settles(br, 1, 0), NOW);
	assert_int_equal(settles(br, 1, 0), LATE);
	/* a reconcile sees all of the table anyway */
	br->reconciling = true;
	route(br, "192.168.0.0/16", "10.3.0.1", OVLY0);
	br->reconciling = false;
	assert_int_equal(settles(br, 1, 0), LATE);
	br->unresolved = 0;
	br->refused = 1;
	assert_int_equal(settles(br, 1, 0), LATE);
}

static void exceed(struct bridge *br)
{
	refuse_for(br, BATCH_LIMIT);
}

static void a_limit_is_asked_again_after_the_sweep(void **state)
{
	struct ovly_peer two = { .has = HAS(OVLY_A_PEER_ID), .id = 2 };
	struct ovly_staged s = staged("10.50.0.0/16", "10.3.0.1", OVLY0);
	struct bridge *br = *state;

	br->sweeping = true;
	br->reconciling = true;
	bridge_route(br, &s);
	exceed(br);
	assert_int_equal(br->limited.n, 1);
	assert_int_equal(br->refused, 0);
	/* one of a next hop stands for the others */
	route(br, "10.51.0.0/16", "10.3.0.1", OVLY0);
	exceed(br);
	assert_int_equal(br->limited.n, 1);
	assert_int_equal(br->refused, 1);
	/* withdrawn meanwhile, and another one is not */
	br->reconciling = false;
	s.del = true;
	s.dst = test_prefix("10.51.0.0/16");
	bridge_route(br, &s);
	assert_int_equal(br->limited.n, 1);
	s.dst = test_prefix("10.50.0.0/16");
	bridge_route(br, &s);
	assert_int_equal(br->limited.n, 0);
	br->batch.n = 0;
	/* of two owners, each at its limit: refused as a whole, and one by one */
	two.addr.a[two.addr.n++] = test_addr("10.3.0.2");
	nexthops_peer_add(&br->nexthops, OVLY0, &two);
	s = staged("10.52.0.0/16", "10.3.0.1", OVLY0);
	s.hops = 2;
	s.hop[1] = (struct stage_hop){ OVLY0, test_addr("10.3.0.2") };
	bridge_route(br, &s);
	exceed(br);
	exceed(br);
	exceed(br);
	assert_int_equal(br->batch.n, 0);
	assert_int_equal(br->limited.n, 1);
	assert_int_equal(br->limited.op[0].route.more.n, 1);
	assert_int_equal(br->refused, 1);
	br->sweeping = false;
	batch_add(&br->batch, &br->limited.op[0]);
	exceed(br);
	exceed(br);
	exceed(br);
	assert_int_equal(br->retries_refused, 1);
	br->refused = 1;
	br->limited.n = 0;
	/* nobody sweeps */
	route(br, "10.50.0.0/16", "10.3.0.1", OVLY0);
	exceed(br);
	assert_int_equal(br->limited.n, 0);
	assert_int_equal(br->refused, 2);
}

static void metrics_are_compared_within_a_family(void **state)
{
	struct ovly_staged four = staged("10.50.0.0/16", "10.3.0.1", OVLY0);
	struct ovly_staged six = staged("fd50::/32", "10.3.0.1", OVLY0);
	struct bridge *br = *state;

	six.metric = 1024;
	bridge_route(br, &four);
	bridge_route(br, &six);
	assert_false(br->several);
	six.metric = 32;
	bridge_route(br, &six);
	assert_true(br->several);
}

static void more_next_hops_than_fit_are_told(void **state)
{
	static struct unresolved u;
	struct stage_hop hop = { OVLY0, test_addr("10.0.0.0") };
	unsigned int i;

	(void)state;
	for (i = 0; i <= UNRESOLVED_MAX; i++) {
		assert_false(u.more);
		hop.gateway.b[2] = (uint8_t)(i * 7 >> 8);
		hop.gateway.b[3] = (uint8_t)(i * 7);
		unresolved_note(&u, &hop, 1);
	}
	assert_true(u.more);
	assert_int_equal(u.n, UNRESOLVED_MAX);
	for (i = 0; i < UNRESOLVED_MAX; i++) {
		hop.gateway.b[2] = (uint8_t)(i * 7 >> 8);
		hop.gateway.b[3] = (uint8_t)(i * 7);
		assert_non_null(unresolved_find(&u, &hop));
	}
}

static void count(struct bridge *br, struct bridge_count *n, const char *dst,
		  const char *gateway, uint32_t oif)
{
	struct ovly_staged s = staged(dst, gateway, oif);

	bridge_count_route(br, &s, n);
}

static void prefixes_are_counted_by_family_and_next_hop(void **state)
{
	struct ovly_staged s = staged("10.54.0.0/16", "10.3.0.9", OVLY0);
	struct bridge *br = *state;
	struct bridge_count n = { 0 };
	struct stage_hop hop = s.hop[0];

	unresolved_note(&br->lost_hops, &hop, 1);
	hop = (struct stage_hop){ OVLY0, test_addr("2001:db8::9") };
	unresolved_note(&br->lost_hops, &hop, 1);
	count(br, &n, "10.50.0.0/16", "10.3.0.1", OVLY0);
	count(br, &n, "10.51.0.0/16", "10.3.0.9", OVLY0);
	count(br, &n, "2001:db8:1::/48", "2001:db8::9", OVLY0);
	/* covered */
	count(br, &n, "10.52.0.0/16", "10.80.0.1", OVLY0);
	/* twice the same next hop, and one that is known: not without any */
	s.hops = 3;
	s.hop[1] = s.hop[0];
	s.hop[2] = (struct stage_hop){ OVLY0, test_addr("10.3.0.1") };
	bridge_count_route(br, &s, &n);
	/* not followed */
	s.protocol = RTPROT_STATIC;
	bridge_count_route(br, &s, &n);
	s.protocol = RTPROT_BIRD;
	s.leads = false;
	bridge_count_route(br, &s, &n);
	assert_int_equal(n.routes[0], 4);
	assert_int_equal(n.routes[1], 1);
	assert_int_equal(n.unresolved[0], 1);
	assert_int_equal(n.unresolved[1], 1);
	assert_int_equal(wanted(br, "10.3.0.9", OVLY0), 2);
	assert_int_equal(wanted(br, "2001:db8::9", OVLY0), 1);
}

static json_int_t number(json_t *o, const char *key)
{
	if (!json_is_integer(json_object_get(o, key)))
		fail_msg("no number '%s'", key);
	return json_integer_value(json_object_get(o, key));
}

static void the_state_has_every_documented_key(void **state)
{
	static const char *const keys[] = {
		"pid", "table", "dev", "state", "since", "peers",
		"ipv4-routes", "ipv6-routes", "ipv4-unresolved",
		"ipv6-unresolved", "unresolved-next-hops", "unresolved",
		"more-next-hops", "reconciles", "last-reconcile", "last-error",
	};
	const struct bridge_count n = { .routes = { 5, 6 },
					.unresolved = { 3, 4 } };
	struct stage_hop hop = { OVLY0, test_addr("10.3.0.9") };
	struct bridge *br = *state;
	json_t *out, *list, *last;
	unsigned int i;

	out = bridge_state(br, &n, br->started + 5);
	assert_int_equal(json_object_size(out), sizeof(keys) / sizeof(keys[0]));
	for (i = 0; i < sizeof(keys) / sizeof(keys[0]); i++)
		if (!json_object_get(out, keys[i]))
			fail_msg("no key '%s'", keys[i]);
	assert_true(json_is_null(json_object_get(out, "last-reconcile")));
	assert_true(json_is_null(json_object_get(out, "last-error")));
	assert_string_equal(json_string_value(json_object_get(out, "state")),
			    "no-module");
	assert_int_equal(number(out, "since"), 5);
	assert_int_equal(number(out, "ipv6-routes"), 6);
	assert_int_equal(number(out, "ipv4-unresolved"), 3);
	json_decref(out);

	br->nl.family = 30;
	br->last = (struct bridge_reconciled){ .at = 1000, .took = 3,
					       .unresolved = 2, .swept = true };
	br->trouble_at = 1500;
	strcpy(br->trouble, "not \xff UTF-8");
	unresolved_note(&br->lost_hops, &hop, 600);
	hop.gateway.b[3] = 8;
	unresolved_note(&br->lost_hops, &hop, 700);
	hop = (struct stage_hop){ 0 };
	unresolved_note(&br->lost_hops, &hop, 800);
	br->lost_hops.hop[0].prefixes = 1; /* of no device */
	br->lost_hops.hop[2].prefixes = 9; /* 10.3.0.9; nobody wants 10.3.0.8 */
	out = bridge_state(br, &n, 1600);
	assert_string_equal(json_string_value(json_object_get(out, "state")),
			    "following");
	assert_int_equal(number(out, "unresolved-next-hops"), 2);
	list = json_object_get(out, "unresolved");
	assert_int_equal(json_array_size(list), 2);
	assert_string_equal(json_string_value(json_object_get(
			json_array_get(list, 0), "next-hop")), "10.3.0.9");
	assert_int_equal(number(json_array_get(list, 0), "prefixes"), 9);
	assert_int_equal(number(json_array_get(list, 0), "since"), 1000);
	assert_true(json_is_null(json_object_get(json_array_get(list, 1),
						 "next-hop")));
	assert_true(json_is_null(json_object_get(json_array_get(list, 1),
						 "dev")));
	last = json_object_get(out, "last-reconcile");
	assert_int_equal(number(last, "ago"), 600);
	assert_int_equal(number(last, "unresolved"), 2);
	assert_true(json_is_true(json_object_get(last, "complete")));
	assert_int_equal(number(json_object_get(out, "last-error"), "ago"),
			 100);
	json_decref(out);
	br->failed = true;
	out = bridge_state(br, &n, 1600);
	assert_string_equal(json_string_value(json_object_get(out, "state")),
			    "failing");
	json_decref(out);
}

/* ---- the socket ---- */

struct heard {
	unsigned int n;
	char text[64];
};

static void on_heard(const char *text, size_t len, void *arg)
{
	struct heard *h = arg;

	h->n++;
	snprintf(h->text, sizeof(h->text), "%.*s", (int)len, text);
}

/* What another process hears: 0 nothing, 1 "hello", 2 else, 3 an error. */
static pid_t listener(const char *dir)
{
	pid_t pid = fork();

	if (!pid) {
		struct heard h = { 0 };
		struct err e;

		if (!bridge_sock_ask(dir, on_heard, &h, &e))
			_exit(3);
		_exit(!h.n ? 0 : h.n == 1 && !strcmp(h.text, "hello") ? 1 : 2);
	}
	return pid;
}

static int heard_by(pid_t pid)
{
	int status = 0;

	waitpid(pid, &status, 0);
	return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

static void leave_socket(const char *path)
{
	struct sockaddr_un to = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_STREAM, 0);

	strcpy(to.sun_path, path);
	assert_int_equal(bind(fd, (struct sockaddr *)&to, sizeof(to)), 0);
	close(fd);
}

static void whoever_asks_gets_one_answer(void **state)
{
	char dir[] = "/tmp/ovly-test.XXXXXX";
	char gone[64], alive[64];
	struct bridge_sock s;
	struct err e;
	pid_t pid;

	(void)state;
	assert_non_null(mkdtemp(dir));
	assert_int_equal(heard_by(listener("/tmp/there-is-no-such-thing")), 0);
	pid = fork();
	if (!pid)
		_exit(0);
	waitpid(pid, NULL, 0);
	/* of a bridge that was killed, and of one that has not begun to listen */
	snprintf(gone, sizeof(gone), "%s/1-%ld", dir, (long)pid);
	snprintf(alive, sizeof(alive), "%s/1-%ld", dir, (long)getppid());
	leave_socket(gone);
	leave_socket(alive);
	assert_true(bridge_sock_open(&s, dir, &e));
	assert_int_not_equal(access(gone, F_OK), 0);
	assert_int_equal(access(alive, F_OK), 0);

	pid = listener(dir);
	while (!s.askers)
		bridge_sock_accept(&s);
	bridge_sock_answer(&s, "hello", 5);
	assert_int_equal(heard_by(pid), 1);
	/* it ends while somebody asks */
	pid = listener(dir);
	while (!s.askers)
		bridge_sock_accept(&s);
	bridge_sock_close(&s);
	assert_int_equal(heard_by(pid), 0);
	assert_int_equal(heard_by(listener(dir)), 0);
	unlink(alive);
	assert_int_equal(rmdir(dir), 0);
	assert_false(bridge_sock_open(&s, "/proc/no/such/place", &e));
	assert_names(&e, "/proc/no/such/place");
	assert_int_equal(s.fd, -1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(next_hops_that_are_nobodys_are_noted, setup, teardown),
		cmocka_unit_test_setup_teardown(left_out_next_hops_of_a_multipath_route_are_noted, setup, teardown),
		cmocka_unit_test_setup_teardown(deletions_note_nothing, setup, teardown),
		cmocka_unit_test(a_pass_forgets_what_it_does_not_see),
		cmocka_unit_test_setup_teardown(a_change_is_worth_a_reconcile_now_or_some_time, setup, teardown),
		cmocka_unit_test_setup_teardown(a_limit_is_asked_again_after_the_sweep, setup, teardown),
		cmocka_unit_test_setup_teardown(metrics_are_compared_within_a_family, setup, teardown),
		cmocka_unit_test(more_next_hops_than_fit_are_told),
		cmocka_unit_test_setup_teardown(prefixes_are_counted_by_family_and_next_hop, setup, teardown),
		cmocka_unit_test_setup_teardown(the_state_has_every_documented_key, setup, teardown),
		cmocka_unit_test(whoever_asks_gets_one_answer),
	};

	return SUITE(tests);
}
