#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0
"""A page of `pvkit bench --json`'s figures: self-contained HTML, or Markdown.

page.py html|markdown FIGURES.json
page.py picture FIGURES.json    the plot of lock throughput alone, for the README
"""
import html
import io
import json
import pathlib
import re
import sys

MODULES = [("stock", "stock"), ("pvlock", "pvlock"), ("pvclock", "pvclock, N = 16"), ("blk-noop", "blk-noop"),
           ("virtio_pv", "virtio_pv"), ("all", "all")]
OVERCOMMIT = [("1", "1 : 1"), ("2", "2 : 1"), ("4", "4 : 1")]

# Section: title, text, charts (title, unit, {label: pattern of names}, series). A name
# is made of a label's and a series' pattern; what was not measured is left out.
SECTIONS = [
    ("Locks", "Sections of a contended spinlock per time, as a share of what one vCPU alone reaches. "
     "All vCPUs share one physical CPU.",
     [("Lock throughput by overcommit", "share of one vCPU alone", "lock.{series}.{label}.efficiency",
       [("1x", "1 : 1"), ("2x", "2 : 1"), ("4x", "4 : 1"), ("8x", "8 : 1")],
       [("native", "stock"), ("yield", "undirected yield"), ("pv", "pvlock")]),
      ("The same in real time, 8 vCPUs on 2 physical CPUs", "sections/s", "lock.mt.{label}.rate",
       [("native", "stock"), ("pv", "pvlock"), ("fit_native", "stock, 2 vCPUs"), ("fit_pv", "pvlock, 2 vCPUs")], [("", "all")]),
      ("hackbench in real time, 8 vCPUs on 2 physical CPUs", "seconds", "work.hackbench.{label}",
       [("native", "stock"), ("pv", "pvlock")], [("", "all")]),
      ("Renaming files in real time, 8 vCPUs on 2 physical CPUs", "operations/s", "work.rename.{label}",
       [("native", "stock"), ("pv", "pvlock")], [("", "all")])]),
    ("Each module alone, and all", "The same work in a guest as it comes, with one module, and with all; 1, 2 and 4 vCPUs share one "
     "physical CPU.",
     [("hackbench -g 1 -l 12, in real time", "seconds", "matrix.{series}x.{label}.hackbench_s", MODULES, OVERCOMMIT),
      ("Sections of a contended lock, in real time", "sections/s", "matrix.{series}x.{label}.lock_rate", MODULES, OVERCOMMIT),
      ("4 KiB reads at depth 1", "IOPS", "matrix.{series}x.{label}.read_iops", MODULES, OVERCOMMIT),
      ("Exits while one task computes", "exits/s", "matrix.{series}x.{label}.busy_exits_per_s", MODULES, OVERCOMMIT)]),
    ("Exits", "What leaving the guest costs the hypervisor, in executed instructions.",
     [("Instructions per exit", "instructions", "exits.{label}",
       [("hypercall", "hypercall"), ("hypercall_fast", "hot hypercall"), ("mmio_gicd", "GICD read"),
        ("sysreg_id", "ID register"), ("timer", "timer interrupt"), ("ipi", "IPI, both sides")], [("", "pvkit")])]),
    ("Disks", "fio, 4 KiB random reads from a disk in RAM, by the stock transport and by each policy of virtio_pv.",
     [("Exits per read", "exits", "blk.{label}.{series}",
       [("stock", "stock"), ("immediate", "immediate"), ("piggyback", "piggyback"), ("adaptive", "adaptive"), ("poll", "poll")],
       [("exits_per_io", "depth 1"), ("qd32.exits_per_io", "depth 32")]),
      ("Instructions per read, depth 1, guest and hypervisor", "instructions", "blk.{label}.instructions_per_io",
       [("stock", "stock"), ("immediate", "immediate"), ("piggyback", "piggyback"), ("adaptive", "adaptive"), ("poll", "poll")],
       [("", "all")]),
      ("Guest instructions by scheduler and by mode of blk-noop", "instructions", "noop.{label}.read.{series}.guest_instructions_per_io",
       [("bfq", "bfq"), ("kyber", "kyber"), ("mq-deadline", "mq-deadline"), ("none", "none"), ("request", "request mode"), ("bio", "bio mode")],
       [("qd1", "depth 1"), ("qd32", "depth 32")])]),
    ("Networks", "iperf3 between two VMs on one physical CPU.",
     [("Exits per MB", "exits", "net.{label}.exits_per_mb",
       [("stock", "stock"), ("immediate", "immediate"), ("piggyback", "piggyback"), ("adaptive", "adaptive")], [("", "TCP, both VMs")]),
      ("Throughput", "Mbit/s", "net.{label}.{series}.mbit",
       [("stock", "stock"), ("immediate", "immediate"), ("piggyback", "piggyback"), ("adaptive", "adaptive")],
       [("tcp1", "1 stream"), ("tcp4", "4 streams")]),
      ("Interrupts of the NICs by profile of pvnic", "interrupts/s", "nic.{label}.{series}interrupts_per_s",
       [("stock", "as it comes"), ("throughput", "throughput"), ("bulk", "bulk"), ("latency", "latency")],
       [("", "TCP"), ("udp.", "UDP, 64 bytes")])]),
    ("Tick", "A vCPU that computes, by the divisor of pvclock.",
     [("Timer interrupts", "interrupts/s", "tick.{label}.interrupts_per_s",
       [(f"n{n}", f"N = {n}") for n in (1, 2, 4, 8, 16, 32, 64)], [("", "per second")])]),
    ("Idle guests", "A guest of two vCPUs that has nothing to do.",
     [("Instructions", "instructions/s", "guest.{label}.instructions_per_s",
       [("stock", "as it comes"), ("compaction", "no compaction"), ("watchdog", "no watchdog"), ("vmstat", "lazy statistics"),
        ("profile", "the profile")], [("", "per second")])]),
    ("Boot and size", "", []),
    ("Beside KVM and Xen", "The same guests on the same emulated machine: KVM of Debian's kernel with Debian's QEMU, with VHE and "
     "without, and Debian's Xen 4.17 (dom0less, so without disks). An exit of KVM to QEMU and back is part of its figures. "
     "What is marked as published or projected was not measured here.",
     [("Instructions per exit, by hypervisor", "instructions", "{series}.{label}",
       [("psci_version", "hypercall"), ("mmio_gicd", "GICD read"), ("mmio_device", "UART read"), ("sysreg_id", "ID register"),
        ("timer", "timer interrupt"), ("self_sgi", "IPI to itself"), ("ipi", "IPI, both sides")],
       [("exits", "pvkit"), ("peer.xen.exits", "Xen"), ("peer.kvm-vhe.exits", "KVM, VHE"), ("peer.kvm-nvhe.exits", "KVM, nVHE")]),
      ("Lock throughput by overcommit and hypervisor", "share of one vCPU alone", "{series}.{label}.efficiency",
       [("2x", "2 : 1"), ("4x", "4 : 1")],
       [("lock.pv", "pvkit, pvlock"), ("peer.ours.lock.native", "pvkit, stock guest"), ("peer.xen.lock.native", "Xen"),
        ("peer.kvm-vhe.lock.native", "KVM, VHE"), ("peer.kvm-nvhe.lock.native", "KVM, nVHE")]),
      ("Exits per 4 KiB read, depth 1", "exits", "{label}.exits_per_io",
       [("blk.stock", "pvkit, stock guest"), ("blk.adaptive", "pvkit, virtio_pv"), ("peer.kvm-vhe.blk", "KVM, VHE"), ("peer.kvm-nvhe.blk", "KVM, nVHE")],
       [("", "all")]),
      ("Instructions per 4 KiB read, depth 1, guest and host", "instructions", "{label}.instructions_per_io",
       [("blk.stock", "pvkit, stock guest"), ("blk.adaptive", "pvkit, virtio_pv"), ("peer.kvm-vhe.blk", "KVM, VHE"), ("peer.kvm-nvhe.blk", "KVM, nVHE")],
       [("", "all")]),
      ("Boot to init", "ms of the guest's clock", "{label}",
       [("boot.el1_ms", "no hypervisor"), ("boot.stub_ms", "pvkit"), ("peer.xen.boot.ms", "Xen"), ("peer.kvm-vhe.boot.ms", "KVM, VHE"),
        ("peer.kvm-nvhe.boot.ms", "KVM, nVHE")], [("", "all")]),
      ("Published, on hardware (ISCA 2016)", "cycles", "published.{series}.{label}",
       [("hypercall", "hypercall"), ("interrupt_controller_trap", "GICD access"), ("virtual_ipi", "IPI"), ("io_latency_out", "kick to back end")],
       [("xen", "Xen 4.5"), ("kvm", "KVM, Linux 4.0, nVHE")]),
      ("Projection to that hardware: exits of a 4 KiB read", "cycles", "projection.blk.{label}.exit_cycles_per_io",
       [("stock", "pvkit, stock guest"), ("adaptive", "pvkit, virtio_pv"), ("kvm-nvhe", "KVM, nVHE")], [("", "all")])]),
]
PARTS = {"Locks": ("lock", "lock_rt", "work_rt"), "Each module alone, and all": ("matrix", "matrix_rt"), "Exits": ("exits",), "Disks": ("blk", "blk_rt", "noop", "account"),
         "Networks": ("net", "net_rt", "nic"),
         "Tick": ("tick",), "Idle guests": ("guest", "partition", "partition_rt"), "Boot and size": ("boot", "size"),
         "Beside KVM and Xen": ("peers", "projection")}
