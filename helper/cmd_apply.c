// SPDX-License-Identifier: GPL-2.0-only
/* ovlyhelper apply: one file that configures overlays */
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "apply_daemon.h"
#include "apply_run.h"
#include "apply_wake.h"
#include "apply_wan.h"
#include "args.h"
#include "cmd.h"
#include "conf_parse.h"
#include "log.h"
#include "out.h"

static const char *const print_words[] = { "strongswan", "bird", NULL };

enum { PRINT_STRONGSWAN, PRINT_BIRD };
enum { HAS_PRINT = 1 };

struct apply_args {
	const char *file;
	bool check, diff, dry_run, wake, json, force, no_wait;
	uint32_t has, print, timeout, bird_version;
	const char *swanctl_dir, *strongswan_conf, *bird_conf, *bird6_conf;
	const char *bird_socket, *command;
};

static bool parse(int argc, char **argv, struct apply_args *a, struct err *e)
{
	const struct arg args[] = {
		ARG("check", ARG_FLAG, &a->check),
		ARG("diff", ARG_FLAG, &a->diff),
		ARG("dry-run", ARG_FLAG, &a->dry_run),
		ARG("print", ARG_WORD, &a->print, .words = print_words,
		    .has = &a->has, .bit = HAS_PRINT),
		ARG("wake", ARG_FLAG, &a->wake),
		ARG("json", ARG_FLAG, &a->json),
		ARG("force", ARG_FLAG, &a->force),
		ARG("no-wait", ARG_FLAG, &a->no_wait),
		ARG("timeout", ARG_U32, &a->timeout, .min = 1, .max = 3600),
		ARG("swanctl-dir", ARG_TEXT, &a->swanctl_dir),
		ARG("strongswan-conf", ARG_TEXT, &a->strongswan_conf),
		ARG("bird-conf", ARG_TEXT, &a->bird_conf),
		ARG("bird6-conf", ARG_TEXT, &a->bird6_conf),
		ARG("bird-socket", ARG_TEXT, &a->bird_socket),
		ARG("bird-version", ARG_U32, &a->bird_version, .min = 1,
		    .max = 3),
		ARG("updown-command", ARG_TEXT, &a->command),
		ARG_END,
	};

	memset(a, 0, sizeof(*a));
	a->timeout = 60;
	a->swanctl_dir = "/etc/swanctl/conf.d";
	a->strongswan_conf = "/etc/strongswan.d/ovly.conf";
	a->bird_conf = "/etc/bird/bird.conf";
	a->bird6_conf = "/etc/bird/bird6.conf";
	if (!args_parse(argc, argv, args, &a->file, 1, e))
		return false;
	if (!a->file)
		return err_usage(e, "the file is missing");
	if (a->check + a->diff + a->dry_run + a->wake + (a->has & HAS_PRINT) > 1)
		return err_set(e, EXIT_USAGE,
			       "--check, --diff, --dry-run, --print and --wake exclude each other");
	if (a->json && !a->check && !a->diff && !a->dry_run)
		return err_set(e, EXIT_USAGE,
			       "--json goes with --check, --diff and --dry-run");
	return true;
}

static json_t *messages(const struct conf_diags *diags)
{
	json_t *list = json_array();
	unsigned int i;

	for (i = 0; i < diags->n; i++) {
		const struct conf_diag *d = &diags->d[i];

		json_array_append_new(list, json_pack("{s:i, s:i, s:s, s:s}",
			"line", (int)d->at.line, "column", (int)d->at.col,
			"severity", d->warning ? "warning" : "error",
			"text", d->text));
	}
	return list;
}

/* The messages, and whether there is an error among them. */
static bool tell(const struct apply_args *a, struct conf_diags *diags,
		 struct err *e)
{
	if (!a->json)
		conf_diags_print(stderr, a->file, diags);
	else if (diags->errors)
		out_json(json_pack("{s:s, s:b, s:o}", "file", a->file, "ok", 0,
				   "messages", messages(diags)));
	if (!diags->errors)
		return true;
	return err_set(e, EXIT_USAGE, "%s: %u error%s, nothing was changed",
		       a->file, diags->errors, diags->errors == 1 ? "" : "s");
}

static void told_good(const struct apply_args *a, const struct conf *conf,
		      const struct conf_diags *diags)
{
	if (a->json)
		out_json(json_pack("{s:s, s:b, s:i, s:i, s:o}", "file", a->file,
				   "ok", 1, "overlays", (int)conf->overlays,
				   "neighbors", (int)conf->bgp.neighbors,
				   "messages", messages(diags)));
	else
		printf("%s: good, %u overlay%s, %u BGP neighbour%s\n", a->file,
		       conf->overlays, conf->overlays == 1 ? "" : "s",
		       conf->bgp.neighbors,
		       conf->bgp.neighbors == 1 ? "" : "s");
}

