// SPDX-License-Identifier: GPL-2.0-only
/* ovlyhelper metrics: OpenMetrics text for a collector */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "args.h"
#include "cmd.h"
#include "host.h"
#include "metrics.h"

static bool cannot_write(struct err *e, const char *path)
{
	return err_set(e, EXIT_REFUSED, "cannot write '%.200s': %s", path,
		       strerror(errno));
}

/* A collector may read at any moment: it sees the old file or the new one. */
static bool write_file(const char *path, const struct metrics_in *in,
		       struct err *e)
{
	char temp[4096];
	bool ok = false;
	FILE *out;
	int fd;

	/* a collector reads *.prom only, so not this one */
	if ((size_t)snprintf(temp, sizeof(temp), "%s.XXXXXX", path) >=
	    sizeof(temp))
		return err_set(e, EXIT_USAGE, "output: the path is too long");
	fd = mkstemp(temp);
	if (fd < 0)
		return cannot_write(e, path);
	out = fdopen(fd, "w");
	if (!out) {
		close(fd);
		goto out;
	}
	metrics_write(out, in);
	/* collectors run as somebody else */
	ok = !fchmod(fd, 0644) && !fflush(out) && !ferror(out) && !fsync(fd);
	ok = !fclose(out) && ok;
	ok = ok && !rename(temp, path);
out:
	if (ok)
		return true;
	cannot_write(e, path);
	unlink(temp);
	return false;
}

static bool collect(const char *path, struct ovly_nl *nl, struct err *e)
{
	struct host host = { 0 };
	struct metrics_in in = { 0 };
	struct timespec now;
	char version[64];
	bool ok;

	clock_gettime(CLOCK_REALTIME, &now);
	in.now = (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
	ok = host_read_module(&host, nl, e);
	if (ok) {
		in.dev = (struct metrics_list){ host.dev, host.devs };
		in.peer = (struct metrics_list){ host.peer, host.peers };
		in.path = (struct metrics_list){ host.path, host.paths };
		if (host_module_version(&host, version, sizeof(version)))
			in.module = version;
		if (path)
			ok = write_file(path, &in, e);
		else
			metrics_write(stdout, &in);
	}
	host_free(&host);
	return ok;
}

static bool run(int argc, char **argv, struct err *e)
{
	const char *path = NULL;
	const struct arg args[] = {
		ARG("output", ARG_TEXT, &path),
		ARG_END,
	};
	struct ovly_nl nl;
	bool ok;

	if (!args_parse(argc, argv, args, NULL, 0, e) ||
	    !ovly_nl_open(&nl, true, e))
		return false;
	ok = collect(path, &nl, e);
	ovly_nl_close(&nl);
	return ok;
}

const struct command cmd_metrics = {
	.name = "metrics",
	.run = run,
	.summary = "print OpenMetrics text for a collector",
	.synopsis = "[--output FILE]",
	.usage =
"  --output FILE   replace this file in one step, so that a collector never\n"
"                  reads half of it; standard output\n",
	.notes =
"Gauges and counters of devices, peers and paths.\n",
	.examples =
"  ovlyhelper metrics\n"
"  ovlyhelper metrics --output /var/lib/prometheus/node-exporter/ovly.prom\n",
};