FEATURES = [
    ("Paravirtual spinlocks, by insmod into an unmodified kernel", "pvlock", "Locks"),
    ("Mutexes and rwsems stop spinning for an owner that does not run", "pvlock", "Locks"),
    ("A coarse tick that leaves high-resolution timers exact", "pvclock", "Tick"),
    ("Many kicks in one exit, or none at all", "virtio_pv", "Disks, Networks"),
    ("No I/O scheduler, or no request layer", "blk-noop", "Disks"),
    ("NIC settings for virtual machines", "pvnic", "Networks"),
    ("Disks, networks and consoles in the hypervisor, stolen time, partitioned VMs", "hyp-stub", "Exits, Boot and size"),
    ("Live exit statistics in the guest", "pvstat", ""),
]
# In both colour schemes, and told apart by those who see colours otherwise.
COLOURS = ["#8a8f98", "#e0912f", "#2f7fd0", "#3aa17e", "#a05fb4"]


def text_of(value):
    if isinstance(value, int) or abs(value) >= 1000:
        return f"{value:,.0f}"
    return f"{value:.3g}"


def chart(figures, title, unit, pattern, labels, series):
    """An SVG of grouped bars, and its rows; None if nothing of it was measured."""
    import matplotlib
    matplotlib.use("svg")
    import matplotlib.pyplot as plt
    matplotlib.rcParams.update({"svg.fonttype": "none", "svg.hashsalt": "pvkit", "font.size": 10})

    def figure(label, one):
        return figures.get(pattern.format(label=label, series=one).replace("..", "."), {})

    def value(label, one):
        return figure(label, one).get("value")
    labels = [(k, t) for k, t in labels if any(value(k, s) is not None for s, _ in series)]
    series = [(k, t) for k, t in series if any(value(k2, k) is not None for k2, _ in labels)]
    if not labels:
        return None
    height = 0.9 + 0.26 * len(labels) * len(series) + 0.14 * len(labels)
    fig, ax = plt.subplots(figsize=(6.2, height))
    width = 0.8 / len(series)
    largest = max(figure(k, s).get("most", value(k, s)) or 0 for k, _ in labels for s, _ in series) or 1
    for i, (one, name) in enumerate(series):
        at = [n + i * width for n in range(len(labels))]
        values = [value(k, one) for k, _ in labels]
        ax.barh(at, [v or 0 for v in values], width * 0.9, label=name, color=COLOURS[(i + (len(series) == 1) * 2) % len(COLOURS)])
        for y, (key, _), v in zip(at, labels, values):
            if v is None:
                continue
            end = v
            if "most" in figure(key, one):      # the spread of several runs
                least, end = figure(key, one)["least"], max(v, figure(key, one)["most"])
                ax.errorbar(v, y, xerr=[[v - least], [end - v]], color="black", capsize=2, linewidth=1)
            ax.text(end + largest * 0.01, y, text_of(v), va="center", fontsize=8.5)
    ax.set_yticks([n + width * (len(series) - 1) / 2 for n in range(len(labels))], [t for _, t in labels])
    ax.invert_yaxis()
    ax.set_xlim(0, largest * 1.14)
    ax.set_xlabel(unit)
    for side in ("top", "right", "left"):
        ax.spines[side].set_visible(False)
    ax.tick_params(axis="y", length=0)
    if len(series) > 1:
        ax.legend(frameon=False, fontsize=8.5, loc="upper center", bbox_to_anchor=(0.5, 1 + 0.45 / height), ncol=len(series))
    out = io.StringIO()
    fig.savefig(out, format="svg", transparent=True, bbox_inches="tight", metadata={"Date": None})
    plt.close(fig)
    svg = out.getvalue()
    svg = svg[svg.index("<svg"):]
    # Black is whatever the page's text is: it follows the colour scheme. Ids are one name
    # space in a page.
    svg = re.sub(r"#000000|#262626|\bblack\b", "currentColor", svg)
    svg = re.sub(r"<text(?=[^>]*style=\")", '<text fill="currentColor"', svg)
    prefix = re.sub(r"\W+", "-", title) + "-"
    svg = re.sub(r'(\bid="|url\(#|href="#)', lambda m: m.group(1) + prefix, svg)
    svg = re.sub(r'<svg[^>]*viewBox="([^"]*)"[^>]*>',
                 rf'<svg viewBox="\1" role="img" aria-label="{html.escape(title)}" xmlns="http://www.w3.org/2000/svg" '
                 r'xmlns:xlink="http://www.w3.org/1999/xlink">', svg, count=1)
    return svg


