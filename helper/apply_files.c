// SPDX-License-Identifier: GPL-2.0-only
#include "apply_files.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <libgen.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "apply_exec.h"
#include "conf_gen.h"

/* Thousands of branches are some megabytes. */
#define WRITTEN_MAX (64u << 20)
#define SAVED ".before-ovly"

char *apply_slurp(const char *path, size_t max, size_t *len, struct err *e)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	size_t size = 0, n = 0;
	char *text = NULL;
	ssize_t got = 1;

	e->text[0] = '\0';
	if (fd < 0) {
		if (errno != ENOENT)
			err_set(e, errno == EACCES ? EXIT_PERMISSION :
						     EXIT_REFUSED,
				"cannot read %s: %s%s", path, strerror(errno),
				errno == EACCES ? ": run this as root" : "");
		return NULL;
	}
	while (got > 0) {
		if (size - n < 2) {
			char *more;

			size = size ? size * 2 : 65536;
			more = size <= 2 * max + 65536 ?
				       realloc(text, size) : NULL;
			if (!more) {
				err_set(e, EXIT_REFUSED, "%s is too large",
					path);
				goto err_free;
			}
			text = more;
		}
		got = read(fd, text + n, size - n - 1);
		if (got < 0 && errno == EINTR)
			got = 1;
		else if (got > 0)
			n += (size_t)got;
	}
	if (got < 0) {
		err_set(e, EXIT_REFUSED, "cannot read %s: %s", path,
			strerror(errno));
		goto err_free;
	}
	close(fd);
	text[n] = '\0';
	if (len)
		*len = n;
	return text;

err_free:
	close(fd);
	free(text);
	errno = 0;
	return NULL;
}

static bool is_ours(const char *text)
{
	return !strncmp(text, CONF_MARK, strlen(CONF_MARK));
}

bool apply_file_load(struct apply_file *f, char *want, bool force,
		     struct err *e)
{
	struct stat st;

	f->want = want;
	f->have = apply_slurp(f->path, WRITTEN_MAX, NULL, e);
	if (!f->have) {
		f->changed = true;
		return !e->text[0];
	}
	f->changed = strcmp(f->have, f->want) != 0;
	if (f->secret && !stat(f->path, &st) && st.st_mode & 077)
		f->changed = true;
	if (!f->have[0] || is_ours(f->have) || force)
		return true;
	return err_set(e, EXIT_REFUSED,
		       "%s was not written by 'ovlyhelper apply' and would be overwritten: move it away, or use --force, which keeps it as %s" SAVED,
		       f->path, f->path);
}

/* Owner and mode as they were; a new bird.conf belongs to BIRD's group, as it
 * may have passwords.
 */
static void give_mode(const struct apply_file *f, int fd)
{
	struct group *bird = getgrnam("bird");
	struct stat st;

	if (f->secret) {
		fchmod(fd, 0600);
	} else if (!stat(f->path, &st)) {
		fchmod(fd, st.st_mode & 0777);
		if (fchown(fd, st.st_uid, st.st_gid))
			fchmod(fd, st.st_mode & 0700);
	} else if (!strstr(f->want, "\tpassword \"")) {
		fchmod(fd, 0644);
	} else if (bird && !fchown(fd, (uid_t)-1, bird->gr_gid)) {
		fchmod(fd, 0640);
	}
}

bool apply_file_stage(struct apply_file *f, struct err *e)
{
	size_t len = strlen(f->want), done = 0;
	int fd = -1;

	if (asprintf(&f->staged, "%s.XXXXXX", f->path) < 0)
		f->staged = NULL;
	else
		fd = mkostemp(f->staged, O_CLOEXEC);
	if (fd < 0) {
		err_set(e, errno == EACCES || errno == EPERM ?
				   EXIT_PERMISSION : EXIT_REFUSED,
			"cannot write %s: %s%s", f->path, strerror(errno),
			errno == ENOENT ?
				": is that daemon installed? other places can be given, see ovlyhelper-apply(8)" :
			errno == EACCES || errno == EPERM ?
				": run this as root" : "");
		free(f->staged);
		f->staged = NULL;
		return false;
	}
	give_mode(f, fd);
	while (done < len) {
		ssize_t n = write(fd, f->want + done, len - done);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			break;
		done += (size_t)n;
	}
	if (done < len || fsync(fd) || close(fd))
		return err_set(e, EXIT_REFUSED, "cannot write %s: %s",
			       f->staged, strerror(errno));
	return true;
}

static void sync_dir(const char *path)
{
	char *copy = strdup(path);
	int fd;

	if (!copy)
		return;
	fd = open(dirname(copy), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd >= 0) {
		fsync(fd);
		close(fd);
	}
	free(copy);
}

bool apply_file_commit(struct apply_file *f, struct err *e)
{
	char *saved;

	if (f->have && f->have[0] && !is_ours(f->have)) {
		/* the first one is what was there before us */
		if (asprintf(&saved, "%s" SAVED, f->path) < 0)
			return err_set(e, EXIT_REFUSED, "out of memory");
		if (link(f->path, saved) && errno != EEXIST) {
			err_set(e, EXIT_REFUSED, "cannot keep %s as %s: %s",
				f->path, saved, strerror(errno));
			free(saved);
			return false;
		}
		free(saved);
	}
	if (rename(f->staged, f->path))
		return err_set(e, EXIT_REFUSED, "cannot write %s: %s", f->path,
			       strerror(errno));
	free(f->staged);
	f->staged = NULL;
	sync_dir(f->path);
	return true;
}

/* A copy in memory, with placeholders for secrets, that another program can
 * open as /proc/self/fd/N.
 */
static int hidden_copy(const char *text)
{
	static const char *const keys[] = { "\tsecret = ", "\tpassword " };
	int fd = memfd_create("ovly", 0);
	FILE *out = fd < 0 ? NULL : fdopen(dup(fd), "w");

	while (out && *text) {
		size_t len = strcspn(text, "\n"), k, show = len;

		for (k = 0; k < 2; k++) {
			const char *key = memmem(text, len, keys[k],
						 strlen(keys[k]));

			if (key)
				show = (size_t)(key - text) + strlen(keys[k]);
		}
		fwrite(text, 1, show, out);
		fputs(show < len ? CONF_PLACEHOLDER "\n" : "\n", out);
		text += len + (text[len] == '\n');
	}
	if (out)
		fclose(out);
	return fd;
}

void apply_file_diff(const struct apply_file *f)
{
	int have = hidden_copy(f->have ? f->have : "");
	int want = hidden_copy(f->want);
	char a[40], b[40];
	const char *argv[] = { "diff", "-u", "--label", f->path, "--label",
			       f->path, a, b, NULL };
	struct exec *x = malloc(sizeof(*x));
	struct err e;

	snprintf(a, sizeof(a), "/proc/self/fd/%d", have);
	snprintf(b, sizeof(b), "/proc/self/fd/%d", want);
	if (x && have >= 0 && want >= 0 && exec_run(x, argv, 60, &e) &&
	    x->status == 1)
		fputs(x->out, stdout);
	else
		printf("%s: %s\n", f->path,
		       f->secret ? "its secrets change" : "it changes");
	free(x);
	if (have >= 0)
		close(have);
	if (want >= 0)
		close(want);
}

static void wipe(char *text)
{
	if (text)
		explicit_bzero(text, strlen(text));
	free(text);
}

void apply_file_free(struct apply_file *f)
{
	if (f->staged)
		unlink(f->staged);
	free(f->staged);
	wipe(f->want);
	wipe(f->have);
	f->staged = f->want = f->have = NULL;
}
