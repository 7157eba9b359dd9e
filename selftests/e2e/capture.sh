# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
#
# capture.sh: what is on the WAN, and the verdict on it. The capture is
# whitelisting: every frame must be one of the few kinds that belong there.
#
# Sourced after node.sh; defines functions only.

# Between outer addresses: ESP, IKE, and "port unreachable" about an IKE packet
# (a charon that was restarted is not listening for a moment).
CAPTURE_IKE_ERR='(icmp[0] = 3 and icmp[1] = 3 and icmp[17] = 17 and
	(icmp[30:2] = 500 or icmp[30:2] = 4500))'
CAPTURE_ALLOWED="$LINK_CHATTER or
	(src net 10.88.247.64/27 and dst net 10.88.247.64/27 and
	 (ip proto 50 or udp port 500 or udp port 4500 or $CAPTURE_IKE_ERR))"

# capture_start NAME: records the switch's traffic; returns when it records.
capture_start() {
	# Not what a capture of this name has left there.
	: >"$WORK/wan/log/capture-$1.out"
	# Headers suffice, and a whole run is many packets. Every packet is
	# written at once, so that a stop loses none.
	node_start wan "capture-$1" tcpdump -i wan-sw -n -s 128 -U \
		--immediate-mode -B 16384 -Z root -w "$WORK/wan/log/$1.pcap"
	wait_for 20 "capture '$1' runs" grep 'listening on' "$WORK/wan/log/capture-$1.out"
}

# capture_stop NAME: fails if packets were dropped before tcpdump saw them.
capture_stop() {
	node_stop wan "capture-$1" INT
	matches '^0 packets dropped by kernel' cat "$WORK/wan/log/capture-$1.out"
}

# capture_count NAME FILTER: packets that match.
capture_count() {
	tcpdump -n -r "$WORK/wan/log/$1.pcap" "$2" 2>/dev/null | wc -l
}

# capture_strangers NAME: prints what does not belong on the WAN.
capture_strangers() {
	tcpdump -n -r "$WORK/wan/log/$1.pcap" "not ($CAPTURE_ALLOWED)" 2>"$WORK/wan/log/strangers.err" ||
		fail "tcpdump: $(cat "$WORK/wan/log/strangers.err")"
}

# capture_proof: the verdict is worth something only if a leak would show. Leaks
# one packet from each side on purpose and insists that both are reported.
capture_proof() {
	local out

	capture_start proof
	# Nobody answers these; that they leave is all that matters.
	node branch ping -n -c 1 -W 1 -I 192.168.1.1 81.81.81.1 >/dev/null 2>&1 || true
	node hub ping -n -c 1 -W 1 -I 81.81.81.1 10.122.144.146 >/dev/null 2>&1 || true
	capture_stop proof
	out=$(capture_strangers proof)
	matches '192\.168\.1\.1 > 81\.81\.81\.1: ICMP echo request' echo "$out"
	matches '81\.81\.81\.1 > 10\.122\.144\.146: ICMP echo request' echo "$out"
}
