// SPDX-License-Identifier: GPL-2.0-only
/* apply's files and programs: what is written, and what other programs say. */
#include "test.h"

#include <sys/stat.h>
#include <unistd.h>

#include "apply_dev.h"
#include "apply_exec.h"
#include "apply_files.h"
#include "apply_peer.h"
#include "apply_ready.h"
#include "conf_gen.h"

static char dir[64], path[100], saved[120];

static int make_dir(void **state)
{
	(void)state;
	strcpy(dir, "/tmp/ovly-test.XXXXXX");
	if (!mkdtemp(dir))
		return -1;
	snprintf(path, sizeof(path), "%s/f.conf", dir);
	snprintf(saved, sizeof(saved), "%s.before-ovly", path);
	return 0;
}

static int remove_dir(void **state)
{
	(void)state;
	unlink(path);
	unlink(saved);
	/* fails, and the test with it, if something staged was left */
	return rmdir(dir);
}

static void put(const char *text)
{
	FILE *f = fopen(path, "w");

	assert_non_null(f);
	fputs(text, f);
	fclose(f);
}

static char *get(const char *name)
{
	struct err e;
	char *text = apply_slurp(name, 4096, NULL, &e);

	assert_non_null(text);
	return text;
}

static void holds(const char *name, const char *want)
{
	char *text = get(name);

	assert_string_equal(text, want);
	free(text);
}

static int mode_of(const char *name)
{
	struct stat st;

	assert_int_equal(stat(name, &st), 0);
	return st.st_mode & 0777;
}

static void write_it(const char *text, bool secret)
{
	struct apply_file f = { .path = path, .secret = secret };
	struct err e;

	assert_true(apply_file_load(&f, strdup(text), true, &e));
	assert_true(apply_file_stage(&f, &e));
	assert_true(apply_file_commit(&f, &e));
	apply_file_free(&f);
	holds(path, text);
}

static void secrets_are_for_their_owner_only(void **state)
{
	struct apply_file f = { .path = path, .secret = true };
	struct err e;

	(void)state;
	write_it(CONF_MARK "x\n1\n", true);
	assert_int_equal(mode_of(path), 0600);
	/* somebody opened it: the same text is a change then */
	chmod(path, 0644);
	assert_true(apply_file_load(&f, strdup(CONF_MARK "x\n1\n"), false, &e));
	assert_true(f.changed);
	apply_file_free(&f);
	write_it(CONF_MARK "x\n1\n", true);
	assert_int_equal(mode_of(path), 0600);
}

static void other_modes_stay(void **state)
{
	(void)state;
	write_it(CONF_MARK "x\n", false);
	assert_int_equal(mode_of(path), 0644);
	chmod(path, 0640);
	write_it(CONF_MARK "y\n", false);
	assert_int_equal(mode_of(path), 0640);
}

static void the_same_text_is_no_change(void **state)
{
	struct apply_file f = { .path = path };
	struct err e;

	(void)state;
	write_it(CONF_MARK "x\n", false);
	assert_true(apply_file_load(&f, strdup(CONF_MARK "x\n"), false, &e));
	assert_false(f.changed);
	apply_file_free(&f);
}

static void foreign_files_are_refused_or_kept(void **state)
{
	struct apply_file f = { .path = path };
	struct err e;

	(void)state;
	put("router id 1.2.3.4;\n");
	assert_false(apply_file_load(&f, strdup(CONF_MARK "x\n"), false, &e));
	assert_names(&e, path);
	assert_names(&e, "--force");
	apply_file_free(&f);
	write_it(CONF_MARK "x\n", false);
	holds(saved, "router id 1.2.3.4;\n");
	/* the first one is what was there before */
	put("another\n");
	write_it(CONF_MARK "y\n", false);
	holds(saved, "router id 1.2.3.4;\n");
}

static void what_is_not_committed_leaves_nothing(void **state)
{
	struct apply_file f = { .path = path };
	struct err e;

	(void)state;
	put(CONF_MARK "x\n");
	assert_true(apply_file_load(&f, strdup(CONF_MARK "y\n"), false, &e));
	assert_true(apply_file_stage(&f, &e));
	apply_file_free(&f);
	holds(path, CONF_MARK "x\n");
}

