// SPDX-License-Identifier: GPL-2.0-only
#include "apply_wait.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "apply_daemon.h"
#include "apply_wake.h"
#include "conf_gen.h"
#include "conf_log.h"
#include "conf_manifest.h"
#include "ctl.h"
#include "log.h"
#include "rtnl.h"

#define POLL_MS 100
/* after something that another try does not mend: the other path may work */
#define GRACE_MS 3000
/* for a branch that a change at the head-end has cut off: it connects again */
#define BACK_MS 15000
/* a head-end may have cut off thousands */
#define AWAY_MAX 5
#define LINES 6

struct watch {
	const struct conf_overlay *o;
	struct apply_peer_state before;
	bool changed; /* it was up, by what charon is told to change */
	struct conf_progress progress;
	bool up, done;
	uint64_t stopped_ms;
	/* the last lines of charon's log about it */
	char line[LINES][256];
	unsigned int lines;
	const char *told;
};

struct apply_peer_state apply_look(struct ovly_nl *nl,
				   const struct conf_overlay *o)
{
	struct apply_peer_state state = { 0 };
	struct ovly_peer key = { .has = HAS(OVLY_A_PEER_NAME) };
	struct ovly_req req = { .peer = &key };
	struct ovly_nl_error refusal;
	struct ovly_link link;
	struct ovly_msg reply;
	struct err ignored;

	if (!nl->family && !ovly_nl_resolve(nl))
		return state;
	if (!ovly_rtnl_link_get(nl, o->dev, &link, &ignored) || !link.ifindex)
		return state;
	req.ifindex = link.ifindex;
	strcpy(key.name, o->name);
	if (ovly_ctl_do(nl, OVLY_CMD_PEER_GET, 0, &req, &reply, &refusal)) {
		state.up = reply.peer.state == OVLY_PEER_UP;
		state.transitions = reply.peer.transitions;
	}
	return state;
}

void apply_wait_begin(struct apply_wait *w)
{
	static const char *const argv[] = { "swanctl", "--log", "--raw", NULL };
	struct err e;

	if (!exec_start(w->log, argv, &e))
		log_warn("charon's log cannot be followed: %s", e.text);
}

/* ---- charon's log ---- */

static struct watch *watch_of(struct watch *all, unsigned int n,
			      const char *connection)
{
	char name[OVLY_NAME_MAX + 1];
	unsigned int i, wan;

	for (i = 0; i < n; i++)
		for (wan = 0; wan < CONF_WANS; wan++)
			if (!strcmp(conf_connection(all[i].o, wan, name),
				    connection))
				return &all[i];
	return NULL;
}

static void take_line(struct watch *all, unsigned int n, const char *line)
{
	char connection[OVLY_NAME_MAX + 1], message[256];
	struct watch *w;
	char *c;

	if (!conf_log_split(line, connection, sizeof(connection), message,
			    sizeof(message)))
		return;
	w = watch_of(all, n, connection);
	if (!w || w->done)
		return;
	for (c = message; *c; c++)
		if ((unsigned char)*c < ' ')
			*c = ' ';
	conf_log_follow(&w->progress, message);
	snprintf(w->line[w->lines++ % LINES], sizeof(w->line[0]), "%s",
		 message);
}

static void follow_log(struct exec *log, struct watch *all, unsigned int n)
{
	char *line = log->out, *end;

	exec_poll(log, POLL_MS);
	while ((end = strchr(line, '\n'))) {
		*end = '\0';
		take_line(all, n, line);
		line = end + 1;
	}
	/* the beginning of a line stays for the next time */
	log->len -= (size_t)(line - log->out);
	memmove(log->out, line, log->len + 1);
}

/* ---- progress ---- */

static void tell_up(const struct watch *w, uint64_t since_ms)
{
	uint64_t ms = log_now_ms() - since_ms;

	if (w->told)
		printf("%-11s up after %u.%u s\n", w->o->name,
		       (unsigned int)(ms / 1000), (unsigned int)(ms % 1000 / 100));
	else
		printf("%-11s up\n", w->o->name);
	fflush(stdout);
}

static bool is_branch(const struct watch *w)
{
	return w->o->role == CONF_BRANCH;
}

static void tell_stage(struct watch *w)
{
	const char *stage = is_branch(w) || w->progress.stage ?
				    conf_log_stage(&w->progress) :
				    "waiting for its branch to come back";

	if (w->told == stage)
		return;
	w->told = stage;
	printf("%-11s %s ...\n", w->o->name, stage);
	fflush(stdout);
}