static bool print(const struct apply_args *a, struct apply *apply,
		  struct err *e)
{
	struct conf_gen gen = apply->gen;

	gen.hide_secrets = true;
	if (a->print == PRINT_BIRD) {
		if (gen.bird != 1)
			return conf_gen_bird(stdout, apply->conf, &gen, 0, e);
		/* two daemons, two files */
		return conf_gen_bird(stdout, apply->conf, &gen, AF_INET, e) &&
		       puts("\n# ---- bird6.conf ----") != EOF &&
		       conf_gen_bird(stdout, apply->conf, &gen, AF_INET6, e);
	}
	conf_gen_strongswan(stdout, apply->conf, &gen);
	puts("");
	conf_gen_swanctl(stdout, apply->conf, &gen);
	puts("");
	conf_gen_secrets(stdout, apply->conf, &gen);
	return true;
}

static const char *change_of(const struct apply_file *f)
{
	return !f->changed ? "none" : f->have ? "change" : "create";
}

static void show_plan_json(const struct apply *apply,
			   const struct conf_diags *diags)
{
	json_t *files = json_array(), *devices = json_array();
	char text[APPLY_STEP_MAX];
	unsigned int i;

	for (i = 0; i < FILES; i++)
		if (apply->file[i].path)
			json_array_append_new(files, json_pack("{s:s, s:s}",
				"path", apply->file[i].path,
				"change", change_of(&apply->file[i])));
	for (i = 0; i < apply->steps.n; i++)
		json_array_append_new(devices, json_string(
			apply_step_str(&apply->steps.step[i], text,
				       sizeof(text))));
	out_json(json_pack("{s:b, s:o, s:o, s:o}", "changed",
			   apply_differs(apply), "files", files, "devices",
			   devices, "messages", messages(diags)));
}

static void show_plan(const struct apply *apply, bool diff)
{
	char text[APPLY_STEP_MAX];
	unsigned int i;

	for (i = 0; i < FILES; i++) {
		if (!apply->file[i].path || !apply->file[i].changed)
			continue;
		if (diff)
			apply_file_diff(&apply->file[i]);
		else
			printf("file        would %s %s\n",
			       change_of(&apply->file[i]), apply->file[i].path);
	}
	for (i = 0; i < apply->steps.n; i++)
		printf("device      %s\n",
		       apply_step_str(&apply->steps.step[i], text,
				      sizeof(text)));
	if (!apply_differs(apply))
		puts("nothing to change");
}

/* The file has keys, and so should be its owner's only. */
static void check_mode(const char *file)
{
	struct stat st;

	if (!stat(file, &st) && S_ISREG(st.st_mode) && st.st_mode & 0044)
		log_warn("%s has keys and others can read it: chmod 600 %s",
			 file, file);
}

/* What the generated files name: paths without what has a meaning there. */
static bool set_gen(const struct apply_args *a, struct conf_gen *gen,
		    char source[PATH_MAX], char self[PATH_MAX], struct err *e)
{
	ssize_t n;

	if (!realpath(a->file, source))
		strcpy(source, "-");
	gen->source = source;
	gen->command = a->command;
	if (!gen->command) {
		n = readlink("/proc/self/exe", self, PATH_MAX - 1);
		self[n > 0 ? n : 0] = '\0';
		gen->command = self;
	}
	if (gen->command[0] != '/' || strpbrk(gen->command, " \t\n\"\\'$`;&|<>(){}#"))
		return err_set(e, EXIT_USAGE,
			       "updown-command: '%s' is no plain absolute path",
			       gen->command);
	if (strpbrk(source, "\n\r"))
		return err_set(e, EXIT_USAGE, "the file's name is no line");
	return true;
}

static bool set_bird(const struct apply_args *a, struct apply *apply,
		     struct err *e)
{
	apply->gen.bird = a->bird_version;
	if (apply->gen.bird || !apply->conf->bgp.at.line)
		return true;
	apply->gen.bird = apply_bird_version(&apply->x);
	if (apply->gen.bird)
		return true;
	/* to look at, the usual one will do */
	apply->gen.bird = 2;
	return a->has & HAS_PRINT ||
	       err_set(e, EXIT_UNAVAILABLE,
		       "the file has a 'router bgp', and BIRD is not installed: apt-get install bird2");
}

static bool go(const struct apply_args *a, struct apply *apply,
	       struct conf_diags *diags, struct err *e)
{
	bool print_only = a->has & HAS_PRINT;