static void a_missing_directory_is_told(void **state)
{
	struct apply_file f = { .path = "/nonexistent/ovly/f.conf" };
	struct err e;

	(void)state;
	assert_true(apply_file_load(&f, strdup("x"), false, &e));
	assert_false(apply_file_stage(&f, &e));
	assert_names(&e, "/nonexistent/ovly/f.conf");
	apply_file_free(&f);
}

static void programs_say_and_end(void **state)
{
	static const char *const say[] = { "sh", "-c",
		"echo one; echo two >&2; echo; exit 3", NULL };
	static const char *const none[] = { "ovly-no-such-program", NULL };
	static const char *const slow[] = { "sleep", "60", NULL };
	static const char *const much[] = { "sh", "-c",
		"yes 0123456789 | head -n 90000; echo end", NULL };
	struct exec *x = malloc(sizeof(*x));
	char buf[40];
	struct err e;

	(void)state;
	assert_true(exec_run(x, say, 20, &e));
	assert_int_equal(x->status, 3);
	assert_string_equal(x->out, "one\ntwo\n\n");
	assert_string_equal(exec_last_line(x, buf, sizeof(buf)), "two");
	assert_string_equal(exec_last_line(x, buf, 3), "tw");
	assert_false(exec_run(x, none, 20, &e));
	assert_names(&e, "ovly-no-such-program is not installed");
	assert_int_equal(e.code, EXIT_UNAVAILABLE);
	assert_false(exec_run(x, slow, 1, &e));
	assert_names(&e, "did not end within 1 s");
	assert_true(exec_run(x, much, 60, &e));
	assert_string_equal(exec_last_line(x, buf, sizeof(buf)), "end");
	free(x);
}

static void a_followed_program_keeps_no_line_back(void **state)
{
	static const char *const argv[] = { "sh", "-c", "echo now; sleep 60",
					    NULL };
	struct exec *x = malloc(sizeof(*x));
	struct err e;
	int i;

	(void)state;
	assert_true(exec_start(x, argv, &e));
	for (i = 0; i < 100 && !strstr(x->out, "now\n"); i++)
		assert_true(exec_poll(x, 100));
	assert_string_equal(x->out, "now\n");
	exec_stop(x);
	assert_int_equal(x->pid, 0);
	free(x);
}

/* A word that is taken out of the file is taken from the peer as well. */
static void a_peer_is_made_as_the_file_says(void **state)
{
	struct ovly_peer have = { .route_limit = 5,
				  .limit_action = OVLY_LIMIT_DISABLE,
				  .mark = 7, .priority = 3,
				  .on_down = OVLY_ON_DOWN_WITHDRAW,
				  .backup_name = "hub2" };
	struct conf_overlay o = { .limit = 5,
				  .limit_action = OVLY_LIMIT_DISABLE,
				  .mark = 7, .packet_priority = 3,
				  .on_down = OVLY_ON_DOWN_WITHDRAW,
				  .backup = "hub2" };
	struct ovly_peer d;
	char buf[200];

	(void)state;
	assert_false(apply_peer_differs(&o, &have, &d));
	o.mark = 8;
	assert_true(apply_peer_differs(&o, &have, &d));
	assert_string_equal(apply_peer_str(&d, buf, sizeof(buf)), "mark 8");
	strcpy(o.backup, "hub3");
	assert_true(apply_peer_differs(&o, &have, &d));
	assert_string_equal(apply_peer_str(&d, buf, sizeof(buf)),
			    "mark 8, backup hub3");
	memset(&o, 0, sizeof(o));
	assert_true(apply_peer_differs(&o, &have, &d));
	assert_int_equal(d.has & HAS(OVLY_A_PEER_BACKUP_NAME), 0);
	assert_string_equal(apply_peer_str(&d, buf, sizeof(buf)),
			    "on-down hold, limit 0, limit-action refuse, mark 0, priority 0, backup none");
}

