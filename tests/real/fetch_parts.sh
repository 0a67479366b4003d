#!/usr/bin/env bash
# Fetches the real programs that tests/real talks to, where Debian's or Ubuntu's apt can:
#
#   rsyslog and syslog-ng (with loggen) are unpacked into .parts/, not installed: as packages they
#   remove each other. Needs no root, but package lists (apt-get update).
#   postfix, dovecot and swaks have fixed paths, so they are installed, and only as root and with
#   REAL_PARTS=all: a test must not put a mail server on somebody's machine. None is started.
#   Request Tracker is installed only as root and with REAL_PARTS=rt, and nothing else then: it
#   takes a minute, so that .ci/run does it beside other work. No web server, database or cron job
#   comes with it.
#
# Asks nothing, may be run again and again, and always ends well: without apt, lists or network the
# tests that need a program skip and say which. Takes a few seconds; gives up after a minute, with
# Request Tracker after four.
set -u
cd "$(dirname "${BASH_SOURCE[0]}")/../.." || exit 0
export DEBIAN_FRONTEND=noninteractive LC_ALL=C
APT=(-q -o Acquire::Retries=0 -o Acquire::http::Timeout=10 -o Acquire::https::Timeout=10
     -o APT::Sandbox::User=root -o DPkg::Lock::Timeout=20)
deadline=$((SECONDS + 60))

left() { echo $((deadline > SECONDS ? deadline - SECONDS : 1)); }

# unpack NAME PACKAGE...: the packages and what they need that is not here, into .parts/NAME
unpack() {
    local name=$1 folder=.parts/$1 list work
    shift
    [ -e "$folder/complete" ] && return 0
    list=$(timeout "$(left)" apt-get "${APT[@]}" install -s --no-install-recommends "$@" 2>/dev/null |
        sed -n 's/^Inst \([^ ]*\) .*/\1/p')
    [ -n "${ALONE:-}" ] && list=
    work=$(mktemp -d) || return 1
    # An installed package is not in the list, but we want our own copy of it.
    # shellcheck disable=SC2046,SC2086
    if (cd "$work" && timeout "$(left)" apt-get "${APT[@]}" download \
            $(printf '%s\n' "$@" $list | sort -u)) >"$work/told" 2>&1; then
        rm -rf "$folder.new" && mkdir -p "$folder.new"
        for package in "$work"/*.deb; do
            dpkg -x "$package" "$folder.new" || { rm -rf "$folder.new" "$work"; return 1; }
        done
        rm -rf "$folder" && mv "$folder.new" "$folder" && touch "$folder/complete"
    else
        echo "real parts: $name cannot be fetched: $(tail -n 1 "$work/told")"
    fi
    rm -rf "$work"
}

# packages SECONDS PACKAGE...: install them, and start nothing
packages() {
    local seconds=$1 policy=/usr/sbin/policy-rc.d told
    shift
    if [ ! -e $policy ]; then
        printf '#!/bin/sh\nexit 101\n' >$policy && chmod 755 $policy
        trap "rm -f $policy" EXIT
    fi
    # Not every file is brought to the disk before the next: there are many.
    told=$(timeout "$seconds" apt-get "${APT[@]}" -o DPkg::Options::=--force-unsafe-io \
        install -y --no-install-recommends "$@" 2>&1 </dev/null) ||
        echo "real parts: ${*#--no-download} cannot be installed: ${told##*$'\n'}"
}

install_mail() {
    local missing=()
    command -v postfix >/dev/null || missing+=(postfix)
    command -v swaks >/dev/null || missing+=(swaks)
    command -v dovecot >/dev/null || missing+=(dovecot-imapd)
    [ ${#missing[@]} = 0 ] && return 0
    echo "postfix postfix/main_mailer_type select No configuration" |
        debconf-set-selections 2>/dev/null
    packages "$(left)" "${missing[@]}"
}

install_rt() {
    local parts=(request-tracker5 rt5-db-sqlite rt5-standalone) here
    here=$(dpkg-query -W -f '${db:Status-Status} ' "${parts[@]}" 2>/dev/null)
    [ "$here" = "installed installed installed " ] && return 0
    # No database of its own and no cron jobs: the tests make what they need.
    printf 'request-tracker5 request-tracker5/%s boolean false\n' \
        dbconfig-install install-cronjobs | debconf-set-selections 2>/dev/null
    # Fetched first, so that no slow network ends an installation midway.
    timeout 90 apt-get "${APT[@]}" install -y --no-install-recommends --download-only \
        "${parts[@]}" >/dev/null 2>&1 </dev/null
    packages 150 --no-download "${parts[@]}"
    # Its server would begin with the machine.
    command -v systemctl >/dev/null && systemctl disable request-tracker5.service 2>/dev/null
}

if ! command -v apt-get >/dev/null || ! command -v dpkg >/dev/null; then
    echo "real parts: no apt-get here; what is installed is used"
    exit 0
fi
if [ "${REAL_PARTS:-}" = rt ]; then
    [ "$(id -u)" = 0 ] && install_rt
    exit 0
fi
unpack rsyslog rsyslog rsyslog-openssl rsyslog-gnutls
unpack syslog-ng syslog-ng-core
# 100 MB for a check of the alert rules: not on somebody's laptop. promtool needs no library.
[ "${REAL_PARTS:-}" = all ] && ALONE=yes unpack prometheus prometheus
if [ "${REAL_PARTS:-}" = all ] && [ "$(id -u)" = 0 ]; then
    install_mail
fi
exit 0
