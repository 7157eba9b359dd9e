// SPDX-License-Identifier: GPL-2.0-only
#include <errno.h>

#include "test.h"

#include "../batch.h"

/* What the module was asked, and what it answers. */
static struct {
	unsigned int sent;
	struct {
		bool del;
		uint32_t ifindex;
		unsigned int n;
		struct ovly_route route[BATCH_MAX];
	} log[256];
	uint32_t refuse_prefix; /* third octet of the refused route */
	uint32_t error;
	int whole; /* errno for batches of more than one */
	unsigned int refused[BATCH_FAILED + 1];
	char why[128];
	struct batch_op last;
	unsigned int lost;
} k;
static struct batch b;
static unsigned int repeat; /* refusals that are answered with the same again */

static bool on_send(void *arg, bool del, uint32_t ifindex,
		    const struct ovly_route *routes, unsigned int n,
		    struct ovly_report *report, struct ovly_nl_error *refusal)
{
	unsigned int i;

	(void)arg;
	assert_true(k.sent < 256);
	assert_true(n <= BATCH_MAX);
	k.log[k.sent].del = del;
	k.log[k.sent].ifindex = ifindex;
	k.log[k.sent].n = n;
	memcpy(k.log[k.sent].route, routes, n * sizeof(*routes));
	k.sent++;
	memset(report, 0, sizeof(*report));
	if (k.whole == ENODEV || (k.whole && n > 1)) {
		refusal->error = k.whole;
		return false;
	}
	for (i = 0; i < n; i++) {
		if (k.error && routes[i].dst.b[2] == k.refuse_prefix) {
			struct ovly_refused *r = &report->refused[report->n++];

			r->index = i;
			r->error = k.error;
			strcpy(r->message, "because");
		} else {
			report->applied++;
		}
	}
	return true;
}

static void on_refused(void *arg, const struct batch_op *op,
		       enum batch_outcome outcome, const char *why)
{
	(void)arg;
	k.refused[outcome]++;
	k.last = *op;
	if (repeat) {
		repeat--;
		batch_add(&b, op);
	}
	snprintf(k.why, sizeof(k.why), "%s", why);
}

static void on_lost(void *arg, uint32_t ifindex, const char *why)
{
	(void)arg;
	(void)ifindex;
	(void)why;
	k.lost++;
}

static const struct batch_ops ops = { on_send, on_refused, on_lost };

static int setup(void **state)
{
	(void)state;
	memset(&k, 0, sizeof(k));
	batch_init(&b, &ops, NULL);
	return 0;
}

static void add(bool del, uint32_t ifindex, unsigned int i, uint32_t peer)
{
	struct batch_op op = { .ifindex = ifindex, .del = del };

	op.route.dst = test_addr("10.0.0.0");
	op.route.dst.b[1] = (uint8_t)(i >> 8);
	op.route.dst.b[2] = (uint8_t)i;
	op.route.prefixlen = 24;
	op.route.peer_id = peer;
	batch_add(&b, &op);
}

static void full_batches_are_sent(void **state)
{
	unsigned int i;

	(void)state;
	for (i = 0; i < BATCH_MAX; i++)
		add(false, 1, i, 1);
	assert_int_equal(k.sent, 0);
	add(false, 1, i, 1);
	assert_int_equal(k.sent, 1);
	assert_int_equal(k.log[0].n, BATCH_MAX - 1);
	batch_flush(&b);
	assert_int_equal(k.sent, 2);
	assert_int_equal(k.log[1].n, 2);
	assert_int_equal(b.applied, BATCH_MAX + 1);
	batch_flush(&b);
	assert_int_equal(k.sent, 2);
}

static void a_full_batch_splits_no_change(void **state)
{
	unsigned int i;

	(void)state;
	assert_false(batch_deletes(&b));
	for (i = 0; i < BATCH_MAX; i++) {
		add(true, 1, i, 0);
		if (i < BATCH_MAX - 1)
			add(false, 1, i, 1);
	}
	assert_true(batch_deletes(&b));
	/* the last one is a deletion, and what follows makes it a change */
	add(false, 1, i, 1);
	add(false, 1, BATCH_MAX - 1, 1);
	assert_false(batch_deletes(&b));
	batch_flush(&b);
	for (i = 0; i < k.sent; i++)
		assert_false(k.log[i].del);
}

