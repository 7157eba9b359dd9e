#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# debug-kunit.sh: the module's KUnit suites in a guest of check-debug. Loading the
# module runs them, and what they found is in the kernel's log.

# shellcheck source=selftests/lib.sh
. "${OVLY_TOP:?}/selftests/lib.sh"
# shellcheck source=selftests/lab/ktap.sh
. "$OVLY_TOP/selftests/lab/ktap.sh"

OVLY_KO=${OVLY_KO%.ko}-kunit.ko
kernel_log_mark
load_ovly && unload_ovly
rc=$?
kernel_log_since | sed 's/^\[[^]]*\] //' | kunit_flatten ''
exit $rc
