// SPDX-License-Identifier: GPL-2.0-only
#include "apply_run.h"

#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>

#include "apply_daemon.h"
#include "apply_ready.h"
#include "log.h"

/* ---- the plan ---- */

static bool generate(struct apply *a, unsigned int file, char **text,
		     struct err *e)
{
	bool one = a->gen.bird == 1, ok = true;
	FILE *out;
	size_t size;

	*text = NULL;
	out = open_memstream(text, &size);
	if (!out)
		return err_set(e, EXIT_REFUSED, "out of memory");
	switch (file) {
	case FILE_STRONGSWAN:
		conf_gen_strongswan(out, a->conf, &a->gen);
		break;
	case FILE_SWANCTL:
		conf_gen_swanctl(out, a->conf, &a->gen);
		break;
	case FILE_SECRETS:
		conf_gen_secrets(out, a->conf, &a->gen);
		break;
	case FILE_BIRD:
		ok = conf_gen_bird(out, a->conf, &a->gen, one ? AF_INET : 0, e);
		break;
	case FILE_BIRD6:
		ok = conf_gen_bird(out, a->conf, &a->gen, AF_INET6, e);
		break;
	}
	if (fclose(out) && ok)
		ok = err_set(e, EXIT_REFUSED, "out of memory");
	if (!ok) {
		free(*text);
		*text = NULL;
	}
	return ok;
}

/* Is the file one that an earlier apply wrote?  Then it is kept right, also
 * when there is nothing left to say in it.
 */
static bool was_written(const char *path)
{
	char line[sizeof(CONF_MARK)] = "";
	FILE *f = fopen(path, "re");
	bool ours;

	if (!f)
		return false;
	ours = fgets(line, sizeof(line), f) && !strcmp(line, CONF_MARK);
	fclose(f);
	return ours;
}

static bool is_wanted(const struct apply *a, unsigned int file)
{
	bool bgp = a->conf->bgp.at.line;

	switch (file) {
	case FILE_BIRD:
		return (bgp && (a->gen.bird != 1 ||
				conf_bgp_has_family(a->conf, AF_INET) ||
				!conf_bgp_has_family(a->conf, AF_INET6))) ||
		       was_written(a->file[file].path);
	case FILE_BIRD6:
		return a->gen.bird == 1 &&
		       ((bgp && conf_bgp_has_family(a->conf, AF_INET6)) ||
			was_written(a->file[file].path));
	default:
		return a->conf->overlays || was_written(a->file[file].path);
	}
}

bool apply_plan(struct apply *a, struct err *e)
{
	const char *have;
	unsigned int i;
	char *text;

	for (i = 0; i < FILES; i++) {
		if (!is_wanted(a, i)) {
			a->file[i].path = NULL;
			continue;
		}
		a->file[i].secret = i == FILE_SECRETS;
		if (!generate(a, i, &text, e) ||
		    !apply_file_load(&a->file[i], text, a->force, e))
			return false;
	}
	have = a->file[FILE_SWANCTL].have;
	if (!conf_manifest_read(have ? have : "", &a->old))
		return err_set(e, EXIT_REFUSED, "out of memory");
	return apply_dev_plan(&a->nl, a->conf, &a->old, &a->steps, e);
}

bool apply_differs(const struct apply *a)
{
	unsigned int i;

	for (i = 0; i < FILES; i++)
		if (a->file[i].path && a->file[i].changed)
			return true;
	return a->steps.n;
}

void apply_free(struct apply *a)
{
	unsigned int i;

	for (i = 0; i < FILES; i++)
		apply_file_free(&a->file[i]);
	conf_manifest_free(&a->old);
	apply_steps_free(&a->steps);
	exec_stop(&a->log);
	free(a->before);
}

/* ---- doing it ---- */