static void refusals_may_fill_a_batch(void **state)
{
	unsigned int i;

	(void)state;
	k.error = ENOENT;
	k.refuse_prefix = 7;
	repeat = 3 * BATCH_MAX;
	for (i = 0; i < 3 * BATCH_MAX; i++)
		add(false, 1, 7 + (i << 8), 1);
	assert_true(b.n <= BATCH_MAX);
	batch_drain(&b);
	assert_int_equal(repeat, 0);
	assert_int_equal(k.refused[BATCH_UNRESOLVED], 6 * BATCH_MAX);
}

static void the_last_word_on_a_route_counts(void **state)
{
	(void)state;
	add(false, 1, 5, 1);
	add(false, 1, 5, 2);
	batch_flush(&b);
	assert_int_equal(k.sent, 1);
	assert_int_equal(k.log[0].n, 1);
	assert_int_equal(k.log[0].route[0].peer_id, 2);
	/* deleted and added again is replaced, not removed in between */
	add(true, 1, 5, 0);
	add(false, 1, 5, 3);
	assert_true(b.op[0].replace);
	batch_flush(&b);
	assert_int_equal(k.sent, 2);
	assert_false(k.log[1].del);
	/* and added and deleted is deleted */
	add(false, 1, 5, 3);
	add(true, 1, 5, 0);
	batch_flush(&b);
	assert_int_equal(k.sent, 3);
	assert_true(k.log[2].del);
}

static void devices_and_deletions_are_kept_apart(void **state)
{
	(void)state;
	add(false, 1, 1, 1);
	add(false, 2, 1, 1);
	add(true, 1, 2, 0);
	add(false, 1, 3, 1);
	batch_flush(&b);
	assert_int_equal(k.sent, 3);
	/* deletions first: they make room below a limit */
	assert_true(k.log[0].del);
	assert_int_equal(k.log[0].ifindex, 1);
	assert_false(k.log[1].del);
	assert_int_equal(k.log[1].n, 2);
	assert_int_equal(k.log[2].ifindex, 2);
	assert_int_equal(b.removed, 1);
	assert_int_equal(b.applied, 3);
}

static void refusals_are_told_by_name_and_kind(void **state)
{
	(void)state;
	k.refuse_prefix = 2;
	k.error = ENOSPC;
	add(false, 1, 1, 1);
	add(false, 1, 2, 1);
	add(false, 1, 3, 1);
	batch_flush(&b);
	assert_int_equal(k.refused[BATCH_LIMIT], 1);
	assert_int_equal(k.last.route.dst.b[2], 2);
	assert_string_equal(k.why, "because");
	assert_int_equal(b.applied, 2);
	k.error = EHOSTUNREACH;
	add(false, 1, 2, 1);
	batch_flush(&b);
	assert_int_equal(k.refused[BATCH_UNRESOLVED], 1);
	/* nothing there to delete is what was wanted */
	k.error = ENOENT;
	add(true, 1, 2, 1);
	batch_flush(&b);
	assert_int_equal(k.refused[BATCH_GONE], 0);
}

static void one_malformed_entry_does_not_lose_the_others(void **state)
{
	(void)state;
	k.whole = EINVAL;
	k.refuse_prefix = 2;
	k.error = EINVAL;
	add(false, 1, 1, 1);
	add(false, 1, 2, 1);
	add(false, 1, 3, 1);
	batch_flush(&b);
	assert_int_equal(k.sent, 4);
	assert_int_equal(b.applied, 2);
	assert_int_equal(k.refused[BATCH_FAILED], 1);
	assert_int_equal(k.lost, 0);
}

static void a_device_that_is_gone_is_told_once(void **state)
{
	(void)state;
	k.whole = ENODEV;
	add(false, 1, 1, 1);
	add(false, 1, 2, 1);
	batch_flush(&b);
	assert_int_equal(k.sent, 1);
	assert_int_equal(k.lost, 1);
}