static void tell_failure(const struct watch *w)
{
	const struct conf_progress *p = &w->progress;
	unsigned int first = w->lines > LINES ? w->lines - LINES : 0;
	unsigned int i;

	if (is_branch(w))
		printf("%-11s not up: %s\n", w->o->name, conf_log_stage(p));
	else
		printf("%-11s not back yet, its branch has to connect again\n",
		       w->o->name);
	if (p->why[0])
		printf("            reason: %s\n", p->why);
	if (p->hint)
		printf("            hint: %s\n", p->hint);
	else if (p->stage == STAGE_IKE && p->retransmits)
		printf(
			"            hint: is %s right, is UDP port 500 open, is the head-end there?\n",
		       w->o->wan[CONF_WAN].remote);
	for (i = first; i < w->lines; i++)
		printf("            charon: %s\n", w->line[i % LINES]);
	if (!w->lines && is_branch(w))
		printf("            charon said nothing of it: see its log\n");
	fflush(stdout);
}

/* A connection that charon has had before may be asleep: nobody connects it, or
 * it is up without the module's knowing, as after its device was deleted.
 */
static void wake(struct apply_wait *w, const struct conf_overlay *o)
{
	char name[OVLY_NAME_MAX + 1];
	unsigned int wan;

	for (wan = 0; wan < CONF_WANS; wan++) {
		if (!conf_has_connection(o, wan))
			continue;
		conf_connection(o, wan, name);
		if (conf_same_section(w->have, w->want, name) &&
		    strstr(apply_charon_sas(w->x, name), "INSTALLED"))
			apply_charon_terminate(w->x, name);
	}
	apply_wake(w->x, o);
}

static bool has_changed(const struct apply_wait *w, const struct conf_overlay *o)
{
	char name[OVLY_NAME_MAX + 1];
	unsigned int wan;

	for (wan = 0; wan < CONF_WANS; wan++)
		if (!conf_same_section(w->have, w->want,
				       conf_connection(o, wan, name)) &&
		    conf_has_connection(o, wan))
			return true;
	return false;
}

/* charon ends what has changed, and not at once: up is what came after that. */
static bool is_up_again(struct apply_wait *w, const struct watch *x,
			uint64_t after_ms)
{
	struct apply_peer_state now = apply_look(w->nl, x->o);

	if (!now.up || !x->changed || !w->log->pid)
		return now.up;
	return x->progress.stage == STAGE_UPDOWN ||
	       now.transitions != x->before.transitions ||
	       /* the change was none to charon */
	       (!x->lines && after_ms > GRACE_MS);
}

static bool all_done(struct apply_wait *w, struct watch *all, unsigned int n,
		     uint64_t start)
{
	uint64_t now = log_now_ms();
	unsigned int i, left = 0;

	for (i = 0; i < n; i++) {
		struct watch *x = &all[i];

		if (x->done)
			continue;
		if (is_up_again(w, x, now - start)) {
			x->up = x->done = true;
			tell_up(x, start);
			continue;
		}
		tell_stage(x);
		if (!x->progress.stopped)
			x->stopped_ms = 0;
		else if (!x->stopped_ms)
			x->stopped_ms = now;
		x->done = (x->stopped_ms && now - x->stopped_ms > GRACE_MS) ||
			  (!is_branch(x) && now - start > BACK_MS);
		left += !x->done;
	}
	return !left;
}

bool apply_wait_run(struct apply_wait *w, struct err *e)
{
	struct watch *all = calloc(w->conf->overlays + 1, sizeof(*all));
	uint64_t start = log_now_ms();
	unsigned int n = 0, i, down = 0, given_up = 0, away = 0;

	if (!all)
		return err_set(e, EXIT_REFUSED, "out of memory");
	for (i = 0; i < w->conf->overlays; i++) {
		const struct conf_overlay *o = &w->conf->overlay[i];
		bool changed = w->before[i].up && has_changed(w, o);

		if (o->role != CONF_BRANCH && !changed)
			continue;
		all[n].o = o;
		all[n].before = w->before[i];
		all[n++].changed = changed;
	}
	for (i = 0; i < n; i++)
		if (is_branch(&all[i]) && !apply_look(w->nl, all[i].o).up)
			wake(w, all[i].o);
	while (!all_done(w, all, n, start)) {
		if (log_now_ms() - start > w->timeout_s * 1000ull)
			break;
		if (w->log->pid)
			follow_log(w->log, all, n);
		else
			usleep(POLL_MS * 1000);
	}
	for (i = 0; i < n; i++) {
		if (all[i].up)
			continue;
		down += is_branch(&all[i]);
		given_up += is_branch(&all[i]) && all[i].progress.stopped;
		away += !is_branch(&all[i]);
		if (is_branch(&all[i]) || away <= AWAY_MAX)
			tell_failure(&all[i]);
	}
	if (away > AWAY_MAX)
		printf("head-end    %u more are not back yet\n",
		       away - AWAY_MAX);
	free(all);
	if (!down)
		return true;
	if (!given_up)
		return err_set(e, EXIT_REFUSED,
			       "%u of %u overlays not up, strongSwan goes on trying",
			       down, n);
	return err_set(e, EXIT_REFUSED,
		       "%u of %u overlays not up, and of %u strongSwan takes no for an answer: mend that, then 'ovlyhelper apply FILE --wake'",
		       down, n, given_up);
}