bool apply_lock(const struct apply *a, struct err *e)
{
	char *path = strdup(a->file[FILE_SWANCTL].path ?
				    a->file[FILE_SWANCTL].path : "/");
	int fd;

	if (!path)
		return err_set(e, EXIT_REFUSED, "out of memory");
	fd = open(dirname(path), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	free(path);
	/* without the directory writing will say so */
	if (fd < 0 || !flock(fd, LOCK_EX | LOCK_NB) || errno != EWOULDBLOCK)
		return true;
	close(fd);
	return err_set(e, EXIT_REFUSED, "another 'ovlyhelper apply' is at work");
}

static bool stage_files(struct apply *a, struct err *e)
{
	unsigned int i;

	for (i = 0; i < FILES; i++)
		if (a->file[i].path && a->file[i].changed &&
		    !apply_file_stage(&a->file[i], e))
			return false;
	return (!a->file[FILE_BIRD].staged ||
		apply_bird_check(&a->x, "bird", a->file[FILE_BIRD].staged,
				 e)) &&
	       (!a->file[FILE_BIRD6].staged ||
		apply_bird_check(&a->x, "bird6", a->file[FILE_BIRD6].staged,
				 e));
}

static bool commit_files(struct apply *a, struct err *e)
{
	unsigned int i;

	for (i = 0; i < FILES; i++) {
		if (!a->file[i].staged)
			continue;
		if (!apply_file_commit(&a->file[i], e))
			return false;
		printf("file        wrote %s\n", a->file[i].path);
	}
	fflush(stdout);
	return true;
}

/* charon ends what was loaded with a start_action when it is unloaded or
 * changes.  The others, a head-end's, it would leave as they were.
 */
static void end_connections(struct apply *a, bool removed)
{
	const char *have = a->file[FILE_SWANCTL].have;
	const char *want = a->file[FILE_SWANCTL].want;
	const char *old, *new;
	char name[OVLY_NAME_MAX + 1];
	size_t old_len, new_len;
	unsigned int i, k;

	for (i = 0; i < a->old.n; i++) {
		for (k = 0; k < CONF_WANS; k++) {
			snprintf(name, sizeof(name), "%.*s%s", CONF_NAME_MAX,
				 a->old.made[i].name, k ? CONF_DUAL_SUFFIX : "");
			old = conf_section(have, name, &old_len);
			new = conf_section(want, name, &new_len);
			if (!old || removed != !new)
				continue;
			if (new && (memmem(new, new_len, "start_action", 12) ||
				    conf_same_section(have, want, name)))
				continue;
			if (removed && !apply_charon_sas(&a->x, name)[0])
				continue;
			apply_charon_terminate(&a->x, name);
			printf("strongSwan  ended connection %s\n", name);
		}
	}
}

/* A branch may have connected again before its connection was unloaded: what it
 * brought with it goes as well, and what that was in the way of comes.
 */
static bool remove_again(struct apply *a, struct err *e)
{
	struct apply_steps steps = { 0 };
	bool ok;

	end_connections(a, true);
	ok = apply_dev_plan(&a->nl, a->conf, &a->old, &steps, e) &&
	     apply_dev_run(&a->nl, &steps, true, e) &&
	     apply_dev_run(&a->nl, &steps, false, e);
	apply_steps_free(&steps);
	return ok;
}

static bool tell_bird(struct apply *a, struct err *e)
{
	if (a->file[FILE_BIRD].path &&
	    !apply_bird_configure(&a->x, "birdc", a->bird_socket, e))
		return false;
	if (a->file[FILE_BIRD6].path &&
	    !apply_bird_configure(&a->x, "birdc6", NULL, e))
		return false;
	if (a->file[FILE_BIRD].path && a->file[FILE_BIRD].changed)
		printf("BIRD        reconfigured\n");
	return true;
}

/* strongSwan has loaded what it found: did it find our file? */
static bool check_loaded(const struct apply *a, struct err *e)
{
	char name[OVLY_NAME_MAX + 1];
	unsigned int i, wan, n = 0;

	for (i = 0; i < a->conf->overlays; i++) {
		for (wan = 0; wan < CONF_WANS; wan++) {
			if (!conf_has_connection(&a->conf->overlay[i], wan))
				continue;
			n++;
			if (apply_charon_loaded(&a->x, conf_connection(
						&a->conf->overlay[i], wan, name)))
				return true;
		}
	}
	return !n || err_set(e, EXIT_REFUSED,
			     "strongSwan does not read %s: /etc/swanctl/swanctl.conf needs the line 'include conf.d/*.conf'",
			     a->file[FILE_SWANCTL].path);
}

static bool tell_charon(struct apply *a, struct err *e)
{
	bool changed = a->file[FILE_SWANCTL].changed ||
		       a->file[FILE_SECRETS].changed;

	if (a->file[FILE_STRONGSWAN].changed) {
		apply_charon_settings(&a->x);
		log_warn(
			"%s is new, and strongSwan reads a part of it at its start only: restart it once, when that suits (systemctl restart strongswan)",
			 a->file[FILE_STRONGSWAN].path);
	}
	if (!apply_charon_load(&a->x, e) || !check_loaded(a, e))
		return false;
	if (a->file[FILE_SWANCTL].changed && !remove_again(a, e))
		return false;
	end_connections(a, false);
	if (changed)
		printf("strongSwan  loaded\n");
	fflush(stdout);
	return true;
}

/* Where the distribution starts daemons, say which one is missing. */
static void check_bridge(struct apply *a)
{
	static const char *const argv[] = { "systemctl", "is-active", "--quiet",
					    "ovly-bridge", NULL };
	struct err e;

	if (!a->conf->bgp.at.line || access("/run/systemd/system", F_OK))
		return;
	if (exec_run(&a->x, argv, 10, &e) && a->x.status)
		log_warn(
			"the bridge does not run, BGP's routes stay in BIRD: systemctl enable --now ovly-bridge");
}

static void tell_head_end(struct apply *a)
{
	unsigned int i, n = 0, up = 0;

	for (i = 0; i < a->conf->overlays; i++) {
		const struct conf_overlay *o = &a->conf->overlay[i];

		if (o->role != CONF_HEAD_END || conf_takes_anybody(o))
			continue;
		n++;
		up += apply_look(&a->nl, o).up;
	}
	if (n)
		printf("head-end    %u of %u overlays up, others wait for their branch\n",
		       up, n);
}

/* Who is up before anything is changed. */
static bool look_around(struct apply *a, struct err *e)
{
	unsigned int i;

	a->before = calloc(a->conf->overlays + 1, sizeof(*a->before));
	if (!a->before)
		return err_set(e, EXIT_REFUSED, "out of memory");
	for (i = 0; i < a->conf->overlays; i++)
		if (!conf_takes_anybody(&a->conf->overlay[i]))
			a->before[i] = apply_look(&a->nl, &a->conf->overlay[i]);
	return true;
}

/* What has to be there before anything is changed. */
static bool check_parts(struct apply *a, enum apply_charon charon,
			struct err *e)
{
	static const char *const argv[] = { "modprobe", "-q", "ovly", NULL };

	if (!a->conf->overlays)
		return true;
	if (charon == CHARON_MISSING)
		return err_set(e, EXIT_UNAVAILABLE,
			       "strongSwan is not installed: apt-get install strongswan-swanctl charon-systemd");
	if (a->nl.family || ovly_nl_resolve(&a->nl))
		return true;
	exec_run(&a->x, argv, 20, e);
	return ovly_nl_resolve(&a->nl) || ovly_nl_no_module(e);
}

/* Waits for what can come by itself, a head-end's branches not included. */
static bool wait_for_all(struct apply *a, struct apply_wait *wait, bool bird,
			 struct err *e)
{
	struct apply_ready ready = {
		.nl = &a->nl, .conf = a->conf, .timeout_s = a->timeout_s,
		.bird = bird ? a->gen.bird : 0, .bird_socket = a->bird_socket,
	};

	return apply_ready_run(&ready, e) && apply_wait_run(wait, e);
}

bool apply_run(struct apply *a, struct err *e)
{
	struct apply_wait wait = {
		.nl = &a->nl, .conf = a->conf, .x = &a->x, .log = &a->log,
		.timeout_s = a->timeout_s,
		.have = a->file[FILE_SWANCTL].have,
		.want = a->file[FILE_SWANCTL].want,
	};
	bool differs = apply_differs(a);
	enum apply_charon charon;
	bool ok = true;
	struct err bird;

	/* in a pipe, too, an error comes after what was done before it */
	setlinebuf(stdout);
	charon = apply_charon_state(&a->x);
	if (!check_parts(a, charon, e) || !apply_lock(a, e) || !look_around(a, e) ||
	    !stage_files(a, e))
		return false;
	wait.before = a->before;
	if (charon == CHARON_ANSWERS)
		end_connections(a, true);
	/* in this order: a run that ends here finds in the old file what is
	 * left to remove
	 */
	if (!apply_dev_run(&a->nl, &a->steps, true, e) || !commit_files(a, e) ||
	    !apply_dev_run(&a->nl, &a->steps, false, e))
		return false;
	if (!differs)
		printf("nothing to change\n");
	/* what BIRD says must not keep the tunnel from coming up */
	ok = tell_bird(a, &bird);
	if (charon != CHARON_ANSWERS && a->conf->overlays)
		return err_set(e, EXIT_UNAVAILABLE,
			       "strongSwan does not answer: start it (systemctl start strongswan), it then reads the new files");
	if (charon == CHARON_ANSWERS) {
		if (!a->no_wait)
			apply_wait_begin(&wait);
		if (!tell_charon(a, e) ||
		    (!a->no_wait && !wait_for_all(a, &wait, ok, e)))
			return false;
	}
	tell_head_end(a);
	check_bridge(a);
	if (!ok)
		*e = bird;
	return ok;
}