static void errors_have_a_meaning_per_request(void **state)
{
	(void)state;
	assert_int_equal(batch_outcome(false, ENOENT), BATCH_UNRESOLVED);
	assert_int_equal(batch_outcome(true, ENOENT), BATCH_GONE);
	assert_int_equal(batch_outcome(false, EEXIST), BATCH_TAKEN);
	assert_int_equal(batch_outcome(true, EBUSY), BATCH_SYSTEM);
	assert_int_equal(batch_outcome(true, EPERM), BATCH_FAILED);
	assert_int_equal(batch_outcome(false, EPERM), BATCH_FAILED);
	assert_int_equal(batch_outcome(false, ENOMEM), BATCH_FAILED);
}

/* "a b c" from the op's owners that would be named */
static const char *owners(const struct batch_op *op)
{
	static char text[200];
	char buf[ADDR_STRLEN];
	unsigned int i;

	snprintf(text, sizeof(text), "%s", addr_str(&op->route.via, buf));
	for (i = 0; i < op->route.more.n; i++) {
		strcat(text, " ");
		strcat(text, addr_str(&op->route.more.o[i].via, buf));
	}
	return text;
}

static struct batch_op multipath(unsigned int known)
{
	struct batch_op op = { .known = known };

	op.route.via = test_addr("10.0.0.1");
	op.route.more.n = 2;
	op.route.more.o[0].via = test_addr("10.0.0.2");
	op.route.more.o[1].via = test_addr("10.0.0.3");
	return op;
}

static void refused_owners_are_left_to_those_that_are_known(void **state)
{
	struct batch_op op = multipath(2);

	(void)state;
	assert_true(batch_narrow(&op));
	assert_string_equal(owners(&op), "10.0.0.1 10.0.0.2");
	/* these are refused as well: one after the other */
	assert_true(batch_narrow(&op));
	assert_string_equal(owners(&op), "10.0.0.1");
	assert_true(batch_narrow(&op));
	assert_string_equal(owners(&op), "10.0.0.2");
	assert_false(batch_narrow(&op));
}

static void owners_of_whom_none_is_known_are_tried_in_turn(void **state)
{
	struct batch_op op = multipath(0);

	(void)state;
	assert_true(batch_narrow(&op));
	assert_string_equal(owners(&op), "10.0.0.1");
	assert_true(batch_narrow(&op));
	assert_string_equal(owners(&op), "10.0.0.2");
	assert_true(batch_narrow(&op));
	assert_string_equal(owners(&op), "10.0.0.3");
	assert_false(batch_narrow(&op));
	/* all known, or one owner only */
	op = multipath(3);
	assert_true(batch_narrow(&op));
	assert_string_equal(owners(&op), "10.0.0.1");
	op.spare = 0;
	assert_false(batch_narrow(&op));
}

static void draining_sends_what_refusals_add(void **state)
{
	(void)state;
	add(false, 1, 1, 1);
	batch_drain(&b);
	assert_int_equal(b.n, 0);
	assert_int_equal(k.sent, 1);
	repeat = 2;
	k.refuse_prefix = 2;
	k.error = EHOSTUNREACH;
	add(false, 1, 2, 1);
	batch_drain(&b);
	assert_int_equal(b.n, 0);
	assert_int_equal(k.sent, 4);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(full_batches_are_sent, setup),
		cmocka_unit_test_setup(a_full_batch_splits_no_change, setup),
		cmocka_unit_test_setup(refusals_may_fill_a_batch, setup),
		cmocka_unit_test_setup(the_last_word_on_a_route_counts, setup),
		cmocka_unit_test_setup(devices_and_deletions_are_kept_apart,
				       setup),
		cmocka_unit_test_setup(refusals_are_told_by_name_and_kind,
				       setup),
		cmocka_unit_test_setup(
			one_malformed_entry_does_not_lose_the_others, setup),
		cmocka_unit_test_setup(a_device_that_is_gone_is_told_once,
				       setup),
		cmocka_unit_test_setup(
			refused_owners_are_left_to_those_that_are_known, setup),
		cmocka_unit_test_setup(
			owners_of_whom_none_is_known_are_tried_in_turn, setup),
		cmocka_unit_test_setup(draining_sends_what_refusals_add, setup),
		cmocka_unit_test_setup(errors_have_a_meaning_per_request,
				       setup),
	};

	return SUITE(tests);
}
