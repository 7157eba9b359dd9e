// SPDX-License-Identifier: GPL-2.0-only
#include "apply_daemon.h"

#include <stdio.h>
#include <string.h>

#include "conf_words.h"

#define QUICK_S 20
/* thousands of connections take their time */
#define LOAD_S 300

unsigned int apply_bird_version(struct exec *x)
{
	static const char *const argv[] = { "bird", "--version", NULL };
	struct err e;

	return exec_run(x, argv, QUICK_S, &e) ? conf_version(x->out) : 0;
}

/* The output as one line, the way to the staged file left out of it. */
static const char *said(const struct exec *x, char *buf, size_t size)
{
	const char *last = exec_last_line(x, buf, size);

	return last[0] ? last : "it says nothing";
}

bool apply_bird_check(struct exec *x, const char *program, const char *path,
		      struct err *e)
{
	const char *argv[] = { program, "-p", "-c", path, NULL };
	char buf[256];

	if (!exec_run(x, argv, QUICK_S, e) || !x->status)
		return true;
	return err_set(e, EXIT_REFUSED, "BIRD does not take its new file: %s",
		       said(x, buf, sizeof(buf)));
}

bool apply_bird_configure(struct exec *x, const char *program,
			  const char *socket, struct err *e)
{
	const char *argv[] = { program, "-s", socket, "configure", NULL };
	const char *plain[] = { program, "configure", NULL };
	char buf[256];

	if (!exec_run(x, socket ? argv : plain, QUICK_S, e))
		return false;
	if (strstr(x->out, "Reconfigur"))
		return true;
	if (strstr(x->out, "BIRD") && strstr(x->out, "ready"))
		return err_set(e, EXIT_REFUSED, "BIRD: %s",
			       said(x, buf, sizeof(buf)));
	return err_set(e, EXIT_UNAVAILABLE,
		       "BIRD does not answer: %s; start it (systemctl start bird), it then reads the new file",
		       said(x, buf, sizeof(buf)));
}

enum apply_charon apply_charon_state(struct exec *x)
{
	static const char *const argv[] = { "swanctl", "--stats", NULL };
	struct err e;

	if (exec_run(x, argv, QUICK_S, &e))
		return x->status ? CHARON_SILENT : CHARON_ANSWERS;
	return exec_is_missing(x) ? CHARON_MISSING : CHARON_SILENT;
}

/* What swanctl complains of: the line that says "failed". */
static const char *complaint(const struct exec *x, char *buf, size_t size)
{
	const char *line, *next;

	for (line = x->out; *line; line = next) {
		size_t len = strcspn(line, "\n");

		next = line + len + (line[len] == '\n');
		if (!memmem(line, len, "failed", 6) ||
		    !memcmp(line, "loaded", len < 6 ? len : 6))
			continue;
		snprintf(buf, size, "%.*s", (int)len, line);
		return buf;
	}
	return said(x, buf, size);
}

bool apply_charon_load(struct exec *x, struct err *e)
{
	static const char *const argv[] = { "swanctl", "--load-all",
					    "--noprompt", NULL };
	char buf[256];

	if (!exec_run(x, argv, LOAD_S, e))
		return false;
	return !x->status ||
	       err_set(e, EXIT_REFUSED, "strongSwan does not load it: %s",
		       complaint(x, buf, sizeof(buf)));
}

bool apply_charon_loaded(const struct exec *x, const char *connection)
{
	char line[160];

	snprintf(line, sizeof(line), "loaded connection '%s'", connection);
	return strstr(x->out, line);
}

void apply_charon_settings(struct exec *x)
{
	static const char *const argv[] = { "swanctl", "--reload-settings",
					    NULL };
	struct err e;

	exec_run(x, argv, QUICK_S, &e);
}

/* From the first "NAME: #1, ..." on: swanctl may have complained before it. */
static const char *first_sa(const char *said, const char *connection)
{
	const char *line, *next;
	size_t len = strlen(connection);

	for (line = said; *line; line = next) {
		if (!strncmp(line, connection, len) &&
		    !strncmp(line + len, ": #", 3))
			return line;
		next = strchrnul(line, '\n');
		next += *next == '\n';
	}
	return line;
}

const char *apply_charon_sas(struct exec *x, const char *connection)
{
	const char *argv[] = { "swanctl", "--list-sas", "--ike", connection,
			       NULL };
	struct err e;

	if (!exec_run(x, argv, QUICK_S, &e) || x->status)
		return "";
	return first_sa(x->out, connection);
}

void apply_charon_initiate(struct exec *x, const char *connection)
{
	/* goes on in the background after that second */
	const char *argv[] = { "swanctl", "--initiate", "--child", connection,
			       "--ike", connection, "--timeout", "1", NULL };
	struct err e;

	exec_run(x, argv, QUICK_S, &e);
}

void apply_charon_terminate(struct exec *x, const char *connection)
{
	const char *argv[] = { "swanctl", "--terminate", "--ike", connection,
			       "--timeout", "5", NULL };
	struct err e;

	exec_run(x, argv, QUICK_S, &e);
}