static struct conf_overlay overlay(const char *name, const char *addr)
{
	struct conf_overlay o = { .dev = "ovlytest0",
				  .mode = OVLY_MODE_MULTIPOINT };

	strcpy(o.name, name);
	if (!addr)
		return o;
	o.remote_system.n = 1;
	o.remote_system.a[0] = test_addr(addr);
	return o;
}

static void has_step(const struct apply_steps *steps, unsigned int i,
		     const char *want)
{
	char buf[APPLY_STEP_MAX];

	assert_in_range(i + 1, 1, steps->n);
	assert_string_equal(apply_step_str(&steps->step[i], buf, sizeof(buf)),
			    want);
}

/* Of a device that is not there yet. */
static void peers_are_made_before_their_tunnel(void **state)
{
	struct conf_overlay o[] = {
		overlay("hub1", "10.9.0.1"), overlay("hub2", "10.9.0.2"),
		overlay("learned", NULL), overlay("anybody", NULL),
		overlay("elsewhere", "10.9.0.3"),
	};
	struct conf conf = { .overlay = o, .overlays = 5 };
	struct apply_steps steps = { 0 };
	struct ovly_link none = { 0 };
	struct ovly_nl nl = { 0 };
	struct err e;

	(void)state;
	/* each is the other's backup */
	strcpy(o[0].backup, "hub2");
	strcpy(o[1].backup, "hub1");
	o[1].on_down = OVLY_ON_DOWN_WITHDRAW;
	o[1].limit = 9;
	o[1].mark = 7;
	o[1].remote_system.n = 2;
	o[1].remote_system.a[1] = test_addr("2001:db8::2");
	o[3].role = CONF_HEAD_END;
	strcpy(o[3].wan[CONF_WAN].remote, "any");
	strcpy(o[4].dev, "ovlytest1");
	assert_true(apply_peer_plan(&nl, &none, "ovlytest0", &conf, &steps, &e));
	assert_int_equal(steps.n, 4);
	has_step(&steps, 0, "ovlytest0: add peer hub1 10.9.0.1");
	has_step(&steps, 1,
		 "ovlytest0: add peer hub2 10.9.0.2 2001:db8::2, on-down withdraw, limit 9, mark 7");
	has_step(&steps, 2, "ovlytest0: set peer hub1 to backup hub2");
	has_step(&steps, 3, "ovlytest0: set peer hub2 to backup hub1");
	apply_steps_free(&steps);
}

/* Then its updown, which says the same, has nothing to change. */
static void a_peer_that_is_made_does_not_differ(void **state)
{
	struct conf_overlay o = overlay("hub1", "10.9.0.1");
	struct ovly_peer p, d;

	(void)state;
	o.on_down = OVLY_ON_DOWN_WITHDRAW;
	o.limit = 9;
	o.limit_action = OVLY_LIMIT_DISABLE;
	o.mark = 7;
	o.packet_priority = 3;
	strcpy(o.backup, "hub2");
	apply_peer_new(&o, &p);
	assert_int_equal(p.has & (HAS(OVLY_A_PEER_BACKUP_ID) |
				  HAS(OVLY_A_PEER_BACKUP_NAME)), 0);
	assert_int_equal(p.addr.n, 1);
	assert_addr(&p.addr.a[0], "10.9.0.1");
	assert_true(apply_peer_differs(&o, &p, &d));
	assert_int_equal(d.has, HAS(OVLY_A_PEER_BACKUP_NAME));
	o.backup[0] = '\0';
	assert_false(apply_peer_differs(&o, &p, &d));
	/* another address in the file is another one of the peer */
	o.remote_system.a[0] = test_addr("10.9.0.7");
	assert_true(apply_peer_differs(&o, &p, &d));
	assert_int_equal(d.has, HAS(OVLY_A_PEER_ADDR));
	assert_addr(&d.addr.a[0], "10.9.0.7");
	/* where anybody may come, or learns his address, the file does not say */
	o.remote_system.n = 0;
	assert_false(apply_peer_differs(&o, &p, &d));
}

