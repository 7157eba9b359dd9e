#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# guest-shell.sh: the job of `selftests/run shell`.

# shellcheck source=selftests/lib.sh
. "$OVLY_TOP/selftests/lib.sh"
cd "$OVLY_TOP" || exit 1
guest_shell "the guest"