STYLE = """
:root { color-scheme: light dark; --fg: #1b1f24; --bg: #fff; --soft: #f2f4f7; --line: #d5dae1; --dim: #57606a; }
@media (prefers-color-scheme: dark) { :root { --fg: #e6e9ee; --bg: #14171c; --soft: #1e232b; --line: #363d48; --dim: #9aa4b1; } }
* { box-sizing: border-box; }
body { margin: 0 auto; padding: 1rem; max-width: 60rem; font: 16px/1.5 system-ui, sans-serif; color: var(--fg); background: var(--bg); }
h1 { font-size: 1.6rem; } h2 { margin-top: 2.5rem; border-bottom: 1px solid var(--line); } h3 { font-size: 1rem; margin-bottom: 0; }
svg { width: 100%; height: auto; max-width: 46rem; display: block; color: var(--fg); }
.wide { overflow-x: auto; } table { border-collapse: collapse; width: 100%; font-size: 0.85rem; }
th, td { text-align: left; padding: 0.25rem 0.5rem; border-bottom: 1px solid var(--line); vertical-align: top; }
td.n { text-align: right; white-space: nowrap; font-variant-numeric: tabular-nums; } td.name { overflow-wrap: anywhere; min-width: 10rem; }
td.how { color: var(--dim); } details { background: var(--soft); padding: 0.5rem 0.75rem; border-radius: 6px; margin-top: 1rem; }
summary { cursor: pointer; } .dim { color: var(--dim); }
"""