static void longest_step_has_room(void **state)
{
	struct apply_step s = { .op = STEP_PEER_ADD, .dev = "fifteen-letters" };
	struct ovly_peer *p = &s.peer;
	char buf[APPLY_STEP_MAX];
	unsigned int i;

	(void)state;
	memset(s.name, 'n', CONF_NAME_MAX);
	memset(p, 0xff, sizeof(*p));
	p->addr.n = OVLY_PEER_ADDRS_MAX;
	for (i = 0; i < p->addr.n; i++)
		p->addr.a[i].family = AF_INET6;
	p->on_down = OVLY_ON_DOWN_WITHDRAW;
	p->limit_action = OVLY_LIMIT_DISABLE;
	memset(p->backup_name, 'b', sizeof(p->backup_name));
	p->backup_name[CONF_NAME_MAX] = '\0';
	apply_step_str(&s, buf, sizeof(buf));
	assert_string_equal(buf + strlen(buf) - CONF_NAME_MAX, p->backup_name);
}

/* What waits for the own address, as BIRD does, finds the routes to the peers. */
static void the_own_address_comes_last(void **state)
{
	struct conf_overlay o = overlay("hub1", "10.9.0.1");
	struct conf conf = { .overlay = &o, .overlays = 1 };
	struct conf_manifest old = { 0 };
	struct apply_steps steps = { 0 };
	struct ovly_nl nl;
	struct err e;

	(void)state;
	o.local_system.n = 1;
	o.local_system.a[0] = test_addr("10.5.0.7");
	o.mtu = 1400;
	if (!ovly_nl_open(&nl, false, &e))
		skip();
	assert_true(apply_dev_plan(&nl, &conf, &old, &steps, &e));
	ovly_nl_close(&nl);
	assert_int_equal(steps.n, 5);
	has_step(&steps, 0, "ovlytest0: create the device, mode multipoint");
	has_step(&steps, 1, "ovlytest0: set mtu 1400");
	has_step(&steps, 2, "ovlytest0: add peer hub1 10.9.0.1");
	has_step(&steps, 3, "ovlytest0: set it up");
	has_step(&steps, 4, "ovlytest0: add address 10.5.0.7");
	apply_steps_free(&steps);
}

static void a_range_listens_while_it_is_passive(void **state)
{
	struct conf_neighbor range = { .range = true }, one = { 0 };
	struct bird_bgp bgp = { .state = "Passive" };

	(void)state;
	assert_true(apply_ready_listens(&range, &bgp));
	strcpy(bgp.state, "Down");
	assert_false(apply_ready_listens(&range, &bgp));
	/* one neighbour may be down for a reason of its own */
	strcpy(bgp.info, "Automatic shutdown: Import limit exceeded");
	assert_true(apply_ready_listens(&one, &bgp));
	strcpy(bgp.info, "No listening socket");
	assert_false(apply_ready_listens(&one, &bgp));
}

#define IN_DIR(f) cmocka_unit_test_setup_teardown(f, make_dir, remove_dir)

int main(void)
{
	const struct CMUnitTest tests[] = {
		IN_DIR(secrets_are_for_their_owner_only),
		IN_DIR(other_modes_stay),
		IN_DIR(the_same_text_is_no_change),
		IN_DIR(foreign_files_are_refused_or_kept),
		IN_DIR(what_is_not_committed_leaves_nothing),
		cmocka_unit_test(a_missing_directory_is_told),
		cmocka_unit_test(a_peer_is_made_as_the_file_says),
		cmocka_unit_test(peers_are_made_before_their_tunnel),
		cmocka_unit_test(a_peer_that_is_made_does_not_differ),
		cmocka_unit_test(longest_step_has_room),
		cmocka_unit_test(the_own_address_comes_last),
		cmocka_unit_test(a_range_listens_while_it_is_passive),
		cmocka_unit_test(programs_say_and_end),
		cmocka_unit_test(a_followed_program_keeps_no_line_back),
	};

	return SUITE(tests);
}
