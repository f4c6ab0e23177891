#!/usr/bin/env python3
"""List the operations of a training step of our graph by time, and save a timeline for chrome://tracing.

    python -m benchmarks.profile --section 3

An operation's time is from its start to its end. Operations that run in parallel therefore add up to more than the time
of the step, and tracing itself takes some time.
"""
from __future__ import annotations

import collections
import dataclasses
import statistics
import sys
from pathlib import Path

from benchmarks import tasks
from tf1_autoencoders.reporting import tables
from tf1_autoencoders.sections import SECTIONS
from tf1_autoencoders.training.session import TimedSession
from tf1_autoencoders.utils import cli
from tf1_autoencoders.utils.files import write_atomically
from tf1_autoencoders.utils.frameworks import tf1
from tf1_autoencoders.utils.paths import RESULTS, display_path

WARM_UP = 3  # steps before the traced ones
N_STEPS = 5


class TracedSession(TimedSession):
    """A TimedSession that keeps TensorFlow's trace of each run while `tracing` is true."""

    one_thread_executor = "DEFAULT"  # the single-threaded executor cannot be traced

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        self.tracing, self.traces = False, []

    def run(self, fetches, feed_dict=None):
        if not self.tracing:
            return super().run(fetches, feed_dict)
        self.traces.append(tf1.RunMetadata())
        return self.tf1_session.run(fetches, feed_dict, tf1.RunOptions(trace_level=tf1.RunOptions.FULL_TRACE),
                                    self.traces[-1])

    def callable(self, fetches):
        return lambda: self.run(fetches)  # a prepared step cannot be traced


def main(argv=None):
    parser = cli.Parser(prog="benchmarks/profile.py", description=__doc__)
    parser.add_argument("--section", required=True, choices=[*map(str, SECTIONS)], metavar="N", help="1, 2, 3 or 4")
    parser.add_argument("--top", type=cli.whole_number(1), default=25, metavar="K",
                        help="number of operations to print (default: 25)")
    parser.add_argument("--threads", type=cli.whole_number(0), default=0, metavar="T",
                        help="CPU threads (default: 0, TensorFlow's choice)")
    parser.add_argument("--precision", default="float32", choices=["float32", "bfloat16"],
                        help="number type of products and convolutions, as in run_all.py (default: float32)")
    parser.add_argument("--out", default=str(RESULTS), metavar="DIR",
                        help="folder for the timeline (default: results/)")
    return cli.run_command(parser, profile, argv)


def profile(args):
    """Trace some steps, print two tables, and save the timeline of the last step."""
    from benchmarks import graph
    folder, number = Path(args.out), int(args.section)
    folder.mkdir(parents=True, exist_ok=True)
    task = tasks.make_task(number, dataclasses.asdict(SECTIONS[number].presets["report"]), n_steps=WARM_UP + N_STEPS,
                           threads=args.threads)
    implementation = graph.Implementation(task, session_class=TracedSession, precision=args.precision)
    implementation.fit(WARM_UP * task.batch_size, 1, lambda: None)
    implementation.session.tracing = True
    implementation.fit(N_STEPS * task.batch_size, 1, lambda: None)
    traced = [microseconds(trace.step_stats) for trace in implementation.session.traces]
    steps = [spent for spent in traced if len(spent) == max(map(len, traced))]  # shorter runs only start a pipeline
    by_node = collections.Counter({node: statistics.median(spent[node] for spent in steps) for node in steps[0]})
    print(f"section {number}, a step of {task.batch_size} rows, median of {len(steps)}, TensorFlow "
          f"{tf1.version.VERSION}")
    by_kind = collections.Counter()
    for (kind, _), spent in by_node.items():
        by_kind[kind] += spent
    for header, counts in (("operation",), by_kind), (("operation", "node"), by_node):
        total = sum(counts.values())
        print("", *tables.markdown_table((*header, "ms", "share"), [
            (*((key,) if isinstance(key, str) else key), f"{spent / 1e3:.3f}", f"{spent / total:.1%}")
            for key, spent in counts.most_common(args.top)]), sep="\n")
    from tensorflow.python.client import timeline
    trace = timeline.Timeline(implementation.session.traces[traced.index(steps[-1])].step_stats)
    path = write_atomically(folder / f"timeline_section{number}.json", trace.generate_chrome_trace_format().encode())
    print("", f"saved: {display_path(path)}", sep="\n")


def microseconds(stats):
    """Return a Counter {(operation, node): microseconds} from TensorFlow's StepStats."""
    spent = collections.Counter()
    for device in stats.dev_stats:
        for node in device.node_stats:
            label = node.timeline_label  # "name = Kind(inputs)"
            kind = label.split(" = ", 1)[1].split("(")[0] if " = " in label else "other"
            spent[kind, node.node_name] += node.op_end_rel_micros - node.op_start_rel_micros
    return spent


if __name__ == "__main__":
    sys.exit(main())