def value_of(figure):
    value = format(figure["value"], ",") if isinstance(figure["value"], int) else str(figure["value"])
    return f'{value} ({text_of(figure["least"])} to {text_of(figure["most"])})' if "most" in figure else value


def rows_of(document, parts):
    return [f for f in document["results"] if f["part"] in parts]


def about(document):
    build, machine = document["build"], document["machine"]
    kind = ", shorter runs (--quick)" if document["options"]["quick"] else ""
    return (f"pvkit {build['commit']}, guest kernel {build['kernel']}, compiler {build['compiler']}; "
            f"QEMU {machine['qemu']} on {machine['cpus']} CPUs of {machine['arch']}{kind}.")


NOTE = ("Figures marked “=” are of runs under QEMU's -icount: one instruction is one nanosecond, "
        "and each run of this build gives the same to the last digit; a spread there is that of five shifted starts. The others are in real time on an "
        "emulator, medians with the least and the most of several runs, and only their ratios mean something. Nothing here is a measurement of hardware.")


def page(document):
    figures = {f["name"]: f for f in document["results"]}
    out = ['<!doctype html><html lang="en"><head><meta charset="utf-8">',
           '<meta name="viewport" content="width=device-width, initial-scale=1"><title>pvkit: figures</title>',
           f"<style>{STYLE}</style></head><body><h1>pvkit: before and after</h1>",
           f"<p>{html.escape(about(document))}</p><p class=dim>{html.escape(NOTE)}</p>",
           "<div class=wide><table><tr><th>what<th>by<th>figures</tr>"]
    out += [f"<tr><td>{html.escape(a)}<td>{html.escape(b)}<td>{html.escape(c)}</tr>" for a, b, c in FEATURES]
    out.append("</table></div>")
    for title, text, charts in SECTIONS:
        rows = rows_of(document, PARTS[title])
        if not rows:
            continue
        out.append(f"<section><h2>{html.escape(title)}</h2><p>{html.escape(text)}</p>")
        for one in charts:
            svg = chart(figures, *one)
            if svg:
                out.append(f"<h3>{html.escape(one[0])}</h3>{svg}")
        out.append(f"<details><summary>{len(rows)} figures, and how each was got</summary><div class=wide><table>"
                   "<tr><th>name<th>value<th>unit<th>how</tr>")
        for f in rows:
            same = "=" if f["deterministic"] else ""
            out.append(f'<tr><td class=name>{html.escape(f["name"])}<td class=n>{same} {html.escape(value_of(f))}'
                       f'<td>{html.escape(f["unit"])}<td class=how>{html.escape(f["how"])}</tr>')
        out.append("</table></div></details></section>")
    out.append("</body></html>")
    return "\n".join(out)


def markdown(document):
    out = ["# pvkit: before and after", "", about(document), "", NOTE, ""]
    for title, text, _ in SECTIONS:
        rows = rows_of(document, PARTS[title])
        if rows:
            out += [f"## {title}", "", text, "", "| | | | how |", "|---|---|---|---|"]
            out += [f'| {f["name"]} | {"= " if f["deterministic"] else ""}{value_of(f)} | {f["unit"]} | {f["how"]} |' for f in rows]
            out.append("")
    return "\n".join(out)


def picture(document):
    svg = chart({f["name"]: f for f in document["results"]}, *SECTIONS[0][2][0])
    style = "svg{color:#1b1f24}@media (prefers-color-scheme:dark){svg{color:#e6e9ee}}"
    return svg.replace(">", f"><style>{style}</style>", 1)


KINDS = {"html": page, "markdown": markdown, "picture": picture}

if __name__ == "__main__":
    if len(sys.argv) != 3 or sys.argv[1] not in KINDS:
        sys.exit(__doc__)
    print(KINDS[sys.argv[1]](json.loads(pathlib.Path(sys.argv[2]).read_text())))
