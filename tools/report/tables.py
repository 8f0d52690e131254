#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0
"""The tables of figures in README.md and Documentation/, from those of one run of
`pvkit bench all --peers --json`: what is between <!-- figures: NAME --> and <!-- end -->
is written anew.

tables.py FIGURES.json FILE.md...
"""
import json
import pathlib
import re
import sys


def rows(*lines):
    return "\n".join(lines)


def each(line, names):
    """A line for each of "label = key, label = key": {} is the key."""
    pairs = [[p.strip() for p in n.split("=")] for n in names.split(",")]
    return rows(*(f"| {label} | {line.replace('{}', key)} |" for label, key in pairs))


PERCENTILES = " / ".join("{noop.{}.read.qd1.p%s_us:.1f}" % p for p in ("50", "99", "99.9"))
# {name:format} is a figure, {name:%format} the same in percent.
TABLES = {
    "lock": rows(
        "    Lock throughput, as a share of what one vCPU alone reaches (icount, 1 pCPU,",
        "    half of the time inside the lock)",
        "",
        "      vCPUs : pCPUs      native   undirected yield      pvlock",
        *(f"          {n} : 1      {{lock.native.{n}x.efficiency:%8.1f}}   {{lock.yield.{n}x.efficiency:%14.1f}}"
          f"  {{lock.pv.{n}x.efficiency:%8.1f}}" for n in (1, 2, 4, 8))),
    "work": rows(
        "| 8 vCPUs on 2 pCPUs | native | pvlock |", "|---|---|---|",
        "| hackbench -g 4 -l 100 | {work.hackbench.native:.1f} s | {work.hackbench.pv:.1f} s |",
        "| stress-ng --rename 8 | {work.rename.native:,.0f} ops/s | {work.rename.pv:,.0f} ops/s |"),
    "exits": rows(
        "| | pvkit | Xen 4.17 | KVM (VHE) | KVM (nVHE) |", "|---|---|---|---|---|",
        "| hypercall (PSCI_VERSION) | {exits.psci_version:,.0f} (hot calls of ours: {exits.hypercall_fast:,.0f})"
        " | {peer.xen.exits.psci_version:,.0f} | {peer.kvm-vhe.exits.psci_version:,.0f} | {peer.kvm-nvhe.exits.psci_version:,.0f} |",
        each("{exits.{}:,.0f} | {peer.xen.exits.{}:,.0f} | {peer.kvm-vhe.exits.{}:,.0f} | {peer.kvm-nvhe.exits.{}:,.0f}",
             "trapped GICD read = mmio_gicd, trapped ID register = sysreg_id, read of the emulated UART = mmio_device,"
             " virtual timer interrupt = timer"),
        "| virtual IPI, both sides | {exits.ipi:,.0f} | | {peer.kvm-vhe.exits.ipi:,.0f} | {peer.kvm-nvhe.exits.ipi:,.0f} |"),
    "reads": rows(
        "| | pvkit | KVM (VHE), QEMU, same machine |", "|---|---|---|",
        "| 4 KiB read, depth 1: instructions, all told | {blk.stock.instructions_per_io:,.0f} | {peer.kvm-vhe.blk.instructions_per_io:,.0f} |",
        "| of these in the hypervisor | {blk.stock.hyp_instructions_per_io:,.0f} | |",
        "| exits per read | {blk.stock.exits_per_io:.1f} | {peer.kvm-vhe.blk.exits_per_io:.1f} |",
        "| iperf3 VM to VM, exits per MB | {net.stock.exits_per_mb:.0f} | |"),
    "virtio_pv": rows(
        "| | stock | adaptive | poll, partitioned VM |", "|---|---|---|---|",
        "| exits per 4 KiB read, depth 1 | {blk.stock.exits_per_io:.1f} | {blk.adaptive.exits_per_io:.1f} | {blk.poll.exits_per_io:.2f} |",
        "| exits per 4 KiB read, depth 32 | {blk.stock.qd32.exits_per_io:.1f} | {blk.adaptive.qd32.exits_per_io:.2f} | {blk.poll.qd32.exits_per_io:.2f} |",
        "| iperf3, exits per MB | {net.stock.exits_per_mb:.0f} | {net.adaptive.exits_per_mb:.0f} | {net.poll.partitioned.exits_per_mb:.1f} |"),
    "policies": rows(
        "| | exits, depth 1 | instructions | exits, depth 32 | iperf3 VM to VM, exits per MB |", "|---|---|---|---|---|",
        each("{blk.{}.exits_per_io:.1f} | {blk.{}.instructions_per_io:,.0f} | {blk.{}.qd32.exits_per_io:.2f} | {net.{}.exits_per_mb:.1f}",
             "stock virtio_mmio = stock, immediate = immediate, piggyback = piggyback, adaptive = adaptive"),
        "| poll, partitioned VM | {blk.poll.exits_per_io:.3f} | {blk.poll.instructions_per_io:,.0f} | {blk.poll.qd32.exits_per_io:.3f}"
        " | {net.poll.partitioned.exits_per_mb:.2f} |"),
    "real_time": rows(
        "| / stock | fio: least of 4 | mean | iperf3: least of 4 | mean |", "|---|---|---|---|---|",
        each("{blk.{}.mt.worst_ratio:.2f} | {blk.{}.mt.mean_ratio:.2f} | {net.{}.mt.worst_ratio:.2f} | {net.{}.mt.mean_ratio:.2f}",
             "immediate = immediate, piggyback = piggyback, adaptive = adaptive"),
        "| poll, 1 vCPU | {blk.poll.mt.polling.worst_ratio:.2f} | {blk.poll.mt.polling.mean_ratio:.2f} | | |"),
    "noop": rows(
        "| | read 1 | read 32 | write 1 | write 32 | IOPS 1 | IOPS 32 | latency 1, us | latency 32, us |", "|---|---|---|---|---|---|---|---|---|",
        each(" | ".join("{noop.{}.%s.guest_instructions_per_io:,.0f}" % w for w in ("read.qd1", "read.qd32", "write.qd1", "write.qd32"))
             + " | {noop.{}.read.qd1.iops:,.0f} | {noop.{}.read.qd32.iops:,.0f} | " + PERCENTILES
             + " | " + PERCENTILES.replace("qd1", "qd32").replace(".1f", ".0f"),
             "bfq = bfq, kyber = kyber, mq-deadline = mq-deadline, none = none, request mode = request, bio mode = bio,"
             " virtio_pv: none = pv.none, virtio_pv: request mode = pv.request, virtio_pv: bio mode = pv.bio")),
    "account": rows(
        "| | none | bio mode |", "|---|---|---|",
        each("{account.none.{}:,.0f} | {account.bio.{}:,.0f}",
             "fio and the C library = fio, system call and file = call, pinning and releasing the user's page = pages,"
             " block layer and its allocations = block, ring = ring, driver: virtio_blk or blk_noop = driver, interrupt = interrupt,"
             " scheduling and clocks and waiting = wait, other = other")),
    "nic": rows(
        "| | as it comes | throughput | bulk | latency |", "|---|---|---|---|---|",
        *(f"| {label} | " + " | ".join(f"{{nic.{p}.{name}}}" for p in ("stock", "throughput", "bulk", "latency")) + " |" for label, name in (
            ("TCP, 1 stream, 64 MB: exits per MB", "exits_per_mb:.1f"), ("interrupts/s", "interrupts_per_s:,.0f"),
            ("Mbit/s", "mbit:,.0f"), ("UDP, 64 bytes at 4 Mbit/s: exits per MB", "udp.exits_per_mb:,.0f"),
            ("interrupts/s", "udp.interrupts_per_s:,.0f"),
            ("sockperf ping-pong by UDP, round trip: p50, us", "pingpong.udp.p50_us:.1f"), ("p99", "pingpong.udp.p99_us:.1f"),
            ("by TCP: p50, us", "pingpong.tcp.p50_us:.1f"), ("p99", "pingpong.tcp.p99_us:.1f")))),
    "guest": rows(
        "| | instructions/s | exits/s |", "|---|---|---|",
        each("{guest.{}.instructions_per_s:,.0f} | {guest.{}.exits_per_s:.1f}",
             "as it comes = stock, without proactive compaction = compaction, without lockup watchdog = watchdog,"
             " VM statistics every 120 s = vmstat, no periodic writeback = writeback, no transparent huge pages = khugepaged,"
             " no timer migration = timer_migration, as it comes: at the end = again, **the profile: the first three** = profile,"
             " the profile but VM statistics every second = profile_but_vmstat")),
    "tick": rows(
        "| N | timer interrupts/s | timer exits/s | instructions/s lost | sleep of 300 us, worst | wake-ups later than p99.9 of N=1 | switches/s of two tasks |",
        "|---|---|---|---|---|---|---|",
        each("{tick.n{}.interrupts_per_s:.1f} | {tick.n{}.exits_per_s:.1f} | {tick.n{}.tick_instructions_per_s:,.0f} |"
             " {tick.n{}.usleep300_worst_ratio.median5:.2f} | {tick.n{}.cyclictest_late_percent.median5:.2f} % | {tick.n{}.switches_per_s:.0f}",
             "1 = 1, 2 = 2, 4 = 4, 8 = 8, 16 = 16, 32 = 32, 64 = 64")),
}


def filled(template, figures):
    def one(m):
        value, spec = figures[m[1]], m[2]
        return format(100 * value, spec[1:]) + " %" if spec[0] == "%" else format(value, spec)
    return re.sub(r"\{([^{}:]+):([^{}]*)\}", one, template)


def main(document, files):
    figures = {f["name"]: f["value"] for f in json.loads(pathlib.Path(document).read_text())["results"]}

    def table(m):
        try:
            return m[1] + filled(TABLES[m[2]], figures) + m[4]
        except KeyError as missing:
            print(f"{m[2]}: {missing} was not measured: left as it is", file=sys.stderr)
            return m[0]
    for file in map(pathlib.Path, files):
        file.write_text(re.sub(r"(<!-- figures: (\w+) -->\n\n)(.*?)(\n\n<!-- end -->)", table, file.read_text(), flags=re.S))


if __name__ == "__main__":
    if len(sys.argv) < 3:
        sys.exit(__doc__)
    main(sys.argv[1], sys.argv[2:])
