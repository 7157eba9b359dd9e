/* SPDX-License-Identifier: GPL-2.0-only */
/* Other programs: run, with what they print, and without a shell. */
#ifndef OVLY_APPLY_EXEC_H
#define OVLY_APPLY_EXEC_H

#include <stddef.h>
#include <sys/types.h>

#include "err.h"

/* What is kept of the output: its end. */
#define EXEC_OUTPUT_MAX 65536

struct exec {
	pid_t pid; /* 0: not running */
	int fd; /* its stdout and stderr */
	int status; /* exit status; 127: it is not there, 128 + n: signal n */
	size_t len;
	char out[EXEC_OUTPUT_MAX + 1];
};

/* Runs it to its end.  false: it could not be started, or did not end in time;
 * the exit status is the caller's to judge.
 */
bool exec_run(struct exec *x, const char *const *argv, unsigned int timeout_s,
	      struct err *e);
/* After an exec_run() that failed: is there no such program? */
bool exec_is_missing(const struct exec *x);
/* Starts it on a terminal of its own, so that it does not keep lines back; its
 * output is collected by exec_poll().
 */
bool exec_start(struct exec *x, const char *const *argv, struct err *e);
/* Waits for output or the end at most that long; false when it has ended. */
bool exec_poll(struct exec *x, unsigned int timeout_ms);
/* Ends it, if it still runs. */
void exec_stop(struct exec *x);
/* The last line that is not empty, for messages. */
const char *exec_last_line(const struct exec *x, char *buf, size_t size);

#endif /* OVLY_APPLY_EXEC_H */