	if (!set_bird(a, apply, e) || !ovly_nl_open(&apply->nl, false, e))
		return false;
	/* for people these were printed already */
	if (!a->json)
		diags->n = 0;
	if (!apply_resolve(&apply->nl, apply->conf, diags, e))
		return false;
	if (print_only) {
		unsigned int i;

		/* also on a host that is not the one */
		for (i = 0; i < apply->conf->overlays; i++)
			apply->conf->overlay[i].wan[CONF_WAN].absent =
				apply->conf->overlay[i].wan[CONF_DUAL].absent =
					false;
		return print(a, apply, e);
	}
	if (!tell(a, diags, e) || !apply_plan(apply, e))
		return false;
	if (a->json)
		show_plan_json(apply, diags);
	else if (a->diff || a->dry_run)
		show_plan(apply, a->diff);
	else
		return apply_run(apply, e);
	return true;
}

/* Paths of the two files in swanctl's directory. */
static bool set_paths(const struct apply_args *a, struct apply *apply,
		      char *paths[2], struct err *e)
{
	if (asprintf(&paths[0], "%s/ovly.conf", a->swanctl_dir) < 0 ||
	    asprintf(&paths[1], "%s/ovly-secrets.conf", a->swanctl_dir) < 0)
		return err_set(e, EXIT_REFUSED, "out of memory");
	apply->file[FILE_SWANCTL].path = paths[0];
	apply->file[FILE_SECRETS].path = paths[1];
	apply->file[FILE_STRONGSWAN].path = a->strongswan_conf;
	apply->file[FILE_BIRD].path = a->bird_conf;
	apply->file[FILE_BIRD6].path = a->bird6_conf;
	apply->bird_socket = a->bird_socket;
	apply->force = a->force;
	apply->no_wait = a->no_wait;
	apply->timeout_s = a->timeout;
	return true;
}

static bool run(int argc, char **argv, struct err *e)
{
	struct apply *apply = calloc(1, sizeof(*apply));
	char source[PATH_MAX], self[PATH_MAX];
	char *text = NULL, *paths[2] = { NULL };
	struct conf conf = { 0 };
	struct conf_diags diags;
	struct apply_args a;
	bool ok = false;
	size_t len = 0;

	if (!apply)
		return err_set(e, EXIT_REFUSED, "out of memory");
	if (!parse(argc, argv, &a, e))
		goto out;
	text = apply_slurp(a.file, CONF_SIZE_MAX, &len, e);
	if (!text) {
		if (!e->text[0])
			err_set(e, EXIT_USAGE, "there is no file '%.200s'",
				a.file);
		goto out;
	}
	conf_read(text, len, &conf, &diags);
	/* again and again would be too often */
	if (conf.overlays && !a.wake)
		check_mode(a.file);
	apply->conf = &conf;
	if (!tell(&a, &diags, e))
		goto out;
	if (a.check) {
		told_good(&a, &conf, &diags);
		ok = true;
		goto out;
	}
	if (a.wake) {
		ok = set_paths(&a, apply, paths, e) && apply_wake_run(apply, e);
		goto out;
	}
	ok = set_gen(&a, &apply->gen, source, self, e) &&
	     set_paths(&a, apply, paths, e) && go(&a, apply, &diags, e);
	ovly_nl_close(&apply->nl);
out:
	apply_free(apply);
	conf_free(&conf);
	if (text)
		explicit_bzero(text, len);
	free(text);
	free(paths[0]);
	free(paths[1]);
	free(apply);
	return ok;
}

const struct command cmd_apply = {
	.name = "apply",
	.run = run,
	.summary = "configure overlays from one file, see ovly.conf(5)",
	.synopsis = "FILE [OPTION [VALUE]]...",
	.usage =
"  --check                    read and check the file, and no more\n"
"  --diff                     show what would change in files and devices\n"
"  --dry-run                  the same, without the files' contents\n"
"  --print strongswan|bird    print that daemon's configuration, without secrets\n"
"  --wake                     only connect overlays that strongSwan gave up\n"
"  --json                     for --check, --diff and --dry-run\n"
"  --force                    overwrite files of somebody else, and keep them\n"
"  --no-wait                  do not wait until the overlays are up\n"
"  --timeout SECONDS          wait that long at most, 1 to 3600; 60\n"
"  --swanctl-dir DIR          /etc/swanctl/conf.d\n"
"  --strongswan-conf FILE     /etc/strongswan.d/ovly.conf\n"
"  --bird-conf FILE           /etc/bird/bird.conf\n"
"  --bird6-conf FILE          /etc/bird/bird6.conf, with BIRD 1.6\n"
"  --bird-socket FILE         BIRD's control socket; BIRD's own place\n"
"  --bird-version N           1, 2 or 3; that of the installed one\n"
"  --updown-command FILE      the helper in strongSwan's updown line; itself\n",
	.examples =
"  ovlyhelper apply /etc/ovly.conf --check\n"
"  ovlyhelper apply /etc/ovly.conf --diff\n"
"  ovlyhelper apply /etc/ovly.conf\n",
	.exits =
"0 done and, unless told not to wait, up; 1 refused or failed",
};
